"""The thread that commits for others: it is interrupted, fails, ends, or is in another process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from connector.errors import RunStoppedError
from connector.state import group_commit
from connector.state.database import DatabaseLostError, Row
from connector.state.databases import open_database
from connector.state.group_commit import group_commit_of
from tests.fakes import wait_until
from tests.loopback import PATIENCE_S
from tests.state.commits import Held, accounts, pace


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
