"""The list of runs: a page reads the files of the latest runs, and not those of all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.catalog.catalog import Catalog
from connector.common.user_folders import records_folder
from connector.runs import records
from connector.runs.job import Job
from connector.runs.output_names import absolute
from connector.runs.record import Record
from connector.runs.records import save
from connector.web import run_pages
from tests.web.guest import Guest, open_site


@pytest.fixture
def guest(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guest]:
    monkeypatch.setattr(run_pages, "LISTED", 3)
    with open_site(catalog) as guest:
        yield guest


def keep(output: Path, started: float, ended: float, *, steps: tuple[str, ...] = ()) -> str:
    """Save a run that ended in the past."""
    outputs = [str(output.with_name(f"{step}.jsonl")) for step in steps]
    job = Job("get_device", output=str(output), step=output.stem if steps else "", step_outputs=outputs)
    summary = {"rows": 4, "succeeded": 4}
    record = Record(absolute(output), job, {}, started, ended, summary=summary, seen=ended)
    save(record)
    os.utime(records_folder() / f"{record.id}.json", (ended, ended))
    return record.id


def listed(guest: Guest, page: int = 1) -> list[str]:
    return re.findall(r'id="r-(\w+)"', guest.get("/runs", page=str(page)).text)


def test_each_run_is_on_one_page_and_a_page_reads_few_files(
    guest: Guest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every tenth run takes until the present: its file was written last, and it was started before others.
    ids = [keep(tmp_path / f"{n}.jsonl", 60.0 * n, 60.0 * n + 90 if n % 10 else 9000.0) for n in range(30)]
    parse, parsed = records.record_from_json, []
    monkeypatch.setattr(records, "record_from_json", lambda content: parsed.append(1) or parse(content))
    assert listed(guest) == ids[:-4:-1]
    assert len(parsed) <= 16
    assert [id for page in range(1, 12) for id in listed(guest, page)] == ids[::-1]


def test_steps_of_a_job_that_ended_long_before_its_last_one_are_listed_with_it(
    guest: Guest, tmp_path: Path
) -> None:
    steps = ("a", "b")
    first = keep(tmp_path / "a.jsonl", 10.0, 20.0, steps=steps)
    others = [keep(tmp_path / f"{n}.jsonl", 60.0 * n, 60.0 * n + 30) for n in range(1, 20)]
    last = keep(tmp_path / "b.jsonl", 5000.0, 6000.0, steps=steps)
    assert listed(guest) == [first, last, *others[:-3:-1]]


def test_a_record_that_cannot_be_read_is_reported(guest: Guest, tmp_path: Path) -> None:
    keep(tmp_path / "out.jsonl", 10.0, 20.0)
    (records_folder() / f"{'0' * 32}.json").write_text("{")
    page = guest.get("/runs").text
    assert "1 run could not be read:" in page
    assert 'id="r-' in page
