"""Lets rows share a result: with `distinct`, only the first row of each value of a template is run.

Later rows with the same value get the result or the error of the first one, and send nothing. The first row
is the one with the lowest row number, even if rows run in parallel. A resumed run evaluates the template for
all rows again, so the template can use only the row's fields, not the time (`now`) or the filter `random`.

Values and results are in a temporary database on the disk, so that memory does not grow with the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from threading import Condition

from connector.common import json_text
from connector.common.absent import ABSENT
from connector.errors import InputError, RowError, RunError, RunInterruptedError
from connector.files.envelope import Envelope
from connector.files.readers import InputRow
from connector.invocation.invoke import Invoker, ResultMode
from connector.runs.connection_choice import refuse_random
from connector.templating.scope import Row, Scope
from connector.templating.templates import compile_template

Key = Callable[[Row], bytes]
"""A function that returns a digest of a row's value; empty if it has no value. Raises InputError."""


def compile_distinct(source: str, rows: ResultMode) -> Key:
    """Return the template `distinct` of a run as a function. Raises RunError."""
    if rows == "each":
        raise RunError("distinct: a list with `rows: each` cannot be shared by several rows; use `rows: one`")
    try:
        render = compile_template(source, {})
    except RunError as error:
        raise RunError(f"distinct: {error}") from error
    refuse_random("distinct", source)

    def key(row: Row) -> bytes:
        try:
            value = render(Scope(row))
        except RowError as error:
            raise InputError(error.code, f"distinct: {error}") from error
        if value is None or (isinstance(value, str) and not value.strip()):
            return b""
        text = value if isinstance(value, str) else json_text.dumps(value)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()

    return key


class Distinct:
    """The first row of each value, and its envelope. Safe for threads.

    A row has its own result if it has no value, or if its template fails.
    """

    def __init__(self, key: Key) -> None:
        import sqlite3

        self._key = key
        # SQLite creates a temporary database for an empty name, and removes it when it is closed.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("CREATE TABLE firsts (key BLOB PRIMARY KEY, row INTEGER) WITHOUT ROWID")
        self._database.execute("CREATE TABLE envelopes (row INTEGER PRIMARY KEY, line BLOB)")
        self._same: dict[int, int] = {}
        """The number of the first row whose result a row in progress gets, by that row's number."""
        self._lost: set[int] = set()
        """The numbers of first rows that ended without an envelope, because the run is stopping."""
        self._ended = Condition()

    def close(self) -> None:
        """Remove the database."""
        with self._ended:
            self._database.close()

    def first_of(self, row: InputRow) -> int:
        """Return the number of the first row with the value of `row`, which may be `row` itself.

        Raises RowError. It must be called for all rows in their order.
        """
        key = b"" if row.error else self._key(row.data)
        if not key:
            return row.number
        with self._ended:
            self._database.execute("INSERT OR IGNORE INTO firsts VALUES (?, ?)", (key, row.number))
            found = self._database.execute("SELECT row FROM firsts WHERE key = ?", (key,)).fetchone()
        return int(found[0])

    def rows(self, rows: Iterator[InputRow], done_rows: int) -> Iterator[InputRow]:
        """Yield the rows after the number `done_rows`. `rows` must also contain the rows before it."""
        for row in rows:
            try:
                first = self.first_of(row)
            except RowError as error:
                row, first = row._replace(error=str(error), code=error.code), row.number
            if row.number <= done_rows:
                continue
            if first != row.number:
                self._same[row.number] = first
            yield row

    def keep(self, envelope: Envelope) -> None:
        """Store the envelope of a row that was run."""
        if "same_as" in envelope.meta:
            return
        with self._ended:
            line = (envelope.row, envelope.line())
            self._database.execute("INSERT OR REPLACE INTO envelopes VALUES (?, ?)", line)
            self._ended.notify_all()

    def envelopes(self, invoker: Invoker, row: InputRow) -> Iterator[Envelope]:
        """Run a row, or yield the envelope that it shares. Raises as `Invoker.envelopes` does."""
        first = self._same.pop(row.number, None)
        if first is not None:
            yield _shared(self._wait(first), row, invoker)
            return
        is_kept = False
        try:
            for envelope in invoker.envelopes(row.number, row.data):
                self.keep(envelope)
                is_kept = True
                yield envelope
        finally:
            if not is_kept:
                with self._ended:
                    self._lost.add(row.number)
                    self._ended.notify_all()

    def _wait(self, first: int) -> Envelope:
        """Wait for the envelope of the first of the rows that share a result. Raises RunInterruptedError."""
        with self._ended:
            while True:
                found = self._database.execute(
                    "SELECT line FROM envelopes WHERE row = ?", (first,)
                ).fetchone()
                if found:
                    return Envelope.from_json(json_text.loads(found[0].decode()))
                if first in self._lost:
                    raise RunInterruptedError(f"the run is stopping before row {first} has a result")
                self._ended.wait()


def _shared(first: Envelope, row: InputRow, invoker: Invoker) -> Envelope:
    """Return the envelope of a row that shares the result of another one."""
    error = None if first.error is None else shared_error(first.row, first.error)
    meta = {**first.meta, "attempts": 0, "same_as": first.row}
    meta.pop("checked", None)
    if row.number in invoker.checked:
        meta["checked"] = True
    return Envelope(row.number, error, first.result, meta, row.data if invoker.keep_row else ABSENT)


def shared_error(row: int, error: str) -> str:
    """Return the error of a row that shares the result of the failed row with this number."""
    return f"row {row}, which has the same value of distinct, failed: {error}"
