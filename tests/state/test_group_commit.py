"""Group commit: the writes of several threads in one transaction, which do not affect each other."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
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
from connector.state.group_statement import Write
from tests.fakes import wait_until
from tests.files.outputs import POST
from tests.loopback import PATIENCE_S
from tests.state.conftest import WAITS_FOR_LOCK, Open, expire
from tests.state.outage import Outage


class Held:
    """Holds the first transaction back, so that the writes of other threads wait for it."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self._run, self._database = database.run, database
        self.statements: list[str] = []
        self._may_go = threading.Event()
        monkeypatch.setattr(database, "run", self._first_waits)

    def _first_waits(self, statement: str, *others: Any, **settings: Any) -> list[Row]:
        self.statements.append(statement)
        assert self._may_go.wait(PATIENCE_S)
        return self._run(statement, *others, **settings)

    def together(self, *writes: Callable[[], Any]) -> list[BaseException | None]:
        """Let writes wait for a transaction, each on a thread; return their errors."""
        group = group_commit_of(self._database)
        with ThreadPoolExecutor(1 + len(writes)) as pool:
            first = pool.submit(group.commit, pace("first"))
            wait_until(lambda: len(self.statements) == 1)
            waiting = []
            for number, write in enumerate(writes, 1):
                waiting.append(pool.submit(write))
                wait_until(lambda number=number: len(group._queue) >= number)  # type: ignore[misc]
            self._may_go.set()
            first.result()
            return [write.exception() for write in waiting]


def pace(account: str, change: int = 1) -> Write:
    return Write("pace", None, (account, 1, change, [0.5, float("-inf")], None), conflict_key=account)


def envelopes(database: Database) -> list[bytes]:
    return [lines for (lines,) in database.run("SELECT lines FROM connector_envelopes ORDER BY number")]


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


