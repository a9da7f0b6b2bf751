"""The state of a sync: the SQLite file `state.db`, for one pair of source and target accounts.

The file contains no secrets. Readers need no lock. A writer must hold `StateLock`; only the webhook receiver
writes without it, one delivery at a time.

Every method that writes commits at once, except inside `with state.transaction():`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.common import json_text
from connector.common.json_text import Json
from connector.errors import RunError, RunStoppedError
from connector.sync.state_lock import StateLock
from connector.sync.state_schema import STEPS, TABLES, VERSION

BUSY_S = 30.0
"""The maximum time in seconds to wait for the transaction of another connection to the file."""
DAY = 86_400.0
ITEMS_KEPT_S, RAW_KEPT_S = 90 * DAY, 7 * DAY


class StateFullError(RunStoppedError):
    """`state.db` cannot be written, for example on a full disk. The transaction is rolled back."""


@dataclass(frozen=True, slots=True)
class Link:
    """The link of a source record to a target record. If `target` is None, `note` describes a conflict."""

    entity: str
    source: int
    target: int | None
    method: str
    values_hash: str | None = None
    software_hash: str | None = None
    first_run: int | None = None
    last_run: int | None = None
    missing_since: float | None = None
    missing_runs: int = 0
    deactivated: bool = False
    pinned: bool = False
    note: str | None = None


_LINK = (
    "entity, source_id, target_id, method, values_hash, software_hash, first_run, last_run, "
    "missing_since, missing_runs, deactivated, pinned, note"
)


class State:
    """An open `state.db`. Without `write` it is read-only, and the file need not exist."""

    def __init__(self, folder: Path, *, write: bool, now: float = 0.0, lock: bool = True) -> None:
        """Open the state in a sync folder.

        With `lock` False, the file is opened for writing without the lock, as the webhook receiver does.
        Raises RunError if another process has the lock, the file has a newer format, or it is not the state
        of a sync.
        """
        self.path = folder / "state.db"
        self._lock = StateLock(folder) if write and lock else None
        if self._lock:
            self._lock.acquire(now)
        try:
            self._db = self._open(write)
        except BaseException:
            if self._lock:
                self._lock.release()
            raise
        self._depth = 0

    def _open(self, write: bool) -> sqlite3.Connection:
        exists = self.path.exists()
        if not write and not exists:
            return _empty()
        try:
            address = f"{self.path.absolute().as_uri()}?mode={'rwc' if write else 'ro'}"
            db = sqlite3.connect(
                address, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                db.close()
                raise RunError(
                    f"{self.path} was written by a newer version (format {version}, and this one reads "
                    f"{VERSION}): install that version, or use another folder"
                )
            if not write and version == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
                db.close()
                return _empty()  # The process that created the file ended before it wrote the tables.
            if write:
                self.path.chmod(0o600)
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=FULL")
                if version == 0:
                    db.executescript(f"BEGIN IMMEDIATE;{TABLES}PRAGMA user_version={VERSION};COMMIT;")
                elif version < VERSION:
                    _upgrade(db)
        except sqlite3.Error as error:
            raise RunError(f"{self.path}: cannot be used: {error}") from error
        return db

    def scratch(self) -> State:
        """Return a temporary copy without a lock, which can be written and is deleted when it is closed."""
        copy = State.__new__(State)
        copy.path, copy._lock, copy._depth = self.path, None, 0
        copy._db = sqlite3.connect("", isolation_level=None)
        self._db.backup(copy._db)
        return copy

    def __enter__(self) -> State:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and release the lock."""
        self._db.close()
        if self._lock:
            self._lock.release()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block in one transaction, rolled back after an error. Raises StateFullError."""
        if self._depth:
            yield
            return
        self._run("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
            self._run("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        finally:
            self._depth = 0

    @property
    def is_in_transaction(self) -> bool:
        """Whether a block of `transaction` is being executed."""
        return self._depth > 0

    def _run(self, statement: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, tuple(values))
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            if isinstance(error, sqlite3.IntegrityError):
                raise
            raise StateFullError(f"{self.path}: cannot be written: {error}") from error

    def run(self, statement: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """Execute one SQL statement. Only the modules of this package use it."""
        return self._run(statement, values)

    def require_pair(self, account: str, tenant: str) -> None:
        """Save the account and tenant of the state. Raises RunError if it has others."""
        self.check_pair(account, tenant)
        for key, value in (("account", account), ("tenant", tenant)):
            if self.meta(key) is None:
                self.set_meta(key, value)

    def check_pair(self, account: str, tenant: str) -> None:
        """Raise RunError if the state has another account or tenant."""
        for key, value in (("account", account), ("tenant", tenant)):
            known = self.meta(key)
            if known not in (None, value):
                raise RunError(
                    f"{self.path} belongs to the {key} {known}, but the connection is to {value}: "
                    "use a separate folder for each pair"
                )

    def meta(self, key: str) -> str | None:
        """Return the value of a key in the table `meta`; None if it is missing."""
        found = self._run("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def set_meta(self, key: str, value: str) -> None:
        """Set the value of a key in the table `meta`."""
        self._run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def links(self, entity: str, sources: Iterable[int] | None = None) -> dict[int, Link]:
        """Return the links of an entity, keyed by source id; with `sources`, only those of these records."""
        if sources is None:
            rows = self._run(f"SELECT {_LINK} FROM links WHERE entity = ?", (entity,))  # noqa: S608
            return {row[1]: _link(row) for row in rows}
        wanted = json_text.dumps(list(sources))
        query = (
            f"SELECT {_LINK} FROM links WHERE entity = ? AND source_id IN (SELECT value FROM json_each(?))"  # noqa: S608
        )
        return {row[1]: _link(row) for row in self._run(query, (entity, wanted))}

    def each_link(self, entity: str) -> Iterator[Link]:
        """Yield all links of an entity."""
        for row in self._run(f"SELECT {_LINK} FROM links WHERE entity = ?", (entity,)):  # noqa: S608
            yield _link(row)

    def links_to(self, entity: str, target: int) -> list[Link]:
        """Return the links to one target record."""
        query = f"SELECT {_LINK} FROM links WHERE entity = ? AND target_id = ?"  # noqa: S608
        return [_link(row) for row in self._run(query, (entity, target))]

    def link_count(self, entity: str) -> int:
        """Return the number of an entity's links that have a target record."""
        query = "SELECT count(*) FROM links WHERE entity = ? AND target_id IS NOT NULL"
        found: int = self._run(query, (entity,)).fetchone()[0]
        return found

    def save_link(self, link: Link) -> None:
        """Save a link. If another device is linked to the same asset, that link is deleted."""
        with self.transaction():
            if link.entity == "asset" and link.target is not None:
                self._run(
                    "DELETE FROM links WHERE entity = 'asset' AND target_id = ? AND source_id != ?",
                    (link.target, link.source),
                )
            values = (
                *(link.entity, link.source, link.target, link.method, link.values_hash, link.software_hash),
                *(link.first_run, link.last_run, link.missing_since, link.missing_runs),
                *(int(link.deactivated), int(link.pinned), link.note),
            )
            marks = ", ".join("?" * len(values))
            self._run(f"INSERT OR REPLACE INTO links({_LINK}) VALUES ({marks})", values)  # noqa: S608

    def save_hash(self, entity: str, source: int, value: str) -> None:
        """Save the hash of the values that the target record of a link already has."""
        self._run(
            "UPDATE links SET values_hash = ? WHERE entity = ? AND source_id = ?", (value, entity, source)
        )

    def drop_link(self, entity: str, source: int) -> None:
        """Delete the link of a source record."""
        self._run("DELETE FROM links WHERE entity = ? AND source_id = ?", (entity, source))

    def seen(self, entity: str, run: int, sources: Iterable[int]) -> None:
        """Save that a complete list of the run contained these records."""
        self._run(
            "UPDATE links SET last_run = ?, missing_since = NULL, missing_runs = 0 WHERE entity = ? "
            "AND source_id IN (SELECT value FROM json_each(?))",
            (run, entity, json_text.dumps(list(sources))),
        )

    def unseen(self, entity: str, run: int, now: float) -> None:
        """Save that a complete list did not contain the linked records for which `seen` was not called."""
        self._run(
            "UPDATE links SET missing_since = coalesce(missing_since, ?), missing_runs = missing_runs + 1 "
            "WHERE entity = ? AND last_run IS NOT ?",
            (now, entity, run),
        )

    def missing(self, entity: str) -> Iterator[Link]:
        """Yield the links whose source record was missing from the last complete list."""
        query = f"SELECT {_LINK} FROM links WHERE entity = ? AND missing_runs > 0 ORDER BY source_id"  # noqa: S608
        for row in self._run(query, (entity,)).fetchall():
            yield _link(row)

    def cursor(self, stream: str) -> str | None:
        """Return the saved position in a stream, as text; None if there is none."""
        found = self._run("SELECT value FROM cursors WHERE stream = ?", (stream,)).fetchone()
        return found[0] if found else None

    def set_cursor(self, stream: str, value: str, run: int) -> None:
        """Save the position in a stream. Call it in the transaction that saves the data up to there."""
        self._run("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)", (stream, value, run))

    def begin_run(self, kind: str, now: float) -> int:
        """Save the start of a run; return the number of the run."""
        run = self._run("INSERT INTO runs(kind, began) VALUES (?, ?)", (kind, now)).lastrowid
        assert run is not None
        return run

    def end_run(self, run: int, now: float, outcome: str, counts: Mapping[str, Json]) -> None:
        """Save the end, outcome and counts of a run."""
        self._run(
            "UPDATE runs SET ended = ?, outcome = ?, counts = ? WHERE id = ?",
            (now, outcome, json_text.dumps(dict(counts)), run),
        )

    def set_outcome(self, run: int, outcome: str) -> None:
        """Replace the outcome of a run that has ended."""
        self._run("UPDATE runs SET outcome = ? WHERE id = ?", (outcome, run))

    def last_counts(self) -> Mapping[str, Json]:
        """Return the counts of the last finished run; empty if there is none."""
        query = "SELECT counts FROM runs WHERE counts IS NOT NULL ORDER BY id DESC LIMIT 1"
        found = self._run(query).fetchone()
        counts: Mapping[str, Json] = json_text.loads(found[0]) if found else {}
        return counts

    def save_item(self, run: int, item: Mapping[str, Json], outcome: str) -> None:
        """Save the outcome of a plan item: `entity`, `source`, `op`, `target`, `changes` and `reason`."""
        values = (
            *(run, item["entity"], str(item["source"]), item["op"], item["target"]),
            *(json_text.dumps(item["changes"]), item["reason"], outcome),
        )
        self._run("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def items_of(self, entity: str, source: int | str, limit: int = 20) -> list[dict[str, Json]]:
        """Return the last items of a source record, newest first, with `run` and `outcome`."""
        query = (
            "SELECT run_id, op, target_id, changes, reason, outcome FROM items "
            "WHERE entity = ? AND source_id = ? ORDER BY run_id DESC LIMIT ?"
        )
        names = ("run", "op", "target", "changes", "reason", "outcome")
        rows = self._run(query, (entity, str(source), limit)).fetchall()
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return [{**row, "changes": json_text.loads(row["changes"] or "[]")} for row in found]

    def unmatched(self) -> Iterator[dict[str, Json]]:
        """Yield the source records whose last saved item is a skip or a conflict."""
        names = ("entity", "source", "op", "target", "reason", "run")
        rows = self._run(
            "SELECT entity, source_id, op, target_id, reason, run_id FROM items AS item "
            "WHERE op IN ('skip', 'conflict') AND run_id = (SELECT max(run_id) FROM items "
            "WHERE entity = item.entity AND source_id = item.source_id) "
            "ORDER BY entity, op, CAST(source_id AS INTEGER), source_id"
        )
        yield from (dict(zip(names, row, strict=True)) for row in rows.fetchall())

    def runs(self, limit: int = 20) -> list[dict[str, Json]]:
        """Return the last runs as JSON objects, newest first."""
        names = ("run", "kind", "began", "ended", "outcome", "counts")
        query = "SELECT id, kind, began, ended, outcome, counts FROM runs ORDER BY id DESC LIMIT ?"
        found = [dict(zip(names, row, strict=True)) for row in self._run(query, (limit,)).fetchall()]
        return [{**row, "counts": json_text.loads(row["counts"] or "{}")} for row in found]

    def prune(self, now: float) -> None:
        """Delete items of runs after 90 days, and the bodies of webhook deliveries after 7 days.

        The age is relative to `now`, in epoch seconds.
        """
        with self.transaction():
            old = "SELECT id FROM runs WHERE began < ?"
            self._run(f"DELETE FROM items WHERE run_id IN ({old})", (now - ITEMS_KEPT_S,))  # noqa: S608
            self._run(
                "DELETE FROM runs WHERE began < ? AND id < (SELECT max(id) FROM runs)", (now - ITEMS_KEPT_S,)
            )
            self._run("UPDATE inbox SET raw = NULL WHERE done < ? AND raw IS NOT NULL", (now - RAW_KEPT_S,))
            self._run("DELETE FROM inbox WHERE done < ?", (now - ITEMS_KEPT_S,))
            self._run("DELETE FROM outbox WHERE outcome IS NOT NULL AND began < ?", (now - ITEMS_KEPT_S,))
            self._run("DELETE FROM alerts WHERE state = 'CLOSED' AND closed_at < ?", (now - ITEMS_KEPT_S,))


def conflict_of(link: Link) -> Mapping[str, Any]:
    """Return the `candidates`, their `names` and the `reason` of a link that is a conflict."""
    found: Mapping[str, Any] = json_text.loads(link.note or "{}")
    return found


def _link(row: tuple[Any, ...]) -> Link:
    values = [*row[:10], bool(row[10]), bool(row[11]), row[12]]
    return Link(*values)


def _empty() -> sqlite3.Connection:
    """Return an empty state that is not saved."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(TABLES)
    return db


def _upgrade(db: sqlite3.Connection) -> None:
    """Convert the tables to those of this version, all in one transaction."""
    db.execute("BEGIN IMMEDIATE")
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()  # Another process may have been faster.
        for step in range(version, VERSION):
            for statement in STEPS[step]:
                db.execute(statement)
        db.execute(f"PRAGMA user_version={VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
