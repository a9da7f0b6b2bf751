"""The adaptive pace of an account: how far apart its requests start, and how many are pending.

The interval shortens step by step until the service reports too many requests. From then on there is a
ceiling, the fastest pace that the service is believed to allow: requests start at a pace slightly below it,
and only after many requests without a refusal is the ceiling raised. A service can limit the requests per
time or the pending requests, and does not report which; `AdaptivePace` infers it from the refusals alone. A
refusal by one of the two limits loosens the other one, because the first refusals are often blamed on the
wrong one: while responses are slow, each request is the first with so many pending.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Protocol

STEP, FASTER = 8, 0.9
"""Before the first refusal, the interval is multiplied by `FASTER` after this number of requests."""
SLOWER = 0.85
"""The smallest factor of the ceiling, as a pace, after a refusal that shows only that it was too high."""
MARGIN = 0.04
"""How far below the ceiling requests start after a refusal, as a part of the pace."""
MEASURABLE = 20
"""The smallest number of requests from which the service's limit is computed."""
PATIENCE, PER_REFUSAL, MAX_PATIENCE = 250, 150, 8000
"""The number of requests from a refusal to the raise of the ceiling: at least, for each refused request, and
at most, if refusals show again and again that the ceiling is right."""
SAME = 0.04
"""Two ceilings that differ by less than this are the same."""
RAISE, MAX_RAISE = 0.02, 0.25
"""The first raise of the ceiling, and the largest; each is twice the one before."""
HOLD_INTERVALS, MAX_HOLD_S = 8, 8.0
"""How long no request starts after a refusal without Retry-After, in intervals, and at most; doubled if the
next request is refused as well."""
PATIENT_S = 10.0
"""How long the response to the first request after a refusal is awaited before another one starts."""
MAX_INTERVALS = 2
"""The longest interval, as a multiple of the one without adaptation."""
MAX_INTERVAL_S = 2.0
"""The longest interval, in seconds, if there is none without adaptation."""
MAX_RAISES = 100
"""The number of raises in a row that cannot be reached: each shortens the interval."""
FAMILIAR, REMEMBERED = 3, 1000
"""A number of pending requests is known to be allowed after so many successes, of about the latest 1000."""


class Values(Protocol):
    """The numbers of a `PaceState`, of one process or shared."""

    def __getitem__(self, index: int, /) -> float:
        """Return a number."""

    def __setitem__(self, index: int, value: float, /) -> None:
        """Replace a number."""


