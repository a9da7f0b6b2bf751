"""Runs are removed from the database: old ones, discarded ones and replaced ones."""

from __future__ import annotations

import psycopg
import pytest

from connector.errors import RunError
from connector.files.unfinished import SentRequests
from connector.state import removed_runs
from connector.state.databases import open_database
from connector.state.runs import DatabaseRunStore
from connector.state.unfinished_run import discard_unfinished
from tests.files.outputs import POST, envelope
from tests.state.conftest import Open


def test_finished_runs_are_deleted_after_a_week(worker: Open, postgres: str) -> None:
    first = worker("a", "new")
    first.journal.sent(1, 0, POST)
    first.write(envelope(1).line())
    first.finish()
    database = open_database(postgres)
    database.run("UPDATE connector_run SET output = 'old', finished = finished - interval '8 days'")
    worker("b", "new")
    assert database.run("SELECT output FROM connector_run") == [("out.jsonl",)]
    assert database.run("SELECT count(*) FROM connector_part") == [(1,)]
    for table in ("journal", "envelopes"):
        assert database.run(f"SELECT count(*) FROM connector_{table}") == [(0,)]


def test_what_a_removed_run_has_left_is_deleted_little_by_little(
    worker: Open, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise no run could begin once there is one with more than can be deleted in time."""
    monkeypatch.setattr(removed_runs, "_AT_ONCE", {"journal": 2, "envelopes": 2, "rows": 2})
    monkeypatch.setattr(removed_runs, "MAX_DELETE_S", 0)
    first = worker("a", "new")
    for row in range(1, 4):
        first.journal.sent(row, 0, POST)
        first.write(envelope(row).line())
    first.close()
    database = open_database(postgres)

    def left() -> list[int]:
        tables = ("journal", "envelopes", "removed_run")
        return [database.run(f"SELECT count(*) FROM connector_{table}")[0][0] for table in tables]

    found = []
    for name in "bcde":
        worker(name, "restart").close()
        found.append(left())
    assert [journal for journal, _, _ in found] == [1, 0, 0, 0]
    assert [envelopes for _, envelopes, _ in found] == [3, 3, 1, 0]
    monkeypatch.setattr(removed_runs, "MAX_DELETE_S", 60)
    worker("f", "restart")
    assert left() == [0, 0, 0]


def test_a_run_that_is_discarded_leaves_nothing_in_the_database(worker: Open, postgres: str) -> None:
    first = worker("a", "new")
    first.journal.sent(1, 0, POST)
    first.write(envelope(1).line())
    store = DatabaseRunStore(postgres)
    with pytest.raises(RunError, match="another run is writing this file"):
        store.discard(first.path)
    first.close()
    store.discard(first.path)
    for table in ("run", "part", "journal", "envelopes", "removed_run"):
        assert open_database(postgres).run(f"SELECT * FROM connector_{table}") == []


def test_an_unfinished_run_is_removed_by_its_id_unless_it_is_resumed_or_finished(
    worker: Open, postgres: str
) -> None:
    first = worker("a", "new")
    first.journal.sent(1, 0, POST)
    first.write(envelope(1).line())
    first.close()
    database, other = open_database(postgres), first.path.parent.parent / "out.jsonl"
    seen: list[SentRequests] = []

    def refuse(sent: SentRequests) -> None:
        """Nobody can take over after this look."""
        seen.append(sent)
        for table in ("run", "part"):
            with psycopg.connect(postgres) as connection, pytest.raises(psycopg.errors.LockNotAvailable):
                connection.execute(f"SELECT 1 FROM connector_{table} FOR KEY SHARE NOWAIT".encode())
        raise RunError("kept")

    with pytest.raises(RunError, match="kept"):
        discard_unfinished(database, other, first.run_id, refuse)
    assert seen == [SentRequests({1: 1})]
    second = worker("b", "resume")
    with pytest.raises(RunError, match="another worker is running it"):
        discard_unfinished(database, other, first.run_id, seen.append)
    second.finish()
    second.close()
    with pytest.raises(RunError, match="was finished or removed by another process"):
        discard_unfinished(database, other, first.run_id, seen.append)
    assert (len(seen), len(database.run("SELECT 1 FROM connector_run"))) == (1, 1)
