"""A state file of an older version opens, keeps its rows, and has the tables of a new file."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from connector.sync import state_schema
from connector.sync.state import Link, State
from connector.sync.state_queues import Inbox

OLD = {
    1: (
        "CREATE TABLE links(entity TEXT NOT NULL, source_id INTEGER NOT NULL, target_id INTEGER, "
        "method TEXT NOT NULL, pinned INTEGER NOT NULL DEFAULT 0, values_hash TEXT, seen_hash TEXT, "
        "software_hash TEXT, first_run INTEGER, last_run INTEGER, missing_since REAL, "
        "missing_runs INTEGER NOT NULL DEFAULT 0, deactivated INTEGER NOT NULL DEFAULT 0, note TEXT, "
        "PRIMARY KEY(entity, source_id)) WITHOUT ROWID",
        "INSERT INTO links VALUES ('asset', 7, 901, 'pin', 1, 'v', 'seen', 's', 1, 2, 3.5, 4, 1, 'n')",
        "INSERT INTO links VALUES ('client', 2, 17, 'map', 0, NULL, NULL, NULL, 1, 2, NULL, 0, 0, NULL)",
    )
}
ROW = Link("asset", 7, 901, "pin", "v", "s", 1, 2, 3.5, 4, True, True, "n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a state of version 1, with a row in other tables as well."""
    with State(tmp_path, write=True) as state:
        Inbox(state).add("ninja", "e1", b"{}", 1.0)
        state.set_meta("account", "a")
    with sqlite3.connect(tmp_path / "state.db") as db:
        db.execute("DROP TABLE links")
        for statement in (
            *OLD[1],
            "CREATE UNIQUE INDEX one_device_an_asset ON links(target_id) "
            "WHERE entity = 'asset' AND target_id IS NOT NULL",
            "CREATE INDEX links_by_target ON links(entity, target_id)",
            "PRAGMA user_version=1",
        ):
            db.execute(statement)
    db.close()
    return tmp_path


def schema(path: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        found = [(name, "".join(sql.replace('"', "").split())) for name, sql in rows]
    db.close()
    return found


def test_version_1_is_read_without_a_change_and_upgraded_by_a_writer(folder: Path, tmp_path: Path) -> None:
    with State(folder, write=False) as state:
        assert state.links("asset") == {7: ROW}
        with state.scratch() as copy:
            copy.save_link(Link("site", 3, 40, "map"))
    with State(folder, write=True) as state:
        assert state.links("asset") == {7: ROW}
        assert state.links("client")[2].target == 17
        assert Inbox(state).waiting() == 1
        assert state.meta("account") == "a"
        state.save_link(Link("asset", 8, 901, "stamp"))  # the index still holds
        assert state.links("asset").keys() == {8}
    new = tmp_path / "new"
    new.mkdir()
    State(new, write=True).close()
    assert schema(folder / "state.db") == schema(new / "state.db")
    with sqlite3.connect(folder / "state.db") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (state_schema.VERSION,)
    db.close()


def test_an_upgrade_that_fails_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {1: (*state_schema.STEPS[1], "INSERT INTO missing VALUES (1)")}
    with monkeypatch.context() as patch:
        patch.setattr("connector.sync.state.STEPS", broken)
        with pytest.raises(Exception, match="cannot be used: no such table: missing"):
            State(folder, write=True)
    with State(folder, write=True) as state:
        assert state.links("asset") == {7: ROW}


def test_two_writers_upgrade_once(folder: Path) -> None:
    errors: list[Exception] = []

    def open_it() -> None:
        try:
            State(folder, write=True, lock=False).close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with State(folder, write=False) as state:
        assert state.links("asset") == {7: ROW}
