"""The databases that this process uses, with their tables."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from weakref import WeakSet

from connector.errors import RunError, RunStoppedError
from connector.state.database import Database, DatabaseLostError
from connector.state.migrate import migrate
from connector.state.tried_once import attempt

_DATABASES: dict[tuple[str, int], Database] = {}
"""The databases of this process; a child process made by a fork does not use those of its parent."""
_MIGRATED: WeakSet[Database] = WeakSet()
"""Those whose tables are known to be those of this version."""
_LOCK = Lock()


def open_database(url: str) -> Database:
    """Return the database at a URL, with its tables: one object per URL and process.

    Raises RunError, which is transient if the database cannot be reached.
    """
    key = url, os.getpid()
    with _LOCK:
        database = _DATABASES.get(key) or _DATABASES.setdefault(key, Database(url))
    with attempt(url), nothing_sent():
        if database in _MIGRATED:
            database.check()
            return database
        try:
            migrate(database)
        except (RunError, RunStoppedError):
            database.close()
            raise
        _MIGRATED.add(database)
    return database


@contextmanager
def nothing_sent() -> Iterator[None]:
    """Context of statements before a run sends anything: their errors are RunErrors."""
    try:
        yield
    except RunStoppedError as error:
        failure = RunError(str(error))
        failure.transient = isinstance(error, DatabaseLostError)
        raise failure from error


@atexit.register
def close_databases() -> None:
    """Close the databases of this process."""
    for (_, process), database in list(_DATABASES.items()):
        if process == os.getpid():
            database.close()
    _DATABASES.clear()
