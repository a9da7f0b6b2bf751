"""The store of requests with an `Idempotency-Key`, so that a caller's retry never sends twice.

It is the SQLite file `repeats.db` in the state folder, and all server processes of a user share it. The key
and the digest of the request are committed before anything is sent; so is each API request that must not be
repeated, and then its response. After a crash, the same request continues where the first one ended.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from connector.common import json_text
from connector.common.clock import Clock
from connector.common.file_lock import FileLock, Timeout
from connector.common.json_text import Json
from connector.common.redaction import Redactor
from connector.common.user_folders import lasting_folder
from connector.errors import RunError, RunStoppedError, file_errors
from connector.files.envelope import Envelope
from connector.files.sent_requests import SentRequests, answer_text
from connector.http.digest import request_digest
from connector.http.messages import Request, Response

KEPT_S = 86_400.0
"""The time in seconds for which envelopes are kept."""
VERSION = 2
BUSY_S = 30.0
"""The maximum time in seconds to wait for the transaction of another process."""

_TABLES = """
CREATE TABLE requests (
  id INTEGER PRIMARY KEY, caller TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL,
  process TEXT NOT NULL, started REAL NOT NULL, finished REAL, UNIQUE (caller, key));
CREATE TABLE steps (
  request INTEGER NOT NULL REFERENCES requests ON DELETE CASCADE, row INTEGER NOT NULL,
  step INTEGER NOT NULL, sent TEXT NOT NULL, answer TEXT, PRIMARY KEY (request, row, step)) WITHOUT ROWID;
CREATE TABLE envelopes (
  request INTEGER NOT NULL REFERENCES requests ON DELETE CASCADE, row INTEGER NOT NULL,
  item INTEGER NOT NULL, line BLOB NOT NULL, PRIMARY KEY (request, row, item));
