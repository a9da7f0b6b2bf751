"""Records of runs in a database: read by other machines, the latest counts; no run depends on them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.common import user_folders
from connector.connections.connection import make_connection
from connector.errors import RunError
from connector.runs import records
from connector.runs.prepared import prepare
from connector.runs.record import Record
from connector.runs.records import find, find_by_id, forget, latest_records, list_records, save
from connector.runs.run import run
from connector.sandbox.ninjaone.server import Sandbox
from connector.state.databases import open_database
from connector.state.records import DatabaseRecords
from connector.state.setting import VARIABLE
from tests.postgres import PASSWORD
from tests.runs.test_records import jobs, record
from tests.state.outage import Outage


@pytest.fixture
def shared(postgres: str) -> DatabaseRecords:
    return DatabaseRecords(open_database(postgres))


@pytest.fixture
def elsewhere(postgres: str, own_state: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Continues on a machine without files, whose environment selects the database."""

    def go() -> None:
        monkeypatch.setenv(VARIABLE, postgres)
        shutil.rmtree(user_folders.records_folder())
        user_folders.records_folder.cache_clear()

    return go


def read() -> tuple[list[Record], list[str]]:
    """Return all records, and the messages about those that cannot be read."""
    found = latest_records()
    found.read()
    return list(found.by_id.values()), found.unreadable


def test_a_record_is_found_and_listed_on_another_machine(
    shared: DatabaseRecords, elsewhere: Any, tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    save(record(output, seen=5.0), shared)
    elsewhere()
    found = find(output)
    assert found is not None
    assert (found.output, found.seen) == (output, 5.0)
    assert find_by_id(found.id) == found
    assert list(list_records()) == [found]
    assert read() == ([found], [])
    assert find(tmp_path / "other.jsonl") is None


def test_the_record_that_was_updated_last_counts(
    shared: DatabaseRecords, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: str
) -> None:
    output = tmp_path / "out.jsonl"
    monkeypatch.setenv(VARIABLE, postgres)
    for here, there, expected in ((2.0, 1.0, 2.0), (2.0, 3.0, 3.0)):
        save(record(output, seen=there), shared)
        save(record(output, seen=here))
        found = find(output)
        assert found is not None
        assert [found.seen, *(one.seen for one in list_records())] == [expected, expected]


def test_a_record_is_forgotten_everywhere(shared: DatabaseRecords, elsewhere: Any, tmp_path: Path) -> None:
    save(record(tmp_path / "out.jsonl"), shared)
    elsewhere()
    forget(tmp_path / "out.jsonl")
    assert list(list_records()) == []


def test_only_so_many_are_kept(
    shared: DatabaseRecords, elsewhere: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "KEPT", 3)
    for n in range(5):
        save(record(tmp_path / f"{n}.jsonl"), shared)
    elsewhere()
    assert {one.output.name for one in list_records()} == {"2.jsonl", "3.jsonl", "4.jsonl"}


def test_what_is_no_record_of_this_version_is_named(
    shared: DatabaseRecords, elsewhere: Any, tmp_path: Path
) -> None:
    save(record(tmp_path / "out.jsonl"), shared)
    elsewhere()
    ((id, _),) = shared.all()
    shared.write(id, '{"record": 2}')
    assert find(tmp_path / "out.jsonl") is None
    (message,) = read()[1]
    assert message.startswith("postgresql://127.0.0.1:")
    assert message.endswith(f"record {id}: cannot be read: its version is 2, and this version reads 1")


def test_without_the_database_records_of_this_machine_are_listed(
    outage: Outage, shared: DatabaseRecords, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, outage.url)
    save(record(tmp_path / "out.jsonl"), shared)
    outage.begin()
    save(replace(record(tmp_path / "out.jsonl"), seen=9.0), shared)
    (one,), (message,) = read()
    assert one.seen == 9.0
    assert "the database cannot be used" in message
    assert PASSWORD not in message
    with pytest.raises(RunError, match="the database cannot be used"):
        find(tmp_path / "out.jsonl")


def test_a_run_with_its_state_in_a_database_has_its_record_there_without_secrets(
    catalog: Catalog, service: Service, sandbox: Sandbox, tmp_path: Path, postgres: str, elsewhere: Any
) -> None:
    connection = make_connection(service, sandbox.connection, "the sandbox")
    job, _ = jobs(tmp_path, state=postgres)
    summary = run(prepare(job, catalog), connection=connection)
    elsewhere()
    (left,) = list_records()
    assert left.summary == summary.as_json()
    assert left.ended is not None
    ((_, content),) = DatabaseRecords(open_database(postgres)).all()
    for secret in (sandbox.client_secret, connection.client_id, PASSWORD):
        assert secret not in content
