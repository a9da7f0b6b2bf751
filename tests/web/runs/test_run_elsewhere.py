"""The pages of a run whose output is on another machine: its rows come from the database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.common.redaction import Redactor
from connector.connections.connection import make_connection
from connector.errors import RunError
from connector.files.work_folder import partial_output_of
from connector.runs.prepared import prepare
from connector.runs.record import Record
from connector.runs.records import list_records, save
from connector.runs.run import run
from connector.runs.run_state import state_of
from connector.runs.run_stores import shared_envelopes
from connector.sandbox.ninjaone.server import Sandbox
from connector.state.databases import open_database
from connector.state.setting import VARIABLE
from connector.web.runs.envelopes import Envelopes
from tests.runs.test_records import jobs
from tests.state.outage import Outage
from tests.web.guest import Guest, open_site


@pytest.fixture
def guest(catalog: Catalog) -> Iterator[Guest]:
    with open_site(catalog) as guest:
        yield guest


@pytest.fixture
def elsewhere(
    catalog: Catalog,
    service: Service,
    sandbox: Sandbox,
    tmp_path: Path,
    postgres: str,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Record, bytes]:
    """The record and the output of a run with a failed row, whose output is not here."""
    connection = make_connection(service, sandbox.connection, "the sandbox")
    job, _ = jobs(tmp_path, state=postgres)
    run(prepare(job, catalog), connection=connection)
    output = tmp_path / "out.jsonl"
    content = output.read_bytes()
    output.unlink()
    monkeypatch.setenv(VARIABLE, postgres)
    (record,) = list_records()
    return record, content


def test_its_pages_show_the_rows_and_the_download_is_the_output(
    guest: Guest, elsewhere: tuple[Record, bytes]
) -> None:
    record, content = elsewhere
    page = guest.get(f"/runs/{record.id}").text
    assert "The output file is not on this machine." in page
    assert "Table of failed rows" in page
    assert "Table of the latest envelopes" in page
    assert page.count(f'"{record.id}/rows/3"') == 2
    assert 'id="rerun"' not in page
    assert guest.get(f"/runs/{record.id}/envelopes").data == content
    row = guest.get(f"/runs/{record.id}/rows/3").text
    assert "not_found" in row
    assert guest.get(f"/runs/{record.id}/rows/9").status_code == 404


def test_a_file_here_that_is_not_its_complete_output_is_not_taken_for_it(
    guest: Guest, elsewhere: tuple[Record, bytes], postgres: str
) -> None:
    record, content = elsewhere
    first = content[: content.index(b"\n") + 1]
    left = partial_output_of(record.output)
    left.parent.mkdir()
    left.write_bytes(first)  # left by a machine on which the run was killed
    assert "rows/3" in guest.get(f"/runs/{record.id}").text
    assert guest.get(f"/runs/{record.id}/envelopes").data == content
    shutil.rmtree(left.parent)
    record.output.write_bytes(first)
    os.utime(record.output, (record.started - 60, record.started - 60))  # of an earlier run
    assert guest.get(f"/runs/{record.id}/envelopes").data == content
    open_database(postgres).run("DELETE FROM connector_run")
    assert guest.get(f"/runs/{record.id}/envelopes").data == first


def test_a_database_that_is_lost_while_rows_are_read_does_not_look_like_no_rows(
    elsewhere: tuple[Record, bytes], postgres: str
) -> None:
    record, _ = elsewhere
    shared = partial(shared_envelopes, postgres, record.run_id)
    found = Envelopes(record.output, "jsonl", Redactor(), shared=shared)
    assert [one.row for one in found.failed(9).rows] == [3]
    Outage(postgres).begin()
    with pytest.raises(RunError, match="the database cannot be used"):
        found.failed(9)
    with pytest.raises(RunError, match="the database cannot be used"):
        list(found.of_row(3))


def test_without_its_database_the_page_has_no_rows(
    guest: Guest, elsewhere: tuple[Record, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    record, _ = elsewhere
    monkeypatch.delenv(VARIABLE)
    page = guest.get(f"/runs/{record.id}").text
    assert "rows/3" not in page
    assert guest.get(f"/runs/{record.id}/envelopes").status_code == 404


def test_while_its_database_cannot_be_reached_the_page_says_so(
    guest: Guest, elsewhere: tuple[Record, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    record, _ = elsewhere
    monkeypatch.delenv(VARIABLE)
    save(replace(record, job=replace(record.job, state="postgresql://127.0.0.1:1/nowhere")))
    page = guest.get(f"/runs/{record.id}")
    assert page.status_code == 200
    assert "The rows cannot be read: " in page.text


def test_without_its_rows_nothing_is_downloaded(
    guest: Guest, elsewhere: tuple[Record, bytes], postgres: str
) -> None:
    record, _ = elsewhere
    open_database(postgres).run("DELETE FROM connector_run")
    assert guest.get(f"/runs/{record.id}/envelopes").status_code == 404


def test_it_is_running_while_a_worker_elsewhere_holds_it(
    elsewhere: tuple[Record, bytes], postgres: str
) -> None:
    record = replace(elsewhere[0], ended=None)
    save(record)
    now = (record.seen or 0.0) + 60
    assert state_of(record, now) == "killed"
    open_database(postgres).run("UPDATE connector_part SET seen = now(), worker = 'another'")
    assert state_of(record, now) == "running"