CREATE INDEX by_started ON requests (started);
"""
_FROM_VERSION_1 = """
ALTER TABLE requests RENAME COLUMN begun TO started;
DROP INDEX by_begun;
CREATE INDEX by_started ON requests (started);
"""


class KeyReusedError(RunError):
    """The key was used for another request."""


class InProgressError(RunError):
    """The first request with this key has not ended."""


@dataclass(frozen=True)
class _Claim:
    """A request that this process is running: its id in the store, and whether it is a repeated one."""

    id: int
    is_repeated: bool


class RepeatStore:
    """The requests with a key. Safe for threads and processes; a process opens the file at its first use."""

    def __init__(self, clock: Clock, folder: Path | None = None) -> None:
        self._clock, self._given = clock, folder
        self._lock = threading.RLock()
        self._opened_by = 0
        self._running: set[int] = set()

    @contextmanager
    def running(self, caller: str, key: str, digest: str) -> Iterator[Repeat]:
        """Context in which a request runs, which has been committed to the store.

        Raises KeyReusedError, InProgressError, and RunError if the store cannot be used.
        """
        claim = self._claimed(caller, key, digest)
        try:
            yield Repeat(self, claim.id, claim.is_repeated)
        finally:
            self._release(claim.id)

    def _release(self, id: int) -> None:
        """Note that a request no longer runs, so that a repeated one can continue it."""
        with self._lock, suppress(RunStoppedError):
            if id in self._running:
                self._running.discard(id)
                ended = self._clock.now()
                self.write("UPDATE requests SET process = '', started = ? WHERE id = ?", [(ended, id)])

    def _claimed(self, caller: str, key: str, digest: str) -> _Claim:
        with self._lock:
            try:
                with self._transaction() as db:
                    now = self._clock.now()
                    self._purge(db, now)
                    claim = self._claim(db, caller, key, digest, now)
            except sqlite3.Error as error:
                raise RunError(f"{self._path}: cannot be used: {error}") from error
            return claim

    def _purge(self, db: sqlite3.Connection, now: float) -> None:
        """Delete requests that have not run for `KEPT_S`. One whose process crashed is kept from now on."""
        before = now - KEPT_S
        old = db.execute(
            "SELECT id, process, finished FROM requests "
            "WHERE started < ? AND coalesce(finished, started) < ?",
            (before, before),
        ).fetchall()
        for id, process, finished in old:
            if finished is not None or not process:
                db.execute("DELETE FROM requests WHERE id = ?", (id,))
            elif id not in self._running and not self._is_alive(process):
                db.execute("UPDATE requests SET process = '', started = ? WHERE id = ?", (now, id))

    def _claim(self, db: sqlite3.Connection, caller: str, key: str, digest: str, now: float) -> _Claim:
        found = db.execute(
            "SELECT id, digest, process, finished FROM requests WHERE caller = ? AND key = ?", (caller, key)
        ).fetchone()
        if found is None:
            id = secrets.randbits(62)  # random, because SQLite would use the id of a deleted request again
            db.execute(
                "INSERT INTO requests (id, caller, key, digest, process, started) VALUES (?, ?, ?, ?, ?, ?)",
                (id, caller, key, digest, self._process, now),
            )
            self._running.add(id)
            return _Claim(id, False)
        id, first_digest, process, finished = found
        if first_digest != digest:
            raise KeyReusedError(f'the Idempotency-Key "{key}" was used for another request: use a new one')
        if finished is not None:
            return _Claim(id, True)
        if id in self._running or self._is_alive(process):
            raise InProgressError(f'the first request with the Idempotency-Key "{key}" has not ended')
        db.execute("UPDATE requests SET process = ?, started = ? WHERE id = ?", (self._process, now, id))
        self._running.add(id)
        return _Claim(id, True)

    def _is_alive(self, process: str) -> bool:
        """Return whether another process that runs a request has not ended."""
        if process in ("", self._process):
            return False
        lock = _lock_of(self._folder, process)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        with suppress(OSError):
            os.unlink(lock.lock_file)
        return False

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Context of one transaction, which is on the disk afterwards. Raises sqlite3.Error, RunError."""
        with self._lock:
            self._open()
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise

    def _open(self) -> None:
        """Open the file, once in each process: connections must not be used after a fork."""
        if self._opened_by == os.getpid():
            return
        self._folder = self._given or lasting_folder() / "serve"
        self._path = self._folder / "repeats.db"
        with file_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        db = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            self._path.chmod(0o600)
            _create(db, self._path)
            process = secrets.token_hex(16)
            alive = _lock_of(self._folder, process)
            with file_errors(self._folder):
                alive.acquire(timeout=0)
        except BaseException:
            db.close()
            raise
        self._db, self._process, self._alive = db, process, alive
        self._running = set()
        self._opened_by = os.getpid()

    def close(self) -> None:
        """Close the file, and release the lock by which other processes see that this one is alive."""
        with self._lock:
            if self._opened_by == os.getpid():
                self._opened_by = 0
                self._db.close()
                self._alive.release()
                with suppress(OSError):
                    os.unlink(self._alive.lock_file)

    def finish(self, id: int) -> None:
        """Note that all rows of a request have ended. Raises RunStoppedError."""
        finished = "UPDATE requests SET finished = ? WHERE id = ? AND finished IS NULL"
        self.write(finished, [(self._clock.now(), id)])

    def write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Execute a statement for each row of values, in one transaction. Raises RunStoppedError."""
        try:
            with self._transaction() as db:
                db.executemany(statement, rows)
        except (sqlite3.Error, RunError) as error:
            raise RunStoppedError(f"{self._path}: cannot be written: {error}") from error

    def read(self, statement: str, values: tuple[object, ...]) -> list[tuple[Json, ...]]:
        """Return the rows that a statement selects. Raises RunStoppedError."""
        try:
            with self._lock:
                self._open()
                return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise RunStoppedError(f"{self._path}: cannot be read: {error}") from error


def _lock_of(folder: Path, process: str) -> FileLock:
    """Return the lock that a process holds as long as it is alive."""
    return FileLock(folder / f"{process}.lock", mode=0o600, thread_local=False)


def _create(db: sqlite3.Connection, path: Path) -> None:
    """Create the tables, or convert those of an older version. Raises RunError for a newer version."""
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA foreign_keys=ON")
    db.execute("BEGIN IMMEDIATE")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise RunError(
            f"{path} has format {version}, and this version reads {VERSION}: install the newer one"
        )
    if version < VERSION:
        for statement in (_TABLES if version == 0 else _FROM_VERSION_1).split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version={VERSION}")
    db.execute("COMMIT")


def is_tried_again(envelope: Envelope) -> bool:
    """Return whether a repeated request runs a row again: a passing failure, or a refused sign-in."""
    meta = envelope.meta
    return bool(meta.get("transient")) or (meta["code"] == "auth_failed" and meta.get("repeatable") is True)


class Repeat:
    """A request in the store, as the `exchange.Recorder` of its rows."""

    def __init__(self, store: RepeatStore, id: int, is_repeated: bool) -> None:
        self._store, self._id, self.is_repeated = store, id, is_repeated
        self._earlier = SentRequests()
        self.redactor = Redactor()
        """Hides the secrets of the connection in recorded responses."""
        if is_repeated:
            steps = store.read("SELECT row, step, sent, answer FROM steps WHERE request = ?", (id,))
            for row, step, sent, answer in steps:
                self._earlier.note(row, step, json_text.loads(sent))
                if answer is not None:
                    self._earlier.note(row, step, {"answer": json_text.loads(answer)})

    def lines(self, row: int) -> list[bytes]:
        """Return the envelopes of a row as lines; none if the row has not ended, or is tried again."""
        if not self.is_repeated:
            return []
        select = "SELECT line FROM envelopes WHERE request = ? AND row = ? ORDER BY item"
        lines = [bytes(line) for (line,) in self._store.read(select, (self._id, row))]
        if lines:
            last = Envelope.from_json(json_text.loads(lines[-1].decode()))
            if last.ends_row and not is_tried_again(last):
                return lines
            self._store.write("DELETE FROM envelopes WHERE request = ? AND row = ?", [(self._id, row)])
        return []

    def keep(self, row: int, first: int, lines: Sequence[bytes]) -> None:
        """Store lines of a row's envelopes; `first` is the index of the first one. Raises RunStoppedError."""
        rows = [(self._id, row, first + n, line) for n, line in enumerate(lines)]
        self._store.write("INSERT OR REPLACE INTO envelopes VALUES (?, ?, ?, ?)", rows)

    def finish(self) -> None:
        """Note that all rows have ended. Raises RunStoppedError."""
        self._store.finish(self._id)

    def has_sent(self, row: int) -> bool:
        """Return whether an earlier request has sent an API request of a row that must not be repeated."""
        return self._earlier.has_sent(row)

    def recorded(self, row: int, step: int, request: Request) -> Response | None:
        """Return a recorded response; see `SentRequests.recorded`."""
        return self._earlier.recorded(row, step, request)

    def sent(self, row: int, step: int, request: Request) -> None:
        """Record an API request before it is sent. Raises RunStoppedError: then it must not be sent."""
        entry = json_text.dump_bytes({"sent": str(request), "request": request_digest(request)}).decode()
        self._store.write(
            "INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, NULL)", [(self._id, row, step, entry)]
        )

    def require_held(self) -> None:
        """Do nothing: no other process has the request."""

    def require_lease(self) -> bool:
        """Return False: there is no lease."""
        return False

    def answered(self, row: int, step: int, response: Response) -> None:
        """Record the response. If that fails, a repeated request reports an unknown outcome."""
        answer = answer_text(response, self.redactor)
        with suppress(RunStoppedError):
            self._store.write(
                "UPDATE steps SET answer = ? WHERE request = ? AND row = ? AND step = ?",
                [(answer, self._id, row, step)],
            )

    def refused(self, row: int, step: int) -> None:
        """Record that the API request had no effect. If that fails, its outcome is reported as unknown."""
        with suppress(RunStoppedError):
            self._store.write(
                "DELETE FROM steps WHERE request = ? AND row = ? AND step = ?", [(self._id, row, step)]
            )
