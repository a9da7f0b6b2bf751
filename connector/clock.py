"""Time, passed in, so that no test has to wait for it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What the connector asks of time."""

    def now(self) -> float:
        """Wall time, epoch seconds."""

    def monotonic(self) -> float:
        """Seconds that never jump back; on one machine alike in every process."""

    def sleep(self, seconds: float) -> None:
        """Wait. Zero or less returns at once."""


class SystemClock:
    """The machine's own clock."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`; zero or less returns at once."""
        if seconds > 0:
            time.sleep(seconds)
