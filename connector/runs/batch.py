"""Rows in, envelopes out: order, resume, and one stream of events that progress and summary read."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import chain, dropwhile, islice
from threading import Event

from connector.common.clock import Clock
from connector.errors import RowError, RunInterruptedError
from connector.files.envelope import Envelope
from connector.files.output import Output
from connector.files.readers import InputRow
from connector.invocation.invoke import Invoker
from connector.runs.ordered_map import run_in_order
from connector.runs.summary import FailureLimit, Listener, Summary

_WRITTEN_AT_ONCE = 100
"""How many items of a list are written together. None of them counts before the last one is there."""


Result = tuple[Envelope, bytes]
"""An envelope, and the line that is written of it."""


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
) -> Summary:
    """Run every row that has no envelope yet, `concurrency` of them at a time, and complete the output.

    Envelopes are written, and listeners notified, one at a time in the order of the rows. When `stop` is set,
    or more rows have failed than the `limit` allows, no further row is started; rows in progress are finished
    and written, and the output stays resumable (`Summary.stopped`). A `summary` that is passed in is updated
    during the run, and returned.

    Raises RunStoppedError when envelopes cannot be written; `stop` is set then, too, so that no other row
    waits in vain.
    """
    summary = summary or Summary(resumed_rows=output.done_rows)
    began = clock.monotonic()
    limit = limit or FailureLimit()
    batch = _Batch(invoker, output, (summary.count, *listeners), stop or Event(), limit)
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
        output.finish()
    return summary


class _Batch:
    """What all rows of a run share. Safe for threads."""

    def __init__(
        self,
        invoker: Invoker,
        output: Output,
        hear: tuple[Listener, ...],
        stop: Event,
        limit: FailureLimit,
    ) -> None:
        self._invoker, self._output, self._hear, self._stop = invoker, output, hear, stop
        self._limit = limit

    def goes_on(self) -> bool:
        """Return whether another row may be begun."""
        return not (self._stop.is_set() or self._limit.exceeded)

    def run_one_by_one(self, rows: Iterator[InputRow]) -> bool:
        """Run row after row on this thread. Return whether all were run."""
        for row in rows:
            if not self.goes_on():
                return False
            results = self.work(row)
            while some := list(islice(results, _WRITTEN_AT_ONCE)):
                self.write(some)
        return True

    def work(self, row: InputRow) -> Generator[Result, None, None]:
        """Run a row and yield its envelopes. Raises RunStoppedError."""
        try:
            for envelope in _envelopes(self._invoker, row):
                result = _writable(envelope)
                self._count(result[0])
                yield result
        except Exception:
            self._stop.set()
            raise

    def write(self, results: Sequence[Result]) -> None:
        """Write envelopes, and notify the listeners. Raises RunStoppedError."""
        try:
            self._output.write(b"".join([line for _, line in results]))
            for envelope, _ in results:
                for listener in self._hear:
                    listener(envelope)
        except Exception:
            self._stop.set()
            raise

    def _count(self, envelope: Envelope) -> None:
        """Count a failed row as it fails, since its envelope may have to wait for those before it."""
        if envelope.has_error and envelope.ends_row:
            self._limit.count()


def _size(result: Result) -> int:
    return len(result[1])


def _writable(envelope: Envelope) -> Result:
    """Return an envelope with its line: an error in place of what no JSON can hold."""
    try:
        return envelope, envelope.line()
    except (TypeError, ValueError) as error:
        said = f"a bug in the connector: its result cannot be written as JSON: {error}"
        meta = {**envelope.meta, "code": "internal_error", "repeatable": False}
        unwritable = Envelope(envelope.row, said, None, meta)
        return unwritable, unwritable.line()


def _envelopes(invoker: Invoker, row: InputRow) -> Iterator[Envelope]:
    if row.error:
        return iter((invoker.failed_row(row.number, row.data, RowError(row.code, row.error)),))
    return invoker.envelopes(row.number, row.data)


def require_first(rows: Iterator[InputRow]) -> Iterator[InputRow]:
    """Read the first row now, so that an unreadable input is a fault of the run. Raises RunError."""
    return chain([row for row in [next(rows, None)] if row is not None], rows)
