"""The state of a sync: `state.db`, one SQLite file for each pair of an account and a tenant.

It holds no secret: for devices it has links, hashes, and the old and new values of changes. Readers take no
lock. A writer holds `StateLock`; only the receiver of webhooks writes without it, one row at a time.

Every method that writes commits, unless it is inside `with state.transaction():`.
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
from connector.sync.state_schema import TABLES, VERSION

BUSY_S = 30.0
"""The maximum time that a writer waits for another writer's transaction, in seconds."""
DAY = 86_400.0
ITEMS_KEPT_S, RAW_KEPT_S = 90 * DAY, 7 * DAY


class StateFullError(RunStoppedError):
    """The state cannot be written, for example on a full disk. The transaction is rolled back."""


@dataclass(frozen=True, slots=True)
class Link:
    """A source record's link. Without a `target`, `note` has the last decision: a conflict."""

    entity: str
    source: int
    target: int | None
    method: str
    values_hash: str | None = None
    seen_hash: str | None = None
    software_hash: str | None = None
    first_run: int | None = None
    last_run: int | None = None
    missing_since: float | None = None
    missing_runs: int = 0
    deactivated: bool = False
    pinned: bool = False
    note: str | None = None


_LINK = (
    "entity, source_id, target_id, method, values_hash, seen_hash, software_hash, first_run, last_run, "
    "missing_since, missing_runs, deactivated, pinned, note"
)


