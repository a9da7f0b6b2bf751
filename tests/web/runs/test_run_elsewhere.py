"""The pages of a run whose output is on another machine: its rows come from the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.connections.connection import make_connection
from connector.runs.prepared import prepare
from connector.runs.records import Record, list_records, save
from connector.runs.run import run
from connector.runs.run_state import state_of
from connector.sandbox.ninjaone.server import Sandbox
from connector.state.databases import open_database
from connector.state.setting import VARIABLE
from tests.runs.test_records import jobs
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
