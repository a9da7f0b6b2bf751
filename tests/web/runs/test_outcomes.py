"""How pages name the state of a run and of its rows: accepted, ended, failed, and what to do next."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.runs.job import Job
from connector.runs.output_names import absolute
from connector.runs.record import Record
from connector.runs.records import save
from tests.web.guest import Guest, open_site


@pytest.fixture
def guest(catalog: Catalog) -> Iterator[Guest]:
    with open_site(catalog) as guest:
        yield guest


def ended(output: Path, action: str, meta: list[dict[str, Any]], wait_s: float | None = None) -> Record:
    """The record of a finished run over rows with these `meta`, and its output."""
    listed = [
        {"has_error": bool(its.get("code")), "error": "no" if its.get("code") else None, "result": None,
         "row": row, "meta": {"status": 204, "code": None, **its}}
        for row, its in enumerate(meta, start=1)
    ]  # fmt: skip
    output.write_text("".join(json.dumps(envelope, separators=(",", ":")) + "\n" for envelope in listed))
    failed = [its for its in meta if its.get("code")]
    codes = {its["code"]: {"rows": 1, "example": "row 1: no"} for its in failed}
    kinds = {"retry": 0, "fix": 0, "check": 0}
    for its in failed:
        kinds["fix" if its["code"] == "not_found" else "check"] += 1
    summary = {"rows": len(meta), "succeeded": len(meta) - len(failed), "failed": len(failed)}
    job = Job(action, input="rows.jsonl", output=str(output), wait_s=wait_s)
    record = Record(
        absolute(output), job, {}, 1000.0, 1010.0, summary={**summary, "codes": codes, "kinds": kinds}
    )
    save(record)
    return record


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


@pytest.mark.parametrize(
    ("meta", "tone", "word"),
    [
        ([{}, {}], "finished", "finished"),
        ([{}, {"code": "not_found"}], "finished some-failed", "finished, 1 failed"),
        ([{"code": "not_found"}, {"code": "conflict"}], "finished all-failed", "finished, all failed"),
    ],
)
def test_a_finished_run_says_how_many_rows_failed(
    guest: Guest, tmp_path: Path, meta: list[dict[str, Any]], tone: str, word: str
) -> None:
    record = ended(tmp_path / "out.jsonl", "update_device", meta)
    for path in ("/runs", f"/runs/{record.id}"):
        assert f'<span class="tag state {tone}">{word}</span>' in guest.get(path).text


def test_rows_that_only_queued_work_are_accepted(guest: Guest, tmp_path: Path) -> None:
    record = ended(tmp_path / "out.jsonl", "reboot_device", [{}, {"code": "not_found", "repeatable": True}])
    page = text_of(guest.get(f"/runs/{record.id}").text)
    assert "Accepted 1 Failed 1 Fix first 1" in page
    assert "1 accepted 204" in page
    assert "2 not_found 204 fix first" in page
    assert "Accepted: NinjaOne has queued the work; it may not be done yet." in page
    assert "ucceeded" not in page
    assert "1 accepted" in text_of(guest.get("/runs").text)


def test_outcomes_of_queued_work_are_shown(guest: Guest, tmp_path: Path) -> None:
    outcomes = [
        {"outcome": {"state": "completed", "exit_code": 0}},
        {"outcome": {"state": "unknown"}},
        {"outcome": {"state": "failed", "exit_code": 1}, "code": "execution_failed"},
    ]
    record = ended(tmp_path / "out.jsonl", "run_script", outcomes, wait_s=60)
    page = guest.get(f"/runs/{record.id}").text
    shown = text_of(page)
    assert '<span class="good">completed, exit code 0</span>' in page
    assert '<span class="open">unknown</span>' in page
    assert "3 execution_failed 204 check first" in shown
    assert "Succeeded 2 Failed 1 Check first 1" in shown
    assert "queued the work" not in shown
