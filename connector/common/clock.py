"""The clock that the connector uses for the time and for waiting; tests pass a simulated one."""

from __future__ import annotations

import time
from threading import Event
from typing import Protocol

from connector.errors import RowError, RunInterruptedError

PATIENCE_S = 5.0
"""The maximum wait (for pacing or a retry) of a row in progress after its run was asked to stop, in
seconds."""
_SLICE_S = 0.5
"""The interval in which a wait checks for a stop, in seconds. It is longer than the default delays of
services, so such a wait wakes its thread only once."""


class Clock(Protocol):
    """The functions for the time and for waiting."""

    def now(self) -> float:
        """Return the wall time in epoch seconds."""

    def monotonic(self) -> float:
        """Return the monotonic time in seconds. All processes on a machine have the same one."""

    def sleep(self, seconds: float) -> None:
        """Wait, or return at once if `seconds` is not positive. May raise RunInterruptedError."""


class SystemClock:
    """The system clock. Once `stop` is set, no wait is longer than `PATIENCE_S`.

    A row that would have to wait longer is abandoned. If the run is `resumable`, resuming it sends the row
    again.
    """

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    def __init__(self, stop: Event | None = None, *, resumable: bool = True) -> None:
        self._stop, self._resumable = stop, resumable
        self._patient_until: float | None = None

    def sleep(self, seconds: float) -> None:
        """Wait, or return at once if `seconds` is not positive.

        After the run was asked to stop, raises RunInterruptedError if more than `PATIENCE_S` is left to wait,
        or RowError (`cancelled`) if the run cannot be resumed.
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
            # Sleep in short intervals, since waiting on the event could hold the lock that a signal handler
            # needs.
            time.sleep(min(seconds, _SLICE_S))
            seconds = end - time.monotonic()

    def _lose_patience(self, end: float) -> None:
        if self._patient_until is None:
            self._patient_until = time.monotonic() + PATIENCE_S
        if end <= self._patient_until:
            return
        message = "the run was stopped while the row was waiting"
        # Abandoning the row is safe: it waits only if its last request can be repeated or had no effect.
        raise RunInterruptedError(message) if self._resumable else RowError("cancelled", message)
