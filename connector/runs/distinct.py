"""Rows that share a result: with `distinct`, only the first row of each value of a template is run.

The later rows of the value get the result of the first one, or its error, and send nothing. The first row is
the one with the lowest number, whatever runs in parallel. A resumed run evaluates the template for all rows
again, so the value must depend only on the row, not on the time (`now`) or chance (`random`).

Values and results are in a temporary database on the disk, so that memory does not grow with the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Condition

from connector.common import json_text
from connector.common.absent import ABSENT
from connector.errors import InputError, RowError, RunError, RunInterruptedError
from connector.files.envelope import Envelope
from connector.files.readers import InputRow
from connector.invocation.invoke import Invoker, ResultMode
from connector.runs.tenant_split import refuse_random
from connector.templating.templates import Row, Scope, compile_template

Key = Callable[[Row], bytes]
"""Returns a digest of a row's value, which is empty if the row has none. Raises InputError."""


def compile_distinct(source: str, rows: ResultMode) -> Key:
    """Return the compiled template of a run's `distinct`. Raises RunError."""
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

    A row without a value, or whose template fails, shares nothing.
    """

    def __init__(self, key: Key) -> None:
        import sqlite3

        self._key = key
        # An empty name is a temporary database, which is removed when it is closed.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("CREATE TABLE firsts (key BLOB PRIMARY KEY, row INTEGER) WITHOUT ROWID")
        self._database.execute("CREATE TABLE envelopes (row INTEGER PRIMARY KEY, line BLOB)")
        self._same: dict[int, int] = {}
        """By the number of a row in progress, the number of the row whose result it gets."""
        self._lost: set[int] = set()
        """First rows that have ended without an envelope, because the run is stopping."""
        self._ended = Condition()

    def close(self) -> None:
        """Remove the database."""
        with self._ended:
            self._database.close()

    def first_of(self, row: InputRow) -> int:
        """Return the number of the first row with the value of `row`, which can be itself. Raises RowError.

        The rows have to be given in their order.
        """
        key = b"" if row.error else self._key(row.data)
        if not key:
            return row.number
        with self._ended:
            self._database.execute("INSERT OR IGNORE INTO firsts VALUES (?, ?)", (key, row.number))
            found = self._database.execute("SELECT row FROM firsts WHERE key = ?", (key,)).fetchone()
        return int(found[0])

    def rows(self, rows: Iterator[InputRow], done_rows: int) -> Iterator[InputRow]:
        """Yield the rows after those that are done, which have to be among the given ones."""
        for row in rows:
            try:
                first = self.first_of(row)
            except RowError as error:
                row, first = replace(row, error=str(error), code=error.code), row.number
            if row.number <= done_rows:
                continue
            if first != row.number:
                self._same[row.number] = first
            yield row

    def keep(self, envelope: Envelope) -> None:
        """Keep the envelope of a row that was run."""
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
            yield _shared(self._wait(first), row, keep_row=invoker.keep_row)
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
        """Return the envelope of a first row, which was started before. Raises RunInterruptedError."""
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


def _shared(first: Envelope, row: InputRow, *, keep_row: bool) -> Envelope:
    """Return the envelope of a row that shares the result of another one."""
    error = None
    if first.error is not None:
        error = f"row {first.row}, which has the same value of distinct, failed: {first.error}"
    meta = {**first.meta, "attempts": 0, "same_as": first.row}
    return Envelope(row.number, error, first.result, meta, row.data if keep_row else ABSENT)
