"""Group commit: what the threads of a process write at the same time is one transaction.

A thread that writes while no other one does executes what is waiting; the others wait for it. So a thread
alone waits no longer than for a transaction of its own, and many threads share one, and its wait for the
disk. Some writes are not awaited: they are executed with the next ones, at the latest `MAX_DELAY_S` later.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread, current_thread
from weakref import WeakKeyDictionary

from connector.errors import RunStoppedError
from connector.state.database import Database, DatabaseLostError, Row, StatementRolledBackError
from connector.state.group_statement import Write, execute

MAX_DELAY_S = 0.005
"""The maximum time until a write that is not awaited is executed, in seconds."""
_IDLE_S = 1.0
"""The time after which the thread for writes that are not awaited ends, in seconds."""
_BYTES = 4 << 20
"""The maximum size of the writes of a transaction, except a single one that is larger."""
_BYTES_WAITING = 1 << 20
"""The size of waiting writes from which on each write is awaited."""
_CHECK_S = 5.0
"""The interval in which a thread that waits checks whether the one that executes writes has ended."""
_MAX_ROLLED_BACK = 2
"""The number of writes that the database rolls back, each executed alone, after which the others fail, too.

Each can take as long as the time limit of a statement."""


@dataclass(eq=False)
class _Waiting:
    """A write that waits for its transaction; `ready` is locked until its thread may go on."""

    write: Write
    ready: Lock | None = None
    """None if the write is not awaited (any more)."""
    is_done: bool = False
    rows: list[Row] = field(default_factory=list)
    error: RunStoppedError | None = None
    thread: Thread = field(default_factory=current_thread)
    """The thread that leads if this write does."""


class GroupCommit:
    """The writes of this process to a database. Safe for threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.start()

    def start(self) -> None:
        """Start with nothing waiting, as a process made by a fork does: its parent has the writes."""
        self._mutex = Lock()
        self._queue: list[_Waiting] = []
        self._size = 0
        self._leader: _Waiting | None = None
        """The write whose thread executes what is waiting."""
        self._taken: list[_Waiting] = []
        """The writes that it has taken from the queue."""
        self._thread: Thread | None = None
        self._wake = Event()

    def commit(self, write: Write) -> list[Row]:
        """Commit a write and return its rows; none if this process does not hold its part (any more).

        Raises RunStoppedError.
        """
        ready = Lock()
        ready.acquire()
        own = _Waiting(write, ready)
        try:
            with self._mutex:
                self._append(own)
                self._leader = self._leader or own
            if self._leader is not own:
                self._wait(own, ready)
            while not own.is_done:  # It leads.
                self._commit_batch(self._take())
        finally:  # also after an exception such as KeyboardInterrupt
            if self._leader is own or not own.is_done:
                self._leave(own)
        if own.error:
            raise own.error
        return own.rows

    def submit(self, write: Write) -> None:
        """Commit a write soon, if possible: it is lost if the database is, or this process is killed."""
        if self._size > _BYTES_WAITING:
            with suppress(RunStoppedError):
                self.commit(write)
            return
        with self._mutex:
            self._append(_Waiting(write))
            if self._thread is None or not self._thread.is_alive():
                thread = Thread(target=self._commit_soon, name="commit", daemon=True)
                with suppress(RuntimeError):  # It is executed with the next write that is awaited.
                    thread.start()
                    self._thread = thread
        if not self._wake.is_set():
            self._wake.set()

    def _wait(self, own: _Waiting, ready: Lock) -> None:
        """Wait until a write is executed, or its thread leads, as it does if the one that led has ended."""
        while not ready.acquire(timeout=_CHECK_S):
            with self._mutex:
                if own.is_done or self._leader is own:
                    return
                if self._leader and self._leader.thread.is_alive():
                    continue  # The wait can be long: each transaction of a long queue has a time limit.
                self._leader, taken = own, self._taken
            self._fail(taken, self._lost("the thread that writes for others ended"))
            return

    def _append(self, waiting: _Waiting) -> None:
        self._queue.append(waiting)
        self._size += waiting.write.size

    def _leave(self, own: _Waiting) -> None:
        """Wait no longer for a write. If it leads, leave the rest to the next thread that waits."""
        with self._mutex:
            own.ready = None
            if not own.is_done and own in self._queue:
                self._queue.remove(own)
                self._size -= own.write.size
            if self._leader is own:
                self._taken = []
                self._leader = next((waiting for waiting in self._queue if waiting.ready), None)
                if self._leader and self._leader.ready:
                    self._leader.ready.release()
                elif self._queue:
                    self._wake.set()

    def _take(self) -> list[_Waiting]:
        """Return the waiting writes of the next transaction, in order."""
        with self._mutex:
            taken: list[_Waiting] = []
            left: list[_Waiting] = []
            conflict_keys = set()
            size = 0
            for waiting in self._queue:
                write = waiting.write
                if (taken and size + write.size > _BYTES) or write.conflict_key in conflict_keys:
                    left.append(waiting)
                    size += write.size  # so that the order of large writes is kept
                    continue
                taken.append(waiting)
                size += write.size
                if write.conflict_key is not None:
                    conflict_keys.add(write.conflict_key)
            self._queue, self._taken = left, taken
            self._size = sum(waiting.write.size for waiting in left)
            return taken

    def _commit_batch(self, taken: Sequence[_Waiting]) -> None:
        """Execute writes, and set their results, also if an exception is raised."""
        try:
            self._execute(taken)
        except DatabaseLostError as error:
            self._fail(taken, error)
        except BaseException:
            self._fail(taken, self._lost("the thread that writes for others was interrupted"))
            raise

    def _execute(self, taken: Sequence[_Waiting]) -> None:
        """Execute writes in one transaction; each alone if it had no effect. Raises DatabaseLostError."""
        if not taken:
            return
        try:
            found = execute(self._database, [waiting.write for waiting in taken])
        except RunStoppedError as error:
            if isinstance(error, DatabaseLostError) and not isinstance(error, StatementRolledBackError):
                raise
            if len(taken) == 1:
                self._fail(taken, error)
            else:
                self._execute_each(taken)
        else:
            with self._mutex:
                for waiting, rows in zip(taken, found, strict=True):
                    waiting.rows = rows
                    self._end(waiting)

    def _execute_each(self, taken: Sequence[_Waiting]) -> None:
        """Execute each write alone, in order: one that fails should not affect the others."""
        rolled_back = 0
        for waiting in taken:
            self._execute([waiting])
            if isinstance(waiting.error, StatementRolledBackError):
                rolled_back += 1
                if rolled_back == _MAX_ROLLED_BACK:
                    raise waiting.error

    def _fail(self, taken: Sequence[_Waiting], error: RunStoppedError) -> None:
        """Set the error of the writes that have no result."""
        with self._mutex:
            for waiting in taken:
                if not waiting.is_done:
                    # A copy, as an error keeps the places where it was raised.
                    waiting.error = type(error)(str(error))
                    self._end(waiting)

    def _end(self, waiting: _Waiting) -> None:
        """Wake the thread of a write."""
        waiting.is_done = True
        if waiting.ready and waiting is not self._leader:
            waiting.ready.release()

    def _lost(self, reason: str) -> DatabaseLostError:
        return DatabaseLostError(f"{self._database.shown}: {reason}; the change may have taken effect")

    def _commit_soon(self) -> None:
        """Commit the writes that are not awaited; the target function of their thread."""
        wake = self._wake
        own = _Waiting(Write("nothing", None, (), durable=False))
        while True:
            if not wake.wait(_IDLE_S):
                with self._mutex:
                    if not self._queue:
                        self._thread = None
                        return
            wake.clear()
            time.sleep(MAX_DELAY_S)
            try:
                with self._mutex:
                    if self._queue and self._leader is None:
                        self._leader = own
                if self._leader is own:
                    self._commit_batch(self._take())
            finally:
                if self._leader is own:
                    self._leave(own)


_GROUP_COMMITS: WeakKeyDictionary[Database, GroupCommit] = WeakKeyDictionary()


def group_commit_of(database: Database) -> GroupCommit:
    """Return the group commit of this process in a database."""
    # `setdefault` is atomic. A lock could be held by another thread at a fork.
    return _GROUP_COMMITS.get(database) or _GROUP_COMMITS.setdefault(database, GroupCommit(database))


def _start_all() -> None:
    for group in list(_GROUP_COMMITS.values()):
        group.start()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_start_all)
