"""Rows in, envelopes out: order, resume, and one stream of events that progress and summary read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from threading import Event
from typing import Any

from connector.clock import Clock
from connector.envelope import Envelope
from connector.errors import RowError
from connector.files import InputRow
from connector.invoke import Invoker
from connector.output import Output

Listener = Callable[[Envelope], None]
"""Hears of every envelope that was written."""


@dataclass
class Summary:
    """What came of a run. Counts are rows; `codes` counts the failed ones by `meta.code`.

    `left_out` counts what a step did not take from the step that it follows, by the reason: see `steps`.
    """

    rows: int = 0
    succeeded: int = 0
    failed: int = 0
    resumed_rows: int = 0
    seconds: float = 0.0
    codes: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    stopped: bool = False
    left_out: dict[str, int] = field(default_factory=dict)

    def count(self, envelope: Envelope) -> None:
        """Count an envelope if it ends its row."""
        if not envelope.ends_row:
            return
        self.rows += 1
        if not envelope.has_error:
            self.succeeded += 1
            return
        self.failed += 1
        code = str(envelope.meta["code"])
        self.codes[code] = self.codes.get(code, 0) + 1
        self.examples.setdefault(code, f"row {envelope.row}: {envelope.error}")

    def as_json(self) -> dict[str, Any]:
        """Give the summary for programs."""
        return {
            "rows": self.rows,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "resumed_rows": self.resumed_rows,
            "seconds": round(self.seconds, 3),
            "codes": {code: {"rows": n, "example": self.examples[code]} for code, n in self.codes.items()},
            "stopped": self.stopped,
            **({"left_out": self.left_out} if self.left_out else {}),
        }


def run_batch(
    rows: Iterator[InputRow],
    invoker: Invoker,
    output: Output,
    clock: Clock,
    listeners: tuple[Listener, ...] = (),
    stop: Event | None = None,
) -> Summary:
    """Run every row that has no envelope yet, in order, and complete the output.

    When `stop` is set, the row under way is finished, and the output stays resumable (`Summary.stopped`).
    Raises RunStopped when envelopes cannot be written any more.
    """
    summary = Summary(resumed_rows=output.done_rows)
    began = clock.monotonic()
    hear = (summary.count, *listeners)
    for row in rows:
        if row.number <= output.done_rows:
            continue
        if stop is not None and stop.is_set():
            summary.stopped = True
            break
        for envelope in _envelopes(invoker, row):
            written = _write(output, envelope)
            for listener in hear:
                listener(written)
    summary.seconds = clock.monotonic() - began
    if not summary.stopped:
        output.finish()
    return summary


def _write(output: Output, envelope: Envelope) -> Envelope:
    """Write an envelope and give what was written: an error in place of what no JSON can hold."""
    try:
        output.write(envelope)
        return envelope
    except (TypeError, ValueError) as error:
        said = f"a fault in the connector itself: what came of the row cannot be written as JSON: {error}"
        meta = {**envelope.meta, "code": "internal_error", "repeatable": False}
        unwritable = Envelope(envelope.row, said, None, meta)
        output.write(unwritable)
        return unwritable


def _envelopes(invoker: Invoker, row: InputRow) -> Iterator[Envelope]:
    if row.error:
        yield invoker.failed_row(row.number, row.data, RowError(row.code, row.error))
    else:
        yield from invoker.envelopes(row.number, row.data)


def require_first(rows: Iterator[InputRow]) -> Iterator[InputRow]:
    """Read the first row now, so that an unreadable input is a fault of the run. Raises RunFault."""
    return chain([row for row in [next(rows, None)] if row is not None], rows)
