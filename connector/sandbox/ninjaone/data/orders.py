"""Work that devices do after a request has returned, such as scripts and restarts."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

from connector.sandbox.ninjaone.data.fleet import Facts

End = Callable[[bool], None]
"""Ends the work of one request; the argument is whether it succeeds."""

FAILING_DIGIT, ENDLESS_DIGIT = 7, 9
"""The last digit of the ids of devices whose work fails, and of devices whose work never ends."""


class Orders:
    """The unfinished work of all devices.

    With `duration_s` 0, all work ends at once and succeeds. Otherwise it ends after `duration_s` seconds of
    `clock`, fails by `FAILING_DIGIT`, or never ends by `ENDLESS_DIGIT`. The work of
    an offline device never ends.
    """

    def __init__(self, clock: Callable[[], float], duration_s: float) -> None:
        self._clock, self._duration_s = clock, duration_s
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, End, bool]] = []

    def is_started(self, device: Facts) -> bool:
        """Return whether the device starts its work, for which it must be online."""
        return not (self._duration_s and device.offline)

    def begin(self, device: Facts, end: End, *, succeeds: bool = True) -> None:
        """Call `end` when the device's work ends."""
        if not self._duration_s:
            end(succeeds)
            return
        if not self.is_started(device) or device.id % 10 == ENDLESS_DIGIT:
            return
        succeeds = succeeds and device.id % 10 != FAILING_DIGIT
        heapq.heappush(self._waiting, (self._clock() + self._duration_s, next(self._numbers), end, succeeds))

    def advance(self) -> None:
        """End the work whose time has come."""
        while self._waiting and self._waiting[0][0] <= self._clock():
            _, _, end, succeeds = heapq.heappop(self._waiting)
            end(succeeds)
