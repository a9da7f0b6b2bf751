"""The pacer of `delay_ms: auto`: its interval adapts to the service, and processes share what they learn."""

from __future__ import annotations

import logging
import random
from array import array
from contextlib import suppress
from functools import partial
from threading import Lock

from connector.client.account_limit import AccountLimit
from connector.client.adaptive_pace import AdaptivePace, PaceState, Started
from connector.client.pacing import ROUNDING_S, Outcome, Pacer, Turn
from connector.client.shared_times import OwnTimes, SharedTimes
from connector.common.clock import Clock
from connector.errors import RunStoppedError

logger = logging.getLogger(__name__)

LAYOUT = 1
"""The version of the shared numbers. It is in the name of their file: versions share nothing."""
_PROCESSES = 8
"""The number of processes whose pending requests are counted."""
LASTING = len(PaceState.LASTING)
"""The number of shared numbers that are not times, and stay valid after a restart of the machine."""
FRESH = (*[0.0] * len(PaceState.NAMES), *[0.0] * 3 * _PROCESSES)
_FLIGHTS = 1 + len(PaceState.NAMES)
"""The index of the pending requests: a random number, their number, and its last change, by process."""
_UNTIL = 1 + PaceState.NAMES.index("until")
_GONE_S = 30.0
"""The time in seconds after which the requests of a process do not count, because it may have been killed."""


class AdaptivePacer(Pacer):
    """A pacer whose delay starts at `delay_ms` and adapts; it is at least `least_ms`. See `AdaptivePace`."""

    adapts = True

    def __init__(
        self,
        delay_ms: float,
        least_ms: float,
        clock: Clock,
        times: SharedTimes | None = None,
        pace_times: SharedTimes | None = None,
        limit: AccountLimit | None = None,
    ) -> None:
        super().__init__(delay_ms, clock, times, limit)
        self._mutex = Lock()
        self._shared = shared = pace_times or OwnTimes(clock, FRESH)
        self._flights = _Flights(shared.values[_FLIGHTS:])
        numbers = shared.values[1:_FLIGHTS]
        self._pace = shared.change(lambda: AdaptivePace(delay_ms / 1000, least_ms / 1000, numbers))
        self._adopt()

    def _adopt(self) -> None:
        self._own_delay_s = self._pace.interval_s
        self._delay_s = max(self._own_delay_s, self.limit.delay_s if self.limit else 0.0)

    def wait(self) -> Turn:
        """Wait until the next request can start, and record its start. Pass the turn to `ended`."""
        self._adopt()
        return super().wait()

    def ended(self, turn: Turn, outcome: Outcome, retry_after_s: float | None = None) -> float:
        """Note the outcome of a request. Return for how long no request starts because of it, in seconds."""
        request = turn.request
        assert request is not None

        def note() -> float:
            now = self._shared.now()
            self._flights.note(now)
            if outcome == "throttled":
                return self._pace.refused(request, now, retry_after_s)
            if outcome == "accepted":
                self._pace.succeeded(request, now)
            else:
                self._pace.unknown(request)
            self._adopt()
            return 0.0

        with self._mutex:
            self._flights.own -= 1
            if outcome == "throttled":
                self.throttled += 1
            elif outcome == "accepted":
                self._pace.remember(request)
            # If the database is lost, the response is still valid; the next request is not started.
            with suppress(RunStoppedError):
                return self._shared.change(note)
        return 0.0

    def _try_start(self, turn: Turn) -> float:
        with self._mutex:
            if turn.request is not None:  # It would have been sent too late, and waits for another turn.
                return super()._try_start(turn)
            before = turn.slot, turn.seen, turn.recorded
            wait_s, turn.request = self._times.change(
                lambda: self._shared.change(partial(self._start_paced, turn, before))
            )
            self._flights.own += turn.request is not None
        return wait_s

    def _start_paced(self, turn: Turn, before: tuple[float, float, float]) -> tuple[float, Started | None]:
        now = self._shared.now()
        in_flight = self._flights.all(now)
        if (wait_s := self._pace.wait_s(now, in_flight)) > ROUNDING_S:
            return wait_s, None
        self._adopt()
        if wait_s := self._retry_start(turn, self._delay_s, before):
            return wait_s, None
        self._flights.note(now, started=1)
        return 0.0, self._pace.started(now, in_flight)

    def _log_wait(self, wait_s: float) -> None:
        if self._shared.values[_UNTIL] > self._shared.now():
            logger.warning("too many requests: the next one starts in %.1f s", wait_s, extra={"notice": True})
        else:
            super()._log_wait(wait_s)


class _Flights:
    """The numbers of pending requests, by process; `own` are those of this process."""

    def __init__(self, numbers: memoryview[float]) -> None:
        self._numbers = numbers
        self.own, self._place, self._mark = 0, 0, 0.0

    def all(self, now: float) -> int:
        """Return the number of pending requests of all processes."""
        others = (self._at(place, now) for place in range(_PROCESSES) if not self._is_own(place))
        return self.own + sum(others)

    def note(self, now: float, started: int = 0) -> None:
        """Share the number of this process's pending requests, with those that start now."""
        if not self._is_own(self._place):
            free = [place for place in range(_PROCESSES) if not self._at(place, now)]
            if not free:
                return  # With so many processes, their number matters more.
            self._place, self._mark = free[0], random.random()  # noqa: S311 - not a secret
        numbers = array("d", (self._mark, self.own + started, now))
        self._numbers[3 * self._place : 3 * self._place + 3] = numbers

    def _is_own(self, place: int) -> bool:
        return place == self._place and self._numbers[3 * place] == self._mark != 0

    def _at(self, place: int, now: float) -> int:
        _, number, changed = self._numbers[3 * place : 3 * place + 3]
        return int(number) if now - changed < _GONE_S and number > 0 else 0
