"""Locks in a database, for processes on all machines and threads of this one.

A lock is released with the connection that holds it: when its process ends, or within seconds after its
machine fails.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import AbstractContextManager
from threading import Lock
from weakref import WeakKeyDictionary

from connector.state.database import Database, DatabaseLostError, Transaction

POLL_S = 0.1
"""The interval between attempts to take a lock, in seconds."""
LOST_S = 2.0
"""The time without attempts to take a lock after the database was lost, in seconds."""


class Locks:
    """The locks that this process holds, on one connection. Safe for threads.

    The connection is open while a lock is held or awaited. Methods raise RunStoppedError if the database
    cannot be used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._mutex = Lock()
        self._held: set[str] = set()
        self._waiting = 0
        self._lost, self._lost_until = "", 0.0
        self._session: Transaction | None = None
        self._context: AbstractContextManager[Transaction] | None = None
        self._process = os.getpid()
        self._inherited: AbstractContextManager[Transaction] | None = None

    def take(self, name: str, wait_s: float = 0.0) -> bool:
        """Take a lock, and return True; return False if another process or thread holds it for `wait_s`."""
        end = time.monotonic() + wait_s
        with self._mutex:
            self._waiting += 1
        try:
            while not self._try(name):
                if time.monotonic() >= end:
                    return False
                time.sleep(POLL_S)
            return True
        finally:
            with self._mutex:
                self._waiting -= 1
                self._close_unless_used()

    def release(self, name: str) -> None:
        """Release a lock. If the connection is lost, the database has released it already."""
        with self._mutex:
            self._held.discard(name)
            if self._session and (self._held or self._waiting):
                try:
                    self._run("SELECT pg_advisory_unlock(%s)", name)
                except DatabaseLostError:
                    self._close()
            self._close_unless_used()

    def _try(self, name: str) -> bool:
        with self._mutex:
            self._leave_parent()
            if name in self._held:
                return False
            if time.monotonic() < self._lost_until:
                raise DatabaseLostError(self._lost)
            try:
                is_taken = self._run("SELECT pg_try_advisory_lock(%s)", name)
            except DatabaseLostError as error:
                self._close()
                self._lost, self._lost_until = str(error), time.monotonic() + LOST_S
                raise
            if is_taken:
                self._held.add(name)
            return is_taken

    def _leave_parent(self) -> None:
        """In a process made by a fork, leave the connection and its locks to the parent."""
        if self._process != os.getpid():
            self._inherited = self._context
            self._session = self._context = None
            self._held, self._waiting = set(), 1
            self._process = os.getpid()

    def _run(self, statement: str, name: str) -> bool:
        with self._database.errors():
            if self._session is None:
                context = self._database.session()
                self._session, self._context = context.__enter__(), context
            ((result,),) = self._session.run(statement, [_number(name)])
        return bool(result)

    def _close_unless_used(self) -> None:
        if not (self._held or self._waiting):
            self._close()

    def _close(self) -> None:
        if self._context is not None:
            self._context.__exit__(None, None, None)
        self._session = self._context = None


def _number(name: str) -> int:
    """Return the number of a lock."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


_LOCKS: WeakKeyDictionary[Database, Locks] = WeakKeyDictionary()
_MUTEX = Lock()


def locks_of(database: Database) -> Locks:
    """Return the locks of this process in a database."""
    with _MUTEX:
        return _LOCKS.setdefault(database, Locks(database))
