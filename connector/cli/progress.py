"""What a person sees of a run: a line while it goes on, and a summary at its end."""

from __future__ import annotations

import time
from typing import TextIO

from connector.batch import Summary
from connector.envelope import Envelope
from connector.errors import shorten
from connector.job import STREAM, Job

_TERMINAL_EVERY_S = 0.2
_LOG_EVERY_S = 10.0


class Progress:
    """Hears of every envelope; keeps one line up to date on a terminal, writes one now and then elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._every_s = _TERMINAL_EVERY_S if self._terminal else _LOG_EVERY_S
        self._began = self._shown = time.monotonic()
        self._rows = self._failed = 0

    def __call__(self, envelope: Envelope) -> None:
        """Count an envelope, and show the count if it is time to."""
        self._rows += envelope.ends_row
        self._failed += envelope.has_error
        now = time.monotonic()
        if now - self._shown >= self._every_s:
            self._shown = now
            rate = self._rows / (now - self._began)
            name = envelope.meta["action"]
            line = f"{name}: {self._rows} rows, {self._failed} failed, {rate:.1f} rows/s"
            self._stream.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
            self._stream.flush()

    def end(self) -> None:
        """Clear the line; what is heard next is of the next step."""
        self._began = self._shown = time.monotonic()
        self._rows = self._failed = 0
        if self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def describe(job: Job, summary: Summary | None) -> str:
    """Write a run's summary: counts, each error code with an example, and where the envelopes are.

    Without one it is a step that was finished before.
    """
    if summary is None:
        return f"{job.label}: finished before\nenvelopes: {job.output}"
    before = f", {summary.resumed_failed} of which failed" if summary.resumed_failed else ""
    resumed = (
        f" (after {summary.resumed_rows} of the interrupted run{before})" if summary.resumed_rows else ""
    )
    lines = [
        f"{job.label}: {summary.rows} rows{resumed}, {summary.succeeded} succeeded, "
        f"{summary.failed} failed, in {summary.seconds:.1f} s"
    ]
    if failed := summary.left_out.get("failed"):
        lines.append(f'  {failed} left out: they failed in "{job.follows}"')
    if unwanted := summary.left_out.get("only"):
        lines.append(f"  {unwanted} left out by only: {shorten(' '.join(job.only.split()))}")
    for code, count in sorted(summary.codes.items(), key=lambda item: -item[1]):
        lines.append(f"  {count} {code}, such as {summary.examples[code]}")
    if summary.stopped:
        how = "--resume goes on" if STREAM not in (job.output, job.input) else "it cannot be resumed"
        lines.append(f"stopped before the end; {how}")
    elif job.output != STREAM:
        lines.append(f"envelopes: {job.output}")
    return "\n".join(lines)
