"""Group commit: the writes of several threads in one transaction, which do not affect each other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from connector.errors import RunStoppedError
from connector.http.messages import Response
from connector.state import database as database_module
from connector.state import group_commit
from connector.state.database import Database, DatabaseLostError, Row, StatementRolledBackError
from connector.state.databases import open_database
from connector.state.group_commit import group_commit_of
from tests.fakes import wait_until
from tests.files.outputs import POST
from tests.state.commits import Held, accounts, envelopes, pace
from tests.state.conftest import WAITS_FOR_LOCK, Open, expire
from tests.state.outage import Outage


def test_threads_that_write_at_the_same_time_share_a_transaction(
    worker: Open, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, database = worker("a", "new"), open_database(postgres)
    held = Held(database, monkeypatch)
    errors = held.together(
        lambda: output.write(b"1\n"),
        lambda: output.write(b"2\n"),
        lambda: output.journal.sent(3, 0, POST),
        lambda: group_commit_of(database).commit(pace("b")),
        lambda: group_commit_of(database).commit(pace("a")),
        output.journal.require_held,
    )
    assert errors == [None] * 6
    assert len(held.statements) == 2
    monkeypatch.undo()
    assert envelopes(database) == [b"1\n", b"2\n"]
    assert database.run("SELECT row_number, request FROM connector_journal") == [(3, str(POST))]
    saved = database.run("SELECT account, version, times FROM connector_pace ORDER BY account")
    assert saved == [(account, 1, [0.5, float("-inf")]) for account in ("a", "b", "first")]


def test_a_transaction_with_a_durable_write_waits_for_the_disk(
    worker: Open, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, database = worker("a", "new"), open_database(postgres)
    run, said = database.run, []

    def noting(*statement: Any) -> list[Row]:
        rows = run(*statement)
        said.append(rows[0][-1])
        return rows

    monkeypatch.setattr(database, "run", noting)
    output.journal.require_held()
    output.journal.sent(1, 0, POST)
    output.write(b"1\n")
    output.journal.require_held()
    monkeypatch.undo()
    assert said == ["off", "on", "on", "off"]


def test_of_two_writes_to_one_account_each_has_a_transaction(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the database would refuse both."""
    database = open_database(postgres)
    group, held = group_commit_of(database), Held(database, monkeypatch)
    found: list[Row] = []
    errors = held.together(
        lambda: found.extend(group.commit(pace("a", 11))), lambda: found.extend(group.commit(pace("a", 12)))
    )
    assert errors == [None, None]
    assert len(held.statements) == 3
    assert [(version, change) for _, version, _, _, change in found] == [(1, 11)] * 2


