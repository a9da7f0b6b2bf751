"""Runs rows and writes their envelopes in order; notifies listeners such as the summary."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import chain, dropwhile
from threading import Event

from connector.common.clock import Clock
from connector.errors import RowError, RunInterruptedError
from connector.files.envelope import Envelope
from connector.files.list_envelope import ListEnvelope
from connector.files.long_list import LONG
from connector.files.output import Output
from connector.files.readers import InputRow
from connector.invocation.invoke import Invoker
from connector.runs.distinct import Distinct
from connector.runs.ordered_map import run_in_order
from connector.runs.summary import FailureLimit, Listener, Summary

_WRITTEN_AT_ONCE = 100
"""The maximum number of a row's envelopes that are written, and then counted, together."""
_BYTES_AT_ONCE = 1 << 18
"""The number of bytes at which no further envelopes are written with them."""

_FILES = 8
"""The number of files that are open for the rows of one connection, such as their output and journal."""
_FILES_PER_ROW = 3
"""The number of files for each row in progress: its connection, a file that it sends, and a long list."""

Result = tuple[Envelope, bytes]
"""An envelope and its JSON line in the output file; empty for a long list, which is written in blocks."""


def max_open_files(concurrency: int) -> int:
    """Return how many files and connections can be open for a batch with so many rows in parallel."""
    return _FILES + _FILES_PER_ROW * concurrency


def run_batch(
    rows: Iterator[InputRow],
    invoker: Invoker,
    output: Output,
    clock: Clock,
    listeners: tuple[Listener, ...] = (),
    stop: Event | None = None,
    *,
    concurrency: int = 1,
    limit: FailureLimit | None = None,
    summary: Summary | None = None,
    distinct: Distinct | None = None,
    in_blocks: bool = False,
) -> Summary:
    """Run the rows that have no envelope yet, `concurrency` of them in parallel, and complete the output.

    Envelopes are written, and listeners notified, one at a time in the order of the rows. When `stop` is set,
    or more rows have failed than `limit` allows, no further row is started; rows in progress are finished and
    written, and the output can be resumed (`Summary.stopped`). Returns the summary, which is the `summary`
    argument if one is passed; it is updated during the run. With `distinct`, the rows have to come from it.
    With `in_blocks`, the listeners get lists without their items; see `EnvelopeBlock` and `ListEnvelope`.

    Raises RunStoppedError if envelopes cannot be written; it first sets `stop`, so that other threads end.
    """
    summary = summary or Summary(resumed_rows=output.done_rows)
    began = clock.monotonic()
    limit = limit or FailureLimit()
    batch = _Batch(invoker, output, (summary.count, *listeners), stop or Event(), limit, distinct, in_blocks)
    left = dropwhile(lambda row: row.number <= output.done_rows, rows)
    try:
        if concurrency == 1:
            complete = batch.run_one_by_one(left)
        else:
            complete = run_in_order(
                left, batch.work, batch.write, threads=concurrency, go_on=batch.goes_on, size=_size
            )
    except RunInterruptedError:
        complete = False
    summary.seconds = clock.monotonic() - began
    summary.stopped = not complete
    summary.too_many_errors = limit.exceeded
    if complete:
        _finish(output, summary)
        summary.seconds = clock.monotonic() - began
        summary.too_many_errors = limit.exceeded  # Work that has failed is counted at the end.
    return summary


def _finish(output: Output, summary: Summary) -> None:
    try:
        output.finish()
    except RunInterruptedError:
        summary.stopped = True


class _Batch:
    """The state that a run's threads share. Safe for threads."""

    def __init__(
        self,
        invoker: Invoker,
        output: Output,
        hear: tuple[Listener, ...],
        stop: Event,
        limit: FailureLimit,
        distinct: Distinct | None,
        in_blocks: bool,
    ) -> None:
        self._invoker, self._output, self._hear, self._stop = invoker, output, hear, stop
        self._limit, self._distinct, self._in_blocks = limit, distinct, in_blocks

    def goes_on(self) -> bool:
        """Return whether another row can be started."""
        return not (self._stop.is_set() or self._limit.exceeded)

    def run_one_by_one(self, rows: Iterator[InputRow]) -> bool:
        """Run rows one after the other on this thread; return whether all were run."""
        for row in rows:
            if not self.goes_on():
                return False
            for some in _written_together(self.work(row)):
                self.write(some)
        return True

    def work(self, row: InputRow) -> Generator[Result, None, None]:
        """Run a row and yield its envelopes. Raises RunStoppedError."""
        try:
            for envelope in _envelopes(self._invoker, row, self._distinct, in_blocks=self._in_blocks):
                if row.origin:
                    envelope = replace(envelope, meta={**envelope.meta, "input_row": row.origin})
                result = _writable(envelope)
                self._count(result[0])
                yield result
        except Exception:
            self._stop.set()
            raise

    def write(self, results: Sequence[Result]) -> None:
        """Write envelopes, and notify the listeners. Raises RunStoppedError."""
        try:
            self._write_lines(results)
            for envelope, _ in results:
                for listener in self._hear:
                    listener(envelope)
        except Exception:
            self._stop.set()
            raise

    def _write_lines(self, results: Sequence[Result]) -> None:
        lines: list[bytes] = []
        for envelope, line in results:
            if not line and isinstance(envelope, ListEnvelope):
                self._output.write(b"".join(lines))
                self._output.write_list(envelope)
                envelope.items.close()
                lines = []
            lines.append(line)
        self._output.write(b"".join(lines))

    def _count(self, envelope: Envelope) -> None:
        """Count a failed row immediately: its envelope can wait for those of earlier rows."""
        if envelope.has_error and envelope.ends_row:
            self._limit.count()


def _written_together(results: Iterator[Result]) -> Iterator[list[Result]]:
    """Yield the results in lists, each of which is written at once."""
    some: list[Result] = []
    size = 0
    for result in results:
        some.append(result)
        size += len(result[1])
        if len(some) == _WRITTEN_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


def _size(result: Result) -> int:
    """Return the bytes of a result in memory. A long list has some, to bound the number of open files."""
    return len(result[1]) or LONG


def _writable(envelope: Envelope) -> Result:
    """Return an envelope and its JSON line.

    If its result cannot be written as JSON, return an error envelope instead.
    """
    if isinstance(envelope, ListEnvelope) and envelope.items.is_long:
        return envelope, b""
    try:
        return envelope, envelope.line()
    except (TypeError, ValueError) as error:
        said = f"a bug in the connector: its result cannot be written as JSON: {error}"
        meta = {**envelope.meta, "code": "internal_error", "repeatable": False}
        meta.pop("transient", None)
        unwritable = Envelope(envelope.row, said, None, meta)
        return unwritable, unwritable.line()


def _envelopes(
    invoker: Invoker, row: InputRow, distinct: Distinct | None, *, in_blocks: bool
) -> Iterator[Envelope]:
    if row.error:
        return iter((invoker.failed_row(row.number, row.data, RowError(row.code, row.error)),))
    if distinct:
        return distinct.envelopes(invoker, row)
    # An EnvelopeBlock has its lines already, to which the number of the input's row cannot be added.
    in_blocks = in_blocks and not (row.origin and invoker.rows == "each")
    return invoker.envelopes(row.number, row.data, in_blocks=in_blocks)


def require_first(rows: Iterator[InputRow]) -> Iterator[InputRow]:
    """Return the same rows, after reading the first one: an unreadable input fails the run, not a row.

    Raises RunError.
    """
    return chain([row for row in [next(rows, None)] if row is not None], rows)
