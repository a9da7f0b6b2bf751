"""Time, passed in, so that no test has to wait for it."""

from __future__ import annotations

import time
from threading import Event
from typing import Protocol

from connector.errors import RowError, RunInterruptedError

PATIENCE_S = 5.0
"""For how long rows under way go on waiting (for the pace, before another try) when a run is to stop."""
_SLICE_S = 0.2


class Clock(Protocol):
    """What the connector asks of time."""

    def now(self) -> float:
        """Wall time, epoch seconds."""

    def monotonic(self) -> float:
        """Seconds that never jump back; on one machine alike in every process."""

    def sleep(self, seconds: float) -> None:
        """Wait. Zero or less returns at once. May raise Interrupted, so that a run can stop."""


class SystemClock:
    """The machine's own clock. Once `stop` is set, nobody waits for long any more.

    A row that would have to is left to a run that goes on with this one, if it is `resumable`.
    """

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    def __init__(self, stop: Event | None = None, *, resumable: bool = True) -> None:
        self._stop, self._resumable = stop, resumable
        self._patient_until: float | None = None

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`; zero or less returns at once.

        When the run is asked to stop, and the wait would last longer than `PATIENCE_S` from then on, raises
        Interrupted, or RowError (`cancelled`) where nothing can be resumed.
        """
        if seconds <= 0:
            return
        if self._stop is None:
            time.sleep(seconds)
            return
        end = time.monotonic() + seconds
        while seconds > 0:
            if self._stop.is_set():
                self._lose_patience(end)
            # In slices, since a wait on the event itself could hold the lock that a signal's handler needs.
            time.sleep(min(seconds, _SLICE_S))
            seconds = end - time.monotonic()

    def _lose_patience(self, end: float) -> None:
        if self._patient_until is None:
            self._patient_until = time.monotonic() + PATIENCE_S
        if end <= self._patient_until:
            return
        said = "the run was stopped while the row had to wait for long"
        # Nobody waits between requests unless the one before may be sent again, or was not carried out.
        raise RunInterruptedError(said) if self._resumable else RowError("cancelled", said)