class _Number:
    """A member of the state of an account's pace."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._index = owner.NAMES.index(name)  # type: ignore[attr-defined]

    def __get__(self, state: PaceState, owner: type) -> float:
        return state.values[self._index]

    def __set__(self, state: PaceState, value: float) -> None:
        state.values[self._index] = value


class PaceState:
    """What is known about an account's pace, in numbers that processes can share.

    Times are monotonic and intervals are in seconds; 0 means unknown. `interval` is the one between starts,
    `ceiling` its believed minimum, and `held` the one after the latest refusal. `steady` counts the requests
    since then that were paced, of the `patience` until the ceiling is raised for the `raises`-th time.

    `counted` successes came since `base`, the end of an earlier refusal; `slowest` is the longest interval
    since then. `whole` and `active` are the doubtful results of the latest such measurement, with and without
    the time of the refusal. A refusal began at `refused_first`, has `refused` requests, the latest at
    `refused_at`, and a `hold` until `until`; then one request starts, at `trial`, and another one if no
    response comes. The first success of these ends the hold. If the refusal `cuts`, it shows that the pace
    was too high. `most` is the limit of pending requests, raised after `most_patience` requests,
    of which there were `at_most`. `latest` and `answered` are the times of the latest start and response.
    """

    LASTING = ("interval", "ceiling", "held", "patience", "whole", "active", "most", "most_patience")
    """The names of the members that are known also after the machine was restarted."""
    NAMES = (
        *LASTING,
        *("steady", "raises", "base", "counted", "slowest", "refused_first", "refused", "refused_at"),
        *("hold", "until", "trial", "cuts", "at_most", "latest", "answered"),
    )

    interval, ceiling, held, patience = _Number(), _Number(), _Number(), _Number()
    whole, active, most, most_patience = _Number(), _Number(), _Number(), _Number()
    steady, raises, base, counted, slowest = _Number(), _Number(), _Number(), _Number(), _Number()
    refused_first, refused, refused_at, hold = _Number(), _Number(), _Number(), _Number()
    until, trial, cuts = _Number(), _Number(), _Number()
    at_most, latest, answered = _Number(), _Number(), _Number()

    def __init__(self, values: Values) -> None:
        self.values = values

    def is_valid(self) -> bool:
        """Return whether the values can be those of a pace, and not of a damaged file."""
        values = [self.values[index] for index in range(len(self.NAMES))]
        are_numbers = all(isfinite(value) and value >= 0 for value in values)
        return are_numbers and (
            0.001 <= self.interval < 3600 and self.patience >= 1 and self.raises <= MAX_RAISES
        )


@dataclass(frozen=True)
class Started:
    """A request that has started: when, and how many requests were pending with it."""

    at: float
    in_flight: int


class AdaptivePace:
    """Decides when the next request of an account starts. Pure: it neither waits nor reads a clock.

    `values` has the numbers of a `PaceState`, which other processes can share; callers take turns.
    The interval is at first `start_s`, and at least `least_s`.
    """

    def __init__(self, start_s: float, least_s: float, values: Values | None = None) -> None:
        self._least_s = least_s
        self._longest_s = max(least_s, MAX_INTERVALS * start_s if start_s else MAX_INTERVAL_S)
        self.state = PaceState([0.0] * len(PaceState.NAMES) if values is None else values)
        if not self.state.is_valid():
            for index in range(len(PaceState.NAMES)):
                self.state.values[index] = 0.0
            self.state.interval = max(start_s, least_s)
            self.state.patience = self.state.most_patience = PATIENCE
        self._allowed: dict[int, int] = {}

    @property
    def interval_s(self) -> float:
        """The interval between the starts of two requests, in seconds."""
        return max(self.state.interval, self._least_s)

    def wait_s(self, now: float, in_flight: int) -> float:
        """Return the seconds until a request may start, besides the interval; 0 if it may start now.

        If it waits for a response, that is the time to look again.
        """
        state = self.state
        if now < state.until:
            return state.until - now
        soon_s = self.interval_s / 10
        if state.hold and state.trial and now < state.trial + PATIENT_S:
            return soon_s
        if not state.most or not in_flight:
            return 0.0
        if in_flight >= state.most:
            return soon_s
        return max(0.0, state.answered + soon_s - now)  # a service can notice late that a request has ended

    def started(self, now: float, in_flight: int) -> Started:
        """Note that a request starts, beside `in_flight` others."""
        state = self.state
        # Only a pace that is used can be shown to be allowed.
        is_paced = now - state.latest <= 1.25 * self.interval_s
        state.latest = now
        state.steady += is_paced and not state.hold
        if state.hold:
            state.trial = now
        if state.most and in_flight + 1 >= state.most:
            state.at_most += 1
            if state.at_most >= state.most_patience:
                state.most, state.at_most = state.most + 1, 0
        return Started(now, in_flight + 1)

    def accepted(self, request: Started, now: float) -> None:
        """Note that the service accepted a request."""
        self.remember(request)
        self.succeeded(request, now)

    def succeeded(self, request: Started, now: float) -> None:
        """Note in the shared numbers that the service accepted a request."""
        state = self.state
        state.answered = now
        state.counted += 1
        if state.hold and request.at > state.refused_at:
            self._resume(now)
        if not state.hold:
            self._speed_up()

    def unknown(self, request: Started) -> None:
        """Note that nothing is known about a request, such as after a lost response."""
        if self.state.trial == request.at:
            self.state.trial = 0.0  # the next request can start

    def refused(self, request: Started, now: float, retry_after_s: float | None = None) -> float:
        """Note that the service reported too many requests; return the seconds until the next request."""
        state = self.state
        state.answered = now
        if request.at <= state.refused_at:  # It started before the refusal was known.
            state.refused += 1
            if state.hold:
                self._limit_flight(request.in_flight)
        elif state.hold:
            state.refused += 1
            self._hold(now, 2 * state.hold, retry_after_s)
        else:
            state.refused_first, state.refused = now, 1
            state.cuts = not self._limit_flight(request.in_flight)
            self._doubt_other_limit(request.in_flight)
            self._hold(now, HOLD_INTERVALS * self.interval_s, retry_after_s)
        state.until = max(state.until, now + (retry_after_s or 0.0))
        return max(0.0, state.until - now)

    def _hold(self, now: float, hold_s: float, retry_after_s: float | None) -> None:
        state = self.state
        state.hold, state.refused_at, state.trial = min(MAX_HOLD_S, hold_s), now, 0.0
        state.until = now + (state.hold if retry_after_s is None else self.interval_s)

    def remember(self, request: Started) -> None:
        """Note in this process's memory that the service accepted so many pending requests."""
        in_flight = request.in_flight
        self._allowed[in_flight] = self._allowed.get(in_flight, 0) + 1
        if self._allowed[in_flight] > REMEMBERED:
            self._allowed = {number: count // 2 for number, count in self._allowed.items() if count > 1}

    def _limit_flight(self, in_flight: int) -> bool:
        """Limit the pending requests if a refusal is due to their number; return whether it is.

        It is if this number was hardly ever allowed.
        """
        allowed = sum(count for number, count in self._allowed.items() if number >= in_flight)
        if in_flight < 2 or allowed >= FAMILIAR or sum(self._allowed.values()) < MEASURABLE:
            return False
        state = self.state
        if not state.most or in_flight - 1 < state.most:
            if state.most == in_flight:  # The raised limit is refused.
                state.most_patience = min(MAX_PATIENCE, 2 * state.most_patience)
            state.most, state.at_most = in_flight - 1, 0
        return True

    def _doubt_other_limit(self, in_flight: int) -> None:
        """Loosen the limit that did not cause a refusal: an earlier refusal may have been blamed on it."""
        state = self.state
        if not state.cuts:
            state.patience = min(state.patience, PATIENCE)
        elif in_flight < state.most:
            state.most, state.at_most = state.most + 1, 0

    def _speed_up(self) -> None:
        state = self.state
        if not state.ceiling:
            if state.steady >= STEP:
                state.steady = 0
                state.interval = max(self._least_s, state.interval * FASTER)
            return
        if state.steady >= state.patience and state.ceiling > self._least_s:
            factor = 1 + min(MAX_RAISE, RAISE * 2**state.raises)
            if state.raises:
                state.patience = max(PATIENCE, state.patience / 2)
            state.raises += 1
            state.ceiling /= factor
            # The pace continues where it is, slightly below the new ceiling.
            state.steady = state.patience * max(0.0, 1 - (1 - 1 / factor) / MARGIN)
        self._approach()

    def _approach(self) -> None:
        """Set the interval: the longer there was no refusal, the closer to the ceiling."""
        state = self.state
        done = min(1.0, state.steady / state.patience)
        state.interval = max(self._least_s, state.ceiling / (1 - MARGIN * (1 - done)))

    def _resume(self, now: float) -> None:
        """End a refusal: set the ceiling, and continue slightly below it."""
        state = self.state
        state.hold = state.trial = 0.0
        if not state.cuts:
            return
        is_measured = bool(state.base) and state.counted >= MEASURABLE
        ceiling = self._measured(now) if is_measured else state.interval / SLOWER
        state.ceiling = min(max(ceiling, self._least_s), self._longest_s)
        is_same = bool(state.held) and abs(state.ceiling / state.held - 1) < SAME
        patience = min(MAX_PATIENCE, 2 * state.patience) if is_same else PATIENCE
        state.patience = max(patience, PER_REFUSAL * state.refused)
        state.held, state.raises, state.steady = state.ceiling, 0, 0
        self._approach()
        if is_measured or not state.base:
            state.base, state.counted, state.slowest = now, 0, state.interval
        else:
            state.slowest = max(state.slowest, state.interval)

    def _measured(self, now: float) -> float:
        """Return the ceiling, computed from the requests between the ends of two refusals.

        If they were limited by the service all the time, they show its limit. But a service may require a
        longer pause than its limit: then the time of the refusal does not count. Which of them holds can only
        be seen from two measurements at different paces, as the one that does not change.
        """
        state = self.state
        stretch_s, lost_s = now - state.base, now - state.refused_first
        whole, active = stretch_s / state.counted, (stretch_s - lost_s) / state.counted
        before = (state.whole, state.active)
        state.whole = state.active = 0.0
        if whole <= 1.02 * state.slowest:  # The pace was the limit at first, and it was exceeded at the end.
            return min(whole, 1.03 * state.interval)
        if lost_s < 0.03 * stretch_s:
            return whole
        state.whole, state.active = whole, active
        if all(before):
            whole_change, active_change = abs(whole / before[0] - 1), abs(active / before[1] - 1)
            if whole_change < active_change / 2:
                return whole
            if active_change < whole_change / 2:
                return 1.02 * active
        return state.interval / max(SLOWER, sqrt(1 - lost_s / stretch_s))
