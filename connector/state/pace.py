"""The pace of an account in a database, which all processes that use the account share.

A process keeps a copy of the account's row. It changes the copy, and replaces the row in one statement, which
has an effect only if no other process has changed the row in the meantime. Otherwise it receives the current
row, and repeats the change. Times are those of the database's clock, because the clocks of machines differ.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Sequence
from threading import RLock
from typing import Any, TypeVar

from connector.state.database import Database, DatabaseLostError, Row
from connector.state.group_commit import group_commit_of
from connector.state.group_statement import Write
from connector.state.server_clock import ServerClock

T = TypeVar("T")

_STARTED, _DELAY = 2, 4
"""The indexes in `AccountPace.times` of the latest start, and of the delay of the process that started it."""
SEEN_S = 0.1
"""The maximum age of the copy of the row while an adaptive pace waits for other processes, in seconds."""
UNPACED_S = 0.1
"""The minimum interval in which a process without a delay saves the times of its requests, in seconds."""
LOST_S = 5.0
"""The time without statements after the database was lost, in seconds."""
AHEAD_S = 10.0
"""Starts more than this many seconds in the future are ignored: the database's clock was set back."""
LASTING_DELAY_S = 1.0
"""Starts of requests with at least this delay, in seconds, are committed to the disk of the database."""

_LOAD = (
    "SELECT extract(epoch FROM clock_timestamp())::float8, version, times, adaptive"
    " FROM (VALUES (%s)) AS own (account) LEFT JOIN connector_pace USING (account)"
)


class AccountPace:
    """The row of an account: its `times`, the `limit` that its service reports, and the `adaptive` pace.

    Safe for threads and processes. The numbers are at first those of an account to which no request was sent,
    and `layout` is the version of the adaptive ones: versions share nothing. Methods raise RunStoppedError if
    the database cannot be used.
    """

    def __init__(
        self,
        database: Database,
        account: str,
        clock: ServerClock,
        times: Sequence[float],
        limit: Sequence[float],
        adaptive: Sequence[float] = (),
        layout: int = 0,
    ) -> None:
        self._database, self._account, self.clock = database, account, clock
        self._version = 0
        self._lock = RLock()
        self._is_changing = False
        self._lost, self._lost_until = "", 0.0
        self.times, self.limit = PaceTimes(self, times), PaceTimes(self, limit)
        self.adaptive = PaceTimes(self, adaptive, layout)
        self._adapts = bool(adaptive)
        self._fresh = self._numbers()
        self._load()

    def change(self, step: Callable[[], T]) -> T:
        """Call `step`, and save the numbers that it changes; call it again if others have changed some."""
        with self._lock:
            if self._is_changing:  # a step within a step
                return step()
            while True:
                before = self._numbers()
                try:
                    self._is_changing = True
                    result = step()
                    if self._numbers() != before:
                        is_done = self._replace(before[0])
                    else:  # Only an adaptive pace waits for other processes, so only it needs their changes.
                        is_done = not self._adapts or self.clock.now() < self._seen + SEEN_S
                        if not is_done:
                            self._load()
                    if is_done:
                        return result
                except BaseException:
                    self._set(*before)
                    raise
                finally:
                    self._is_changing = False

    def _load(self) -> None:
        version, shared, adaptive = self._run(lambda: self._database.run(_LOAD, [self._account]))
        if version is not None:
            self._adopt(version, shared, adaptive)

    def _replace(self, before: list[float]) -> bool:
        """Replace the row, or adopt it if it is newer; return whether it was replaced."""
        count = len(self.times.values) - 1
        times, adaptive = self._numbers()
        change = random.getrandbits(63)
        write = Write(
            "pace",
            None,
            (self._account, self._version + 1, change, times, adaptive if self._adapts else None),
            conflict_key=self._account,
            durable=self.times.values[_DELAY] >= LASTING_DELAY_S or times[count:] != before[count:],
        )
        version, shared, pace, latest = self._run(lambda: group_commit_of(self._database).commit(write))
        if latest == change:
            self._version = version
            return True
        self._adopt(version, shared, pace)
        return False

    def _run(self, execute: Callable[[], list[Row]]) -> Sequence[Any]:
        """Execute a statement that returns the database's time as the first value; return the other ones."""
        began = self.clock.begin()
        if began < self._lost_until:
            raise DatabaseLostError(self._lost)
        try:
            ((server, *others),) = execute()
        except DatabaseLostError as error:
            self._lost, self._lost_until = str(error), self.clock.begin() + LOST_S
            raise
        self.clock.sample(began, server)
        self._seen = self.clock.now()
        return others

    def _numbers(self) -> tuple[list[float], list[float]]:
        return [*self.times.values[1:], *self.limit.values[1:]], list(self.adaptive.values)

    def _adopt(self, version: int, shared: list[float], adaptive: list[float] | None) -> None:
        """Take over the numbers of the row, unless they are of another layout."""
        times, own = self._fresh
        if len(shared) == len(times) and shared[_STARTED - 1] <= self.clock.now() + AHEAD_S:
            times = shared
        if adaptive and len(adaptive) == len(own) and adaptive[0] == own[0]:
            own = adaptive
        self._version = version
        self._set(times, own)

    def _set(self, times: list[float], adaptive: list[float]) -> None:
        count = len(self.times.values) - 1
        self.times.values[1:], self.limit.values[1:] = _memory(times[:count]), _memory(times[count:])
        self.adaptive.values[:] = _memory(adaptive)


class PaceTimes:
    """A part of an account's row, as the `SharedTimes` of a pacer."""

    tolerance_s = 0.005
    lead_s = 0.03
    slack_s: float | None = 0.015

    def __init__(self, row: AccountPace, fresh: Sequence[float], first: float = 0.0) -> None:
        self._row = row
        self.values = _memory((first, *fresh))

    @property
    def margin_s(self) -> float:
        """The uncertainty of `now`, in seconds."""
        return self._row.clock.margin_s

    def now(self) -> float:
        """Return the time of the database, in epoch seconds."""
        return self._row.clock.now()

    def change(self, step: Callable[[], T]) -> T:
        """Call `step`, and save the numbers that it changes; call it again if others have changed some."""
        return self._row.change(step)

    def note_now(self, index: int) -> float:
        """Set a time to the current one, at most every `UNPACED_S`, and return the current time."""
        now = self.now()

        def step() -> None:
            if now >= self.values[index] + UNPACED_S:
                self.values[index] = now

        self.change(step)
        return now


def _memory(numbers: Sequence[float]) -> memoryview[float]:
    return memoryview(array("d", numbers))
