"""`state.db`: what it stores, what it refuses, and what it survives."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connector.errors import RunError
from connector.sync.alert_rows import Alert, Book, Note
from connector.sync.state import DAY, Link, State, StateFullError
from connector.sync.state_alerts import AlertRows
from connector.sync.state_queues import Inbox, Outbox
from connector.sync.state_reports import last_error, note_error

NOW = 1_800_000_000.0


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(tmp_path, write=True, now=NOW) as opened:
        yield opened


def test_links_come_back_and_an_asset_has_one_device(state: State) -> None:
    link = Link("asset", 1, 901, "field", "hash", first_run=1)
    state.save_link(link)
    state.save_link(Link("asset", 2, 902, "stamp"))
    state.save_link(Link("client", 1, 901, "map"))
    assert state.links("asset", [1, 7]) == {1: link}
    state.save_link(Link("asset", 3, 901, "pin", pinned=True))
    assert sorted(state.links("asset")) == [2, 3]
    assert [found.source for found in state.links_to("asset", 901)] == [3]
    assert state.link_count("asset") == 2
    state.drop_link("asset", 3)
    assert state.links("asset", [3]) == {}


def test_two_organizations_may_be_one_client(state: State) -> None:
    state.save_link(Link("client", 1, 17, "map"))
    state.save_link(Link("client", 2, 17, "map"))
    assert len(state.links_to("client", 17)) == 2


def test_conflicts_are_no_links(state: State) -> None:
    state.save_link(Link("asset", 1, None, "conflict", "hash", note="[901, 902]"))
    state.save_link(Link("asset", 2, None, "conflict"))
    assert state.link_count("asset") == 0


def test_what_complete_lists_lack_is_counted(state: State) -> None:
    for source in (1, 2, 3):
        state.save_link(Link("asset", source, source + 900, "field"))
    for run in (1, 2):
        state.seen("asset", run, [1, 3] if run == 1 else [1])
        state.unseen("asset", run, NOW + run)
    found = {link.source: (link.missing_runs, link.missing_since) for link in state.missing("asset")}
    assert found == {2: (2, NOW + 1), 3: (1, NOW + 2)}
    state.seen("asset", 3, [2])
    assert [link.source for link in state.missing("asset")] == [3]


def test_a_transaction_that_fails_changes_nothing(state: State) -> None:
    def fail() -> None:
        with state.transaction():
            state.save_link(Link("asset", 1, 901, "field"))
            state.set_cursor("custom_fields", "7", 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert state.links("asset") == {}
    assert state.cursor("custom_fields") is None
    state.set_cursor("custom_fields", "8", 1)
    assert state.cursor("custom_fields") == "8"


def test_runs_and_items_explain_a_record(state: State) -> None:
    assert state.last_counts() == {}
    run = state.begin_run("run", NOW)
    item = {"entity": "asset", "source": 4471, "op": "update", "target": 901, "reason": ""}
    state.save_item(run, {**item, "changes": [{"field": 117, "old": "a", "new": "b"}]}, "ok")
    state.end_run(run, NOW + 1, "ok", {"devices": 60})
    assert state.last_counts() == {"devices": 60}
    (found,) = state.items_of("asset", 4471)
    assert (found["run"], found["changes"][0]["new"], found["outcome"]) == (run, "b", "ok")


def test_items_go_after_90_days_and_raw_deliveries_after_7(state: State) -> None:
    inbox = Inbox(state)
    old, new = state.begin_run("run", NOW), state.begin_run("run", NOW + 80 * DAY)
    for run in (old, new):
        item = {"entity": "asset", "source": 1, "op": "skip", "target": None, "reason": "", "changes": []}
        state.save_item(run, item, "ok")
    inbox.add("a", "1", b"raw", NOW)
    inbox.done(1, NOW)
    inbox.add("a", "2", b"raw", NOW)
    state.prune(NOW + 8 * DAY)
    assert not inbox.add("a", "1", b"raw", NOW)
    assert state.run("SELECT raw FROM inbox ORDER BY seq").fetchall() == [(None,), (b"raw",)]
    state.prune(NOW + 91 * DAY)
    assert [item["run"] for item in state.items_of("asset", 1)] == [new]
    assert inbox.waiting() == 1


def test_nothing_is_pruned_when_the_clock_goes_back(state: State) -> None:
    run = state.begin_run("run", NOW)
    item = {"entity": "asset", "source": 1, "op": "skip", "target": None, "reason": "", "changes": []}
    state.save_item(run, item, "ok")
    state.prune(NOW - 3600)
    assert len(state.items_of("asset", 1)) == 1
    assert state.begin_run("run", NOW - 3600) > run


# Whose it is, and who works on it.


def test_another_account_or_tenant_is_refused(state: State) -> None:
    state.require_pair("rmm.example/abc", "acme")
    state.require_pair("rmm.example/abc", "acme")
    with pytest.raises(RunError, match="belongs to the account rmm"):
        state.require_pair("rmm.example/xyz", "acme")
    with pytest.raises(RunError, match="belongs to the tenant acme"):
        state.require_pair("rmm.example/abc", "other")


def test_the_second_writer_is_told_who_the_first_is(state: State, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from connector.errors import RunError\n"
        "from connector.sync.state import State\n"
        "try: State(Path(sys.argv[1]), write=True)\n"
        "except RunError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert f"another sync (process {os.getpid()}, since 20" in done.stdout
    state.close()
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_container_whose_process_has_the_same_id_is_another_sync(state: State, tmp_path: Path) -> None:
    """Fails if an error of a second container, whose process has the same id, is saved as one of the sync."""
    note_error(tmp_path, "no network", NOW)
    assert (last_error(state) or {})["text"] == "no network"
    holder = {"process": os.getpid(), "since": NOW, "host": "other", "token": "another"}
    (tmp_path / "state.lock.json").write_text(json.dumps(holder))
    note_error(tmp_path, "another sync uses it", NOW)
    assert (last_error(state) or {})["text"] == "no network"
    with pytest.raises(RunError, match=rf"another sync \(process {os.getpid()} on other, since 20"):
        State(tmp_path, write=True)


def test_a_file_without_tables_is_read_as_an_empty_state(tmp_path: Path) -> None:
    """Fails if `sync status` and `plan` end with "no such table" after a first run on a full disk."""
    sqlite3.connect(tmp_path / "state.db").execute("PRAGMA journal_mode=WAL").connection.close()
    with State(tmp_path, write=False) as state:
        assert state.runs() == []


def test_a_writer_that_was_killed_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from connector.sync.state import Link, State\n"
        "state = State(Path(sys.argv[1]), write=True)\n"
        "state.save_link(Link('asset', 1, 901, 'field'))\n"
        "context = state.transaction(); context.__enter__()\n"
        "state.save_link(Link('asset', 2, 902, 'field'))\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    with State(tmp_path, write=True) as state:
        assert sorted(state.links("asset")) == [1]


def test_readers_take_no_lock_and_need_no_file(state: State, tmp_path: Path) -> None:
    state.save_link(Link("asset", 1, 901, "field"))
    with State(tmp_path, write=False) as reader:
        assert list(reader.links("asset")) == [1]
        with pytest.raises(StateFullError, match="cannot be written"):
            reader.drop_link("asset", 1)
    with State(tmp_path / "none", write=False) as empty:
        assert empty.links("asset") == {}


def test_a_newer_file_is_refused_and_unchanged(tmp_path: Path) -> None:
    State(tmp_path, write=True).close()
    with sqlite3.connect(tmp_path / "state.db") as db:
        db.execute("PRAGMA user_version=9")
    db.close()
    with pytest.raises(RunError, match="newer version"):
        State(tmp_path, write=True)
    with pytest.raises(RunError, match="newer version"):
        State(tmp_path, write=False)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"no database" * 100)
    with pytest.raises(RunError, match=r"state\.db: cannot be used"):
        State(tmp_path, write=True)


def test_a_full_disk_undoes_the_transaction_and_the_next_one_works(state: State) -> None:
    state.save_link(Link("asset", 1, 901, "field"))
    (pages,) = state.run("PRAGMA page_count").fetchone()
    state.run(f"PRAGMA max_page_count={pages}")

    def fill() -> None:
        with state.transaction():
            for source in range(2, 5000):
                state.save_link(Link("asset", source, source + 900, "field", "x" * 200))

    with pytest.raises(StateFullError, match="cannot be written: database or disk is full"):
        fill()
    assert sorted(state.links("asset")) == [1]
    state.run("PRAGMA max_page_count=1000000")
    state.save_link(Link("asset", 2, 902, "field"))
    assert len(state.links("asset")) == 2


def test_the_file_is_its_owners_alone(state: State) -> None:
    assert state.path.stat().st_mode & 0o077 == 0


# Queues.


def test_a_delivery_is_kept_once_and_handed_out_in_order(state: State) -> None:
    inbox = Inbox(state)
    assert [inbox.add("rmm", id, b"{}", NOW) for id in ("b", "a", "b")] == [True, True, False]
    assert inbox.add("psa", "b", b"{}", NOW)
    assert [(d.seq, d.event_id) for d in inbox.open()] == [(1, "b"), (2, "a"), (4, "b")]
    assert inbox.last() == 4
    inbox.done(1, NOW)
    assert inbox.waiting() == 2


def test_the_receiver_writes_beside_the_worker(state: State, tmp_path: Path) -> None:
    def receive(name: str) -> None:
        with State(tmp_path, write=True, lock=False) as receiver:
            for number in range(20):
                Inbox(receiver).add(name, str(number), b"{}", NOW)

    threads = [threading.Thread(target=receive, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for number in range(50):
        state.save_link(Link("asset", number, number + 900, "field"))
    for thread in threads:
        thread.join()
    assert Inbox(state).waiting() == 40


def test_an_intent_that_is_not_settled_stays_as_it_was_sent(state: State) -> None:
    outbox = Outbox(state)
    outbox.begin("a#1", "create", {"x": 1}, "a#1", NOW)
    outbox.sent("a#1", NOW + 1)
    outbox.begin("a#1", "create", {"x": 2}, "a#1", NOW + 9)
    (intent,) = outbox.unsettled()
    assert (intent.inputs, intent.sent) == ({"x": 1}, NOW + 1)
    outbox.settle("a#1", "created", 7)
    assert outbox.unsettled() == []
    outbox.begin("a#1", "create", {"x": 2}, "a#1", NOW + 9)
    assert outbox.get("a#1") == replace(intent, inputs={"x": 2}, began=NOW + 9, sent=None)


# Alerts.


def row(uid: str, generation: int = 1, **fields: object) -> Alert:
    return Alert(uid, generation, **{"state": "OPEN", "device": 1, "condition": "c", **fields})  # type: ignore[arg-type]


def test_the_rows_of_alerts_answer_as_those_in_memory_do(state: State) -> None:
    rows = [
        row("a", 1, state="CLOSED", closed_at=NOW - 60, ticket=5, opened_at=NOW - 90),
        row("a", 2, ticket=5, opened_at=NOW, notes=(Note(1, "repeat"),), note_count=1),
        row("b", state="HELD", device=2),
        row("c", state="CREATING", device=None, sent=NOW, opened_at=NOW - 5000),
    ]
    kept, book = AlertRows(state), Book({r.key: r for r in rows})
    kept.put(rows)
    for uid in "abcd":
        assert kept.latest(uid) == book.latest(uid)
    assert kept.get("a", 1) == rows[0]
    assert kept.of_ticket(5) == book.of_ticket(5)
    for device in (1, 2, None):
        assert kept.of_condition(device, "c") == book.of_condition(device, "c")
    assert kept.opened_since(NOW - 3600) == book.opened_since(NOW - 3600) == 2
    assert kept.held() == book.held() == 1


def test_the_worker_finds_what_is_due_and_what_a_killed_process_left(state: State) -> None:
    kept = AlertRows(state)
    kept.put(
        [
            row("a", state="CREATING", next_try=NOW + 60),
            row("b", ticket=5, notes=(Note(1, "repeat", next_try=NOW - 1),)),
            row("c", state="CLOSED", shown=1),
            row("d", state="CLOSED"),
            row("e", ticket=6),
        ]
    )
    assert [r.uid for r in kept.due(NOW)] == ["b"]
    assert [r.uid for r in kept.due(NOW + 60)] == ["b", "a"]
    assert [r.uid for r in kept.unfinished()] == ["a", "b"]
    assert [r.uid for r in kept.in_list()] == ["a", "b", "c", "e"]
    assert kept.tickets() == [5, 6]
    assert kept.count() == {"CREATING": 1, "OPEN": 2, "CLOSED": 2}
