"""Rows in, envelopes out: order, resume, and one stream of events that progress and summary read."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, dropwhile, islice
from threading import Event, Lock
from typing import Any

from connector.clock import Clock
from connector.envelope import Envelope
from connector.errors import Interrupted, RowError
from connector.files import InputRow
from connector.invoke import Invoker
from connector.output import Output
from connector.window import run_in_order

Listener = Callable[[Envelope], None]
"""Hears of every envelope that was written."""

_WRITTEN_AT_ONCE = 100
"""How many items of a list are written together. None of them counts before the last one is there."""


@dataclass
class Summary:
    """What came of a run. Counts are rows; `codes` counts the failed ones by `meta.code`.

    `repeatable` are the failed ones that may be sent again; `resumed_rows` were done before the run was
    resumed, and all other counts hold these, too. `truncated` are lists that a cap ended. `last_row` is the
    number of the row that ended last.

    `stopped` says that rows are left that were not begun, or not finished; `too_many_errors` that more rows
    failed than the run allows (which stops it, unless they were the last). `left_out` counts what a step did
    not take from the step that it follows, by the reason: see `steps`. `connections` counts the rows of each
    tenant, where a run has several, and its failed ones.

    It may be looked at from another thread while the run goes on.
    """

    rows: int = 0
    succeeded: int = 0
    failed: int = 0
    repeatable: int = 0
    warned: int = 0
    truncated: int = 0
    resumed_rows: int = 0
    last_row: int = 0
    seconds: float = 0.0
    codes: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    warning: str = ""
    stopped: bool = False
    too_many_errors: bool = False
    left_out: dict[str, int] = field(default_factory=dict)
    connections: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, envelope: Envelope) -> None:
        """Count an envelope if it ends its row."""
        if not envelope.ends_row:
            return
        self.rows += 1
        self.last_row = envelope.row
        meta = envelope.meta
        if "connection" in meta:
            its = self.connections.setdefault(meta["connection"], {"rows": 0, "failed": 0})
            its["rows"] += 1
            its["failed"] += envelope.has_error
        if "warnings" in meta:
            self.warned += 1
            self.warning = self.warning or f"row {envelope.row}: {meta['warnings'][0]}"
        if meta.get("truncated"):
            self.truncated += 1
        if not envelope.has_error:
            self.succeeded += 1
            return
        self.failed += 1
        self.repeatable += meta.get("repeatable", False)
        code = str(meta["code"])
        self.examples.setdefault(code, f"row {envelope.row}: {envelope.error}")
        self.codes[code] = self.codes.get(code, 0) + 1

    def as_json(self) -> dict[str, Any]:
        """Give the summary for programs: `#/$defs/run` of `schemas/summary.schema.json`."""
        # Copies, as another thread may be counting.
        codes, left_out, connections = dict(self.codes), dict(self.left_out), dict(self.connections)
        return {
            "rows": self.rows,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "repeatable": self.repeatable,
            "warned": self.warned,
            "truncated": self.truncated,
            "resumed_rows": self.resumed_rows,
            "seconds": round(self.seconds, 3),
            "codes": {code: {"rows": n, "example": self.examples[code]} for code, n in codes.items()},
            "stopped": self.stopped,
            "too_many_errors": self.too_many_errors,
            **({"left_out": left_out} if left_out else {}),
            **({"connections": dict(sorted(connections.items()))} if connections else {}),
        }


class FailureLimit:
    """How many rows may fail before nothing more is begun: `most`, or any number. Safe for threads.

    Batches that are one run share one.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = float("inf") if most is None else most
        self._failed = 0
        self._lock = Lock()

    @property
    def exceeded(self) -> bool:
        """Whether more rows have failed."""
        return self._failed > self._most

    def count(self, rows: int = 1) -> None:
        """Count rows that failed."""
        with self._lock:
            self._failed += rows


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

    Envelopes are written, and listeners hear of them, in the order of the rows and one at a time. When `stop`
    is set, or more rows have failed than the `limit` allows, no further row is begun; what is under way is
    finished and written, and the output stays resumable (`Summary.stopped`). A `summary` that is passed in is
    counted up while the run goes on, and given back.

    Raises RunStopped when envelopes cannot be written any more; `stop` is set then, too, so that no other row
    waits for what is of no use.
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
    except Interrupted:
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
        """Tell whether another row may be begun."""
        return not (self._stop.is_set() or self._limit.exceeded)

    def run_one_by_one(self, rows: Iterator[InputRow]) -> bool:
        """Run row after row on this thread. Tell whether all were run."""
        for row in rows:
            if not self.goes_on():
                return False
            results = self.work(row)
            while some := list(islice(results, _WRITTEN_AT_ONCE)):
                self.write(some)
        return True

    def work(self, row: InputRow) -> Generator[Result, None, None]:
        """Run a row and give its envelopes. Raises RunStopped."""
        try:
            for envelope in _envelopes(self._invoker, row):
                result = _writable(envelope)
                self._count(result[0])
                yield result
        except Exception:
            self._stop.set()
            raise

    def write(self, results: Sequence[Result]) -> None:
        """Write envelopes, and tell of them. Raises RunStopped."""
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
    """Give an envelope with its line: an error in place of what no JSON can hold."""
    try:
        return envelope, envelope.line()
    except (TypeError, ValueError) as error:
        said = f"a fault in the connector itself: what came of the row cannot be written as JSON: {error}"
        meta = {**envelope.meta, "code": "internal_error", "repeatable": False}
        unwritable = Envelope(envelope.row, said, None, meta)
        return unwritable, unwritable.line()


def _envelopes(invoker: Invoker, row: InputRow) -> Iterator[Envelope]:
    if row.error:
        return iter((invoker.failed_row(row.number, row.data, RowError(row.code, row.error)),))
    return invoker.envelopes(row.number, row.data)


def require_first(rows: Iterator[InputRow]) -> Iterator[InputRow]:
    """Read the first row now, so that an unreadable input is a fault of the run. Raises RunFault."""
    return chain([row for row in [next(rows, None)] if row is not None], rows)