def test_accounts_are_locked_in_order_so_that_processes_do_not_wait_for_each_other(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(postgres)
    group = group_commit_of(database)
    for account in "ab":
        group.commit(pace(account))
    lock = "SELECT 1 FROM connector_pace WHERE account = %s FOR UPDATE NOWAIT"
    blocked = f"SELECT count(*) FROM pg_stat_activity WHERE {WAITS_FOR_LOCK}"
    held = Held(database, monkeypatch)
    with ThreadPoolExecutor(1) as pool, database.transaction() as other:
        other.run(lock, ["a"])
        both = pool.submit(held.together, lambda: group.commit(pace("b")), lambda: group.commit(pace("a")))
        wait_until(lambda: held._run(blocked)[0][0] == 1)
        assert other.run(lock, ["b"]) == [(1,)]
    assert both.result() == [None, None]


def test_a_part_that_another_worker_holds_does_not_affect_others(
    worker: Open, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = worker("a", "new")
    expire(postgres)
    second, database = worker("b", "resume"), open_database(postgres)
    errors = Held(database, monkeypatch).together(
        lambda: first.write(b"1\n"),
        lambda: second.write(b"2\n"),
        lambda: first.journal.sent(3, 0, POST),
        lambda: second.journal.sent(4, 0, POST),
    )
    assert [isinstance(error, RunStoppedError) for error in errors] == [True, False, True, False]
    assert "another worker has taken over" in str(errors[0])
    monkeypatch.undo()
    assert envelopes(database) == [b"2\n"]
    assert database.run("SELECT row_number FROM connector_journal") == [(4,)]


def test_a_write_that_is_refused_does_not_affect_others(
    worker: Open, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, database = worker("a", "new"), open_database(postgres)
    errors = Held(database, monkeypatch).together(
        lambda: output.write(b"1\n"),
        lambda: output.part.commit("intent", (1, 0, "a\0b", "")),
        lambda: output.part.commit("intent", (1, 0, "\ud800", "")),
        lambda: output.write(b"2\n"),
    )
    assert [type(error) for error in errors] == [type(None), RunStoppedError, RunStoppedError, type(None)]
    monkeypatch.undo()
    assert envelopes(database) == [b"1\n", b"2\n"]


@pytest.fixture
def locked(postgres: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database in which another process has locked the accounts "a", "b" and "c"."""
    monkeypatch.setitem(database_module._OPTIONS, "options", "-c lock_timeout=50")
    database = open_database(postgres)
    for account in "abc":
        group_commit_of(database).commit(pace(account))
    with psycopg.connect(postgres) as other:
        other.execute("SELECT 1 FROM connector_pace FOR UPDATE")
        yield database
        other.rollback()


def test_a_write_that_waits_for_a_lock_does_not_affect_others(
    locked: Database, worker: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, group = worker("a", "new"), group_commit_of(locked)
    errors = Held(locked, monkeypatch).together(
        lambda: output.write(b"1\n"),
        lambda: output.journal.sent(1, 0, POST),
        lambda: group.commit(pace("a", 2)),
        lambda: group.commit(pace("free")),
        lambda: output.write(b"2\n"),
    )
    assert [type(error) for error in errors] == [
        *[type(None)] * 2,
        StatementRolledBackError,
        *[type(None)] * 2,
    ]
    monkeypatch.undo()
    assert envelopes(locked) == [b"1\n", b"2\n"]
    assert locked.run("SELECT row_number FROM connector_journal") == [(1,)]
    assert accounts(locked) == ["a", "b", "c", "first", "free"]


def test_many_writes_that_wait_for_locks_do_not_wait_one_after_the_other(
    locked: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, held = group_commit_of(locked), Held(locked, monkeypatch)
    writes = [lambda name=name: group.commit(pace(name, 2)) for name in ("free", "a", "b", "c", "d")]
    errors = held.together(*writes)  # type: ignore[arg-type]
    assert [type(error) for error in errors] == [type(None), *[StatementRolledBackError] * 4]
    assert len(held.statements) == 1 + 1 + 3
    monkeypatch.undo()
    assert accounts(locked) == ["a", "b", "c", "first", "free"]


def test_all_writes_fail_with_the_database(
    worker: Open, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, database = worker("a", "new"), open_database(outage.url)
    held = Held(database, monkeypatch)
    run = held._run

    def lost(*arguments: Any, **settings: Any) -> list[Row]:
        if len(held.statements) == 2:
            outage.begin()
        return run(*arguments, **settings)

    held._run = lost
    errors = held.together(lambda: output.write(b"1\n"), lambda: output.journal.sent(1, 0, POST))
    assert [type(error) for error in errors] == [DatabaseLostError] * 2
    monkeypatch.undo()
    outage.end()
    assert envelopes(database) == []
    output.write(b"1\n")  # the next thread finds no one else writing


def test_a_response_is_committed_soon_without_waiting_for_it(worker: Open, postgres: str) -> None:
    output, database = worker("a", "new"), open_database(postgres)
    output.journal.sent(1, 0, POST)
    output.journal.answered(1, 0, Response(200, {}, b"{}"))
    wait_until(lambda: database.run("SELECT answer IS NOT NULL FROM connector_journal") == [(True,)])


def test_a_response_is_committed_with_the_envelope_of_its_row(
    worker: Open, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_DELAY_S", 60.0)
    output, database = worker("a", "new"), open_database(postgres)
    statements, run = list[str](), database.run
    monkeypatch.setattr(database, "run", lambda *a: (statements.append(a[0]), run(*a))[1])
    output.journal.sent(1, 0, POST)
    output.journal.answered(1, 0, Response(200, {}, b"{}"))
    output.write(b"1\n")
    assert len(statements) == 2
    output.journal.sent(2, 0, POST)
    output.journal.refused(2, 0)
    output.journal.sent(2, 0, POST)  # after the record that it had no effect, which would undo it
    output.journal.sent(3, 0, POST)
    output.journal.refused(3, 0)
    output.close()
    monkeypatch.undo()
    saved = database.run(
        "SELECT row_number, answer IS NOT NULL, refused FROM connector_journal ORDER BY row_number"
    )
    assert saved == [(1, True, False), (2, False, False), (3, False, True)]


def test_large_writes_have_transactions_of_their_own(
    worker: Open, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "_BYTES", 10)
    output, database = worker("a", "new"), open_database(postgres)
    held = Held(database, monkeypatch)
    lines = [b"a" * 6, b"b" * 6, b"c" * 20, b"d", b"e"]
    errors = held.together(*(lambda some=some: output.write(some) for some in lines))
    assert errors == [None] * len(lines)
    assert len(held.statements) == 1 + 4
    monkeypatch.undo()
    assert envelopes(database) == lines


def test_many_responses_that_wait_are_not_kept_in_memory(
    worker: Open, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_DELAY_S", 60.0)
    monkeypatch.setattr(group_commit, "_BYTES_WAITING", 100)
    output, group = worker("a", "new"), group_commit_of(open_database(postgres))
    for row in range(1, 6):
        output.journal.answered(row, 0, Response(200, {}, b'"%s"' % (b"a" * 60)))
        assert group._size < 400
