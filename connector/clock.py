"""Time, passed in, so that no test has to wait for it."""

from __future__ import annotations

import time
from threading import Event
from typing import Protocol

from connector.errors import Interrupted

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
    """The machine's own clock. Once `stop` is set, nobody waits for long any more."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    def __init__(self, stop: Event | None = None) -> None:
        self._stop = stop
        self._patient_until: float | None = None

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`; zero or less returns at once.

        Raises Interrupted when the run is asked to stop, and the wait would last longer than `PATIENCE_S`
        from then on.
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
        if end > self._patient_until:
            raise Interrupted("the run is asked to stop, and a row would have to wait for long")
