"""The clock, which is passed in so that no test has to wait."""

from __future__ import annotations

import time
from threading import Event
from typing import Protocol

from connector.errors import RowError, RunInterruptedError

PATIENCE_S = 5.0
"""The maximum time that rows in progress wait (for the delay or a retry) in a stopping run, in seconds."""
_SLICE_S = 0.2


class Clock(Protocol):
    """The time functions that the connector uses."""

    def now(self) -> float:
        """Return the wall time in epoch seconds."""

    def monotonic(self) -> float:
        """Return monotonic seconds, which all processes of a machine share."""

    def sleep(self, seconds: float) -> None:
        """Wait; zero or less returns at once. May raise RunInterruptedError, so that a run can stop."""


class SystemClock:
    """The system clock. Once `stop` is set, no wait is longer than `PATIENCE_S`.

    A row that would have to wait longer is not finished; the run can be resumed if it is `resumable`.
    """

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    def __init__(self, stop: Event | None = None, *, resumable: bool = True) -> None:
        self._stop, self._resumable = stop, resumable
        self._patient_until: float | None = None

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`; zero or less returns at once.

        Raises RunInterruptedError if the run is asked to stop and more than `PATIENCE_S` is left to wait, or
        RowError (`cancelled`) where the run cannot be resumed.
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
            # In short waits, because waiting on the event could hold the lock that a signal handler needs.
            time.sleep(min(seconds, _SLICE_S))
            seconds = end - time.monotonic()

    def _lose_patience(self, end: float) -> None:
        if self._patient_until is None:
            self._patient_until = time.monotonic() + PATIENCE_S
        if end <= self._patient_until:
            return
        message = "the run was stopped while the row was waiting"
        # A row waits only if its last request can be repeated or certainly had no effect.
        raise RunInterruptedError(message) if self._resumable else RowError("cancelled", message)
