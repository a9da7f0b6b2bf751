"""Group commit: what the threads of a process write at the same time is one transaction.

A thread that writes while no other one does executes what is waiting; the others wait for it. So a thread
alone waits no longer than for a transaction of its own, and many threads share one, and its wait for the
disk. Some writes are not awaited: they are executed with the next ones, at the latest `SOON_S` later.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from weakref import WeakKeyDictionary

from connector.errors import RunStoppedError
from connector.state.database import Database, DatabaseLostError, Row
from connector.state.group_statement import Write, execute

SOON_S = 0.005
"""The maximum time until a write that is not awaited is executed, in seconds."""
_IDLE_S = 1.0
"""The time after which the thread for writes that are not awaited ends, in seconds."""
_BYTES = 4 << 20
"""The maximum size of the writes of a transaction, except a single one that is larger."""
_BYTES_WAITING = 1 << 20
"""The size of waiting writes from which on each write is awaited."""


@dataclass(eq=False)
class _Waiting:
    """A write that waits for its transaction; `ready` is locked until it is done, if it is awaited."""

    write: Write
    ready: Lock | None = None
    leads: bool = False
    is_done: bool = False
    rows: list[Row] = field(default_factory=list)
    error: RunStoppedError | None = None


class GroupCommit:
    """The writes of this process to a database. Safe for threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._start()

    def _start(self) -> None:
        self._mutex, self._process = Lock(), os.getpid()
        self._queue: list[_Waiting] = []
        self._size = 0
        self._is_led = False
        self._thread: Thread | None = None
        self._wake = Event()

    def run(self, write: Write) -> list[Row]:
        """Commit a write and return its rows; none if this process does not hold its part (any more).

        Raises RunStoppedError.
        """
        waiting = _Waiting(write, Lock())
        assert waiting.ready is not None
        waiting.ready.acquire()
        self._leave_parent()
        with self._mutex:
            self._append(waiting)
            leads, self._is_led = not self._is_led, True
        if leads:
            self._lead(waiting)
        else:
            self._wait(waiting, waiting.ready)
        if waiting.error:
            raise waiting.error
        return waiting.rows

    def submit(self, write: Write) -> None:
        """Commit a write soon, if possible: it is lost if the database is, or this process is killed."""
        self._leave_parent()
        if self._size > _BYTES_WAITING:
            with suppress(RunStoppedError):
                self.run(write)
            return
        with self._mutex:
            self._append(_Waiting(write))
            if self._thread is None:
                thread = Thread(target=self._commit_soon, name="commit", daemon=True)
                with suppress(RuntimeError):  # It is executed with the next write that is awaited.
                    thread.start()
                    self._thread = thread
        if not self._wake.is_set():
            self._wake.set()

    def _leave_parent(self) -> None:
        """In a process made by a fork, leave what is waiting to its parent."""
        if self._process != os.getpid():
            self._start()

    def _append(self, waiting: _Waiting) -> None:
        self._queue.append(waiting)
        self._size += waiting.write.size

    def _wait(self, waiting: _Waiting, ready: Lock) -> None:
        """Wait until a write is done, or until its thread has to execute what is waiting."""
        try:
            ready.acquire()
        except BaseException:  # such as KeyboardInterrupt
            with self._mutex:
                waiting.ready = None
            if waiting.leads:
                self._lead(None)
            raise
        if waiting.leads:
            self._lead(waiting)

    def _lead(self, own: _Waiting | None) -> None:
        """Execute what is waiting, until `own` is done; then leave the rest to the next thread that waits."""
        try:
            while True:
                self._commit(self._take())
                if own is None or own.is_done:
                    return
        finally:
            with self._mutex:
                following = next((waiting for waiting in self._queue if waiting.ready), None)
                self._is_led = following is not None
                if following and following.ready:
                    following.leads = True
                    following.ready.release()

    def _take(self) -> list[_Waiting]:
        """Return the waiting writes of the next transaction, in order."""
        with self._mutex:
            taken: list[_Waiting] = []
            left: list[_Waiting] = []
            places = set()
            size = 0
            for waiting in self._queue:
                write = waiting.write
                if (taken and size + write.size > _BYTES) or write.place in places:
                    left.append(waiting)
                    size += write.size  # so that the order of large writes is kept
                    continue
                taken.append(waiting)
                size += write.size
                if write.place is not None:
                    places.add(write.place)
            self._queue = left
            self._size = sum(waiting.write.size for waiting in left)
            return taken

    def _commit(self, taken: Sequence[_Waiting]) -> None:
        if not taken:
            return
        try:
            found = execute(self._database, [waiting.write for waiting in taken])
        except RunStoppedError as error:
            if len(taken) > 1 and not isinstance(error, DatabaseLostError):
                for waiting in taken:  # one of them is refused, and should not affect the others
                    self._commit([waiting])
            else:
                self._end(taken, [[]] * len(taken), error)
        except BaseException:
            self._end(taken, [[]] * len(taken), RunStoppedError("the run was interrupted"))
            raise
        else:
            self._end(taken, found)

    def _end(
        self, taken: Sequence[_Waiting], found: Sequence[list[Row]], error: RunStoppedError | None = None
    ) -> None:
        """Set the results of writes, and wake their threads."""
        with self._mutex:
            for waiting, rows in zip(taken, found, strict=True):
                waiting.rows = rows
                # A copy, as an error keeps the places where it was raised.
                waiting.error = type(error)(str(error)) if error else None
                waiting.is_done = True
                if waiting.ready and not waiting.leads:
                    waiting.ready.release()

    def _commit_soon(self) -> None:
        """Commit the writes that are not awaited; the target function of their thread."""
        wake = self._wake
        while True:
            if not wake.wait(_IDLE_S):
                with self._mutex:
                    if not self._queue:
                        self._thread = None
                        return
            wake.clear()
            time.sleep(SOON_S)
            with self._mutex:
                leads = bool(self._queue) and not self._is_led
                self._is_led = self._is_led or leads
            if leads:
                self._lead(None)


_GROUPS: WeakKeyDictionary[Database, GroupCommit] = WeakKeyDictionary()
_MUTEX = Lock()


def group_of(database: Database) -> GroupCommit:
    """Return the group commit of this process in a database."""
    group = _GROUPS.get(database)
    if group is None:
        with _MUTEX:
            group = _GROUPS.setdefault(database, GroupCommit(database))
    return group