def test_a_thread_that_is_interrupted_while_it_waits_leaves_the_others_a_way(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own write, whose request it does not send, is not executed."""
    database = open_database(postgres)
    group, held = group_commit_of(database), Held(database, monkeypatch)

    class Interrupted:
        def __init__(self) -> None:
            self.leads = threading.Event()

        def acquire(self, timeout: float | None = None) -> bool:
            if timeout is not None:
                assert self.leads.wait(PATIENCE_S)
                raise KeyboardInterrupt
            return True

        def release(self) -> None:
            self.leads.set()

    def interrupted() -> None:
        monkeypatch.setattr(group_commit, "Lock", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            group.commit(pace("b"))

    def other() -> None:
        monkeypatch.setattr(group_commit, "Lock", threading.Lock)
        group.commit(pace("c"))

    assert held.together(interrupted, other) == [None, None]
    assert accounts(database) == ["c", "first"]
    group.commit(pace("d"))


class Failing:
    """Raises an exception instead of some statements of `Held`, by their numbers."""

    def __init__(self, held: Held, **errors: BaseException) -> None:
        self._held, self._run, self._errors = held, held._run, errors
        held._run = self._next

    def _next(self, *arguments: Any, **settings: Any) -> list[Row]:
        if error := self._errors.get(f"_{len(self._held.statements)}"):
            raise error
        return self._run(*arguments, **settings)


def accounts(database: Database) -> list[str]:
    return [name for (name,) in database.run("SELECT account FROM connector_pace ORDER BY account")]


def test_a_response_submitted_during_a_transaction_is_committed_soon_after_it(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "_IDLE_S", 600.0)
    database = open_database(postgres)
    group, held = group_commit_of(database), Held(database, monkeypatch)
    waits = []

    class Wake(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            return super().wait(timeout)

    group._wake = Wake()

    def submit() -> None:
        group.submit(pace("response"))
        wait_until(lambda: len(waits) == 2)  # The thread found that another one writes.

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(group.commit, pace("first"))
        wait_until(lambda: len(held.statements) == 1)
        submit()
        held._may_go.set()
        first.result()
    wait_until(lambda: len(held.statements) == 2)
    wait_until(lambda: held._run("SELECT count(*) FROM connector_pace")[0][0] == 2)
    monkeypatch.undo()
    group._wake.set()  # The thread ends after the usual time.


def test_an_unexpected_error_before_the_own_write_of_a_thread_stops_no_other_one(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(postgres)
    group, held = group_commit_of(database), Held(database, monkeypatch)
    Failing(held, _2=MemoryError())
    errors = held.together(lambda: group.submit(pace("a")), lambda: group.commit(pace("a", 2)))
    assert [type(error) for error in errors] == [type(None), MemoryError]
    group.commit(pace("b"))
    assert accounts(database) == ["b", "first"]


@pytest.mark.parametrize(("error", "first"), [(MemoryError, MemoryError), (DatabaseLostError, type(None))])
def test_the_writes_after_an_error_have_an_end(
    error: type[BaseException], first: type, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group is refused; of its writes, each executed alone, the second fails."""
    database = open_database(postgres)
    group, held = group_commit_of(database), Held(database, monkeypatch)
    Failing(held, _2=RunStoppedError("refused"), _4=error("lost"))
    errors = held.together(*(lambda name=name: group.commit(pace(name)) for name in "abcd"))  # type: ignore[misc]
    assert [type(some) for some in errors] == [first, *[DatabaseLostError] * 3]
    assert len(held.statements) == 4
    group.commit(pace("e"))
    assert accounts(database) == ["a", "e", "first"]


def test_a_thread_leads_if_the_one_that_led_has_ended(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What that one may have executed fails, and is not repeated."""
    monkeypatch.setattr(group_commit, "_CHECK_S", 0.01)
    database, ready = open_database(postgres), threading.Lock()
    group, ended = group_commit_of(database), threading.Thread()
    ready.acquire()
    taken = group_commit._Waiting(pace("taken"), ready)
    group._leader = group_commit._Waiting(pace("ended"), thread=ended)
    group._append(taken)
    group._take()
    waiting = threading.Thread(target=group.commit, args=(pace("waiting"),), daemon=True)
    waiting.start()
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()
    assert isinstance(taken.error, DatabaseLostError)
    assert "the thread that writes for others ended; the change may have taken effect" in str(taken.error)
    assert ready.acquire(timeout=0)
    group.commit(pace("next"))
    assert accounts(database) == ["next", "waiting"]


def test_a_thread_waits_as_long_as_the_one_that_leads_lives(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "_CHECK_S", 0.001)
    group, ready, checks = group_commit_of(open_database(postgres)), threading.Lock(), 0

    class Living(threading.Thread):
        def is_alive(self) -> bool:
            nonlocal checks
            checks += 1
            if checks == 3:
                ready.release()  # as after the execution of the write
            return True

    ready.acquire()
    leader = group._leader = group_commit._Waiting(pace("leader"), thread=Living())
    own = group_commit._Waiting(pace("own"), ready)
    group._append(own)
    group._wait(own, ready)
    assert (checks, group._leader, own.error) == (3, leader, None)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_responses_are_committed_after_an_unexpected_error(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(postgres)
    group, held = group_commit_of(database), Held(database, monkeypatch)
    Failing(held, _1=MemoryError())
    held._may_go.set()
    group.submit(pace("a"))
    thread = group._thread
    assert thread
    thread.join(PATIENCE_S)
    group.submit(pace("b"))
    wait_until(lambda: accounts(database) == ["b"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
def test_a_process_made_by_a_fork_leaves_locks_and_waiting_writes_to_its_parent(postgres: str) -> None:
    # In a separate process, since a fork of a process with threads is not safe.
    code = """
import os, signal, sys
from connector.state import group_commit
from connector.state.databases import open_database
from connector.state.group_commit import group_commit_of
from connector.state.group_statement import Write
def pace(account):
    return Write("pace", None, (account, 1, 1, [0.5], None), conflict_key=account)
group_commit.MAX_DELAY_S = 60.0
group = group_commit_of(open_database(sys.argv[1]))
group.submit(pace("response"))
with group._mutex:
    child = os.fork()
    if not child:
        signal.alarm(10)
        assert not group._queue
        group.commit(pace("child"))
        os._exit(0)
_, status = os.waitpid(child, 0)
group.commit(pace("parent"))
sys.exit(status != 0)
"""
    subprocess.run([sys.executable, "-c", code, postgres], check=True, timeout=60)
    assert accounts(open_database(postgres)) == ["child", "parent", "response"]
