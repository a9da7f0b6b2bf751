"""The clock of a database, estimated from the statements that a process executes."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from weakref import WeakKeyDictionary

from connector.common.clock import Clock
from connector.state.database import Database

DRIFT = 0.001
"""The maximum drift between the clock of a database and the local one, in seconds per second."""


class ServerClock:
    """The clock of a database: bounds of its lead over the local monotonic clock. Safe for threads.

    A statement returns the database's time at some moment between its start and its end. The bounds are the
    narrowest that agree with all statements, and widen with the time since the latest one.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bounds = (float("-inf"), float("inf"), 0.0)
        """The minimum and the maximum lead in seconds, at a monotonic time."""

    def begin(self) -> float:
        """Return the time at which a statement begins, for `sample`."""
        return self._clock.monotonic()

    def sample(self, began: float, server: float) -> None:
        """Update the bounds after a statement that began at `began` and returned the time `server`.

        If it contradicts the earlier ones, the database's clock was set, and only this statement counts.
        """
        ended = self._clock.monotonic()
        least, most = self._at(ended)
        new_least, new_most = server - ended, server - began
        if max(least, new_least) <= min(most, new_most):
            new_least, new_most = max(least, new_least), min(most, new_most)
        self._bounds = (new_least, new_most, ended)

    def now(self) -> float:
        """Return the time of the database in epoch seconds; it is up to `margin_s` later."""
        local = self._clock.monotonic()
        return local + self._at(local)[0]

    @property
    def margin_s(self) -> float:
        """By how much `now` can be behind the database's clock, in seconds."""
        least, most = self._at(self._clock.monotonic())
        return most - least

    def _at(self, local: float) -> tuple[float, float]:
        least, most, at = self._bounds
        drift_s = DRIFT * max(0.0, local - at)
        return least - drift_s, most + drift_s


_CLOCKS: WeakKeyDictionary[Database, dict[Callable[[], float], ServerClock]] = WeakKeyDictionary()
_MUTEX = Lock()


def server_clock_of(database: Database, clock: Clock) -> ServerClock:
    """Return the clock of a database, which all accounts with this local clock share.

    The statements of one account are too rare for an equally accurate clock.
    """
    with _MUTEX:
        return _CLOCKS.setdefault(database, {}).setdefault(clock.monotonic, ServerClock(clock))