class State:
    """An open `state.db`. Without `write` nothing can be changed, and the file need not exist."""

    def __init__(self, folder: Path, *, write: bool, now: float = 0.0, lock: bool = True) -> None:
        """Open the state in a folder.

        With `lock` False, a writer shares the file with the one that has the lock; only the receiver does
        that. Raises RunError: another process has the lock, the file is from a newer version, or it is not
        the state of a sync.
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
            db = sqlite3.connect(":memory:", isolation_level=None)
            db.executescript(TABLES)
            return db
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
            if write:
                self.path.chmod(0o600)
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=FULL")
                if version == 0:
                    db.executescript(f"BEGIN IMMEDIATE;{TABLES}PRAGMA user_version={VERSION};COMMIT;")
        except sqlite3.Error as error:
            raise RunError(f"{self.path}: cannot be used: {error}") from error
        return db

    def __enter__(self) -> State:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, and release the lock."""
        self._db.close()
        if self._lock:
            self._lock.release()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside, or nothing. Raises StateFullError if it cannot be written."""
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
        """Whether a transaction is open."""
        return self._depth > 0

    def _run(self, statement: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, tuple(values))
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            if isinstance(error, sqlite3.IntegrityError):
                raise
            raise StateFullError(f"{self.path}: cannot be written: {error}") from error

    def run(self, statement: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """Run one statement, for the modules of this package."""
        return self._run(statement, values)

    # The owner of the state.

    def require_pair(self, account: str, tenant: str) -> None:
        """Record the account and tenant of the state. Raises RunError if the state belongs to others."""
        for key, value in (("account", account), ("tenant", tenant)):
            known = self.meta(key)
            if known is None:
                self.set_meta(key, value)
            elif known != value:
                raise RunError(
                    f"{self.path} belongs to the {key} {known}, but the connection is to {value}: "
                    "use a separate folder for each pair"
                )

    def meta(self, key: str) -> str | None:
        """Return an entry of `meta`."""
        found = self._run("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def set_meta(self, key: str, value: str) -> None:
        """Set an entry of `meta`."""
        self._run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # Links.

    def links(self, entity: str, sources: Iterable[int] | None = None) -> dict[int, Link]:
        """Return the links of an entity, keyed by source id: all, or those of some records."""
        if sources is None:
            rows = self._run(f"SELECT {_LINK} FROM links WHERE entity = ?", (entity,))  # noqa: S608
            return {row[1]: _link(row) for row in rows}
        wanted = json_text.dumps(list(sources))
        query = (
            f"SELECT {_LINK} FROM links WHERE entity = ? AND source_id IN (SELECT value FROM json_each(?))"  # noqa: S608
        )
        return {row[1]: _link(row) for row in self._run(query, (entity, wanted))}

    def each_link(self, entity: str) -> Iterator[Link]:
        """Yield the links of an entity."""
        for row in self._run(f"SELECT {_LINK} FROM links WHERE entity = ?", (entity,)):  # noqa: S608
            yield _link(row)

    def links_to(self, entity: str, target: int) -> list[Link]:
        """Return the links to a target record."""
        query = f"SELECT {_LINK} FROM links WHERE entity = ? AND target_id = ?"  # noqa: S608
        return [_link(row) for row in self._run(query, (entity, target))]

    def link_count(self, entity: str) -> int:
        """Return the number of links to target records."""
        query = "SELECT count(*) FROM links WHERE entity = ? AND target_id IS NOT NULL"
        found: int = self._run(query, (entity,)).fetchone()[0]
        return found

    def save_link(self, link: Link) -> None:
        """Save a link. If another device has the asset, its link is removed."""
        with self.transaction():
            if link.entity == "asset" and link.target is not None:
                self._run(
                    "DELETE FROM links WHERE entity = 'asset' AND target_id = ? AND source_id != ?",
                    (link.target, link.source),
                )
            values = (
                *(link.entity, link.source, link.target, link.method, link.values_hash, link.seen_hash),
                *(link.software_hash, link.first_run, link.last_run, link.missing_since, link.missing_runs),
                *(int(link.deactivated), int(link.pinned), link.note),
            )
            marks = ", ".join("?" * len(values))
            self._run(f"INSERT OR REPLACE INTO links({_LINK}) VALUES ({marks})", values)  # noqa: S608

    def save_hash(self, entity: str, source: int, value: str) -> None:
        """Save the hash of the values that a linked record shows already."""
        self._run(
            "UPDATE links SET values_hash = ? WHERE entity = ? AND source_id = ?", (value, entity, source)
        )

    def drop_link(self, entity: str, source: int) -> None:
        """Forget a link."""
        self._run("DELETE FROM links WHERE entity = ? AND source_id = ?", (entity, source))

    def seen(self, entity: str, run: int, sources: Iterable[int]) -> None:
        """Record that a complete list had these records."""
        self._run(
            "UPDATE links SET last_run = ?, missing_since = NULL, missing_runs = 0 WHERE entity = ? "
            "AND source_id IN (SELECT value FROM json_each(?))",
            (run, entity, json_text.dumps(list(sources))),
        )

    def unseen(self, entity: str, run: int, now: float) -> None:
        """Record that a complete list, whose records are all `seen`, did not have the others."""
        self._run(
            "UPDATE links SET missing_since = coalesce(missing_since, ?), missing_runs = missing_runs + 1 "
            "WHERE entity = ? AND last_run IS NOT ?",
            (now, entity, run),
        )

    def missing(self, entity: str) -> Iterator[Link]:
        """Yield the links whose record the last complete list did not have."""
        query = f"SELECT {_LINK} FROM links WHERE entity = ? AND missing_runs > 0 ORDER BY source_id"  # noqa: S608
        for row in self._run(query, (entity,)).fetchall():
            yield _link(row)

    # Cursors and runs.

    def cursor(self, stream: str) -> str | None:
        """Return the position of a stream."""
        found = self._run("SELECT value FROM cursors WHERE stream = ?", (stream,)).fetchone()
        return found[0] if found else None

    def set_cursor(self, stream: str, value: str, run: int) -> None:
        """Move a stream's position, in the transaction that saves the outcome of the last item before it."""
        self._run("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)", (stream, value, run))

    def begin_run(self, kind: str, now: float) -> int:
        """Record the start of a run and return its number."""
        run = self._run("INSERT INTO runs(kind, began) VALUES (?, ?)", (kind, now)).lastrowid
        assert run is not None
        return run

    def end_run(self, run: int, now: float, outcome: str, counts: Mapping[str, Json]) -> None:
        """Record the end of a run."""
        self._run(
            "UPDATE runs SET ended = ?, outcome = ?, counts = ? WHERE id = ?",
            (now, outcome, json_text.dumps(dict(counts)), run),
        )

    def last_counts(self) -> Mapping[str, Json]:
        """Return the counts of the last run that has any."""
        query = "SELECT counts FROM runs WHERE counts IS NOT NULL ORDER BY id DESC LIMIT 1"
        found = self._run(query).fetchone()
        counts: Mapping[str, Json] = json_text.loads(found[0]) if found else {}
        return counts

    def save_item(self, run: int, item: Mapping[str, Json], outcome: str) -> None:
        """Record the outcome of a plan's item: `entity`, `source`, `op`, `target`, `changes` and `reason`."""
        values = (
            *(run, item["entity"], str(item["source"]), item["op"], item["target"]),
            *(json_text.dumps(item["changes"]), item["reason"], outcome),
        )
        self._run("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def items_of(self, entity: str, source: int | str, limit: int = 20) -> list[dict[str, Json]]:
        """Return the last items of a record, newest first, with `run` and `outcome`."""
        query = (
            "SELECT run_id, op, target_id, changes, reason, outcome FROM items "
            "WHERE entity = ? AND source_id = ? ORDER BY run_id DESC LIMIT ?"
        )
        names = ("run", "op", "target", "changes", "reason", "outcome")
        rows = self._run(query, (entity, str(source), limit)).fetchall()
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return [{**row, "changes": json_text.loads(row["changes"] or "[]")} for row in found]

    def unmatched(self) -> Iterator[dict[str, Json]]:
        """Yield the records that, at their last check, were skipped or needed a decision."""
        names = ("entity", "source", "op", "target", "reason", "run")
        rows = self._run(
            "SELECT entity, source_id, op, target_id, reason, run_id FROM items AS item "
            "WHERE op IN ('skip', 'conflict') AND run_id = (SELECT max(run_id) FROM items "
            "WHERE entity = item.entity AND source_id = item.source_id) ORDER BY entity, op, source_id"
        )
        yield from (dict(zip(names, row, strict=True)) for row in rows.fetchall())

    def runs(self, limit: int = 20) -> list[dict[str, Json]]:
        """Return the last runs, newest first."""
        names = ("run", "kind", "began", "ended", "outcome", "counts")
        query = "SELECT id, kind, began, ended, outcome, counts FROM runs ORDER BY id DESC LIMIT ?"
        found = [dict(zip(names, row, strict=True)) for row in self._run(query, (limit,)).fetchall()]
        return [{**row, "counts": json_text.loads(row["counts"] or "{}")} for row in found]

    def prune(self, now: float) -> None:
        """Delete items after 90 days, and deliveries after 7 days.

        Entries dated in the future, because the clock was wrong, are kept until that time has passed.
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


def _link(row: tuple[Any, ...]) -> Link:
    values = [*row[:11], bool(row[11]), bool(row[12]), row[13]]
    return Link(*values)
