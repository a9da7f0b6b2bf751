"""Simulates processes that send as fast as an adaptive pace allows, and services that limit them."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from math import inf
from typing import Any, Protocol

from connector.client.adaptive_pace import AdaptivePace, PaceState, Started


class Limit(Protocol):
    """What a service allows. `ask` gives the seconds until the next request is allowed, or None if it is."""

    def ask(self, now: float) -> float | None: ...

    def done(self) -> None: ...

    def rate(self, latency_s: float) -> float: ...


@dataclass
class Window:
    """At most `most` requests in a window of `seconds`: a fixed one, or that of the latest seconds."""

    most: int
    seconds: float
    slides: bool = False
    times: deque[float] = field(default_factory=deque)

    def ask(self, now: float) -> float | None:
        begin = now - self.seconds if self.slides else now // self.seconds * self.seconds - 1e-9
        while self.times and self.times[0] <= begin:
            self.times.popleft()
        if len(self.times) >= self.most:
            end = self.times[0] if self.slides else now // self.seconds * self.seconds
            return end + self.seconds - now
        self.times.append(now)
        return None

    def done(self) -> None:
        """A request that has ended still counts."""

    def rate(self, latency_s: float) -> float:
        return self.most / self.seconds


@dataclass
class Bucket:
    """Tokens, `per_s` new ones each second, of which at most `most` are kept."""

    per_s: float
    most: float
    tokens: float = 0.0
    at: float = 0.0

    def ask(self, now: float) -> float | None:
        self.tokens = min(self.most, self.tokens + (now - self.at) * self.per_s)
        self.at = now
        if self.tokens < 1:
            return (1 - self.tokens) / self.per_s
        self.tokens -= 1
        return None

    def done(self) -> None:
        """A request that has ended still counts."""

    def rate(self, latency_s: float) -> float:
        return self.per_s


@dataclass
class Pending:
    """At most `most` requests at the same time."""

    most: int
    now: int = 0

    def ask(self, now: float) -> float | None:
        if self.now >= self.most:
            return 1.0
        self.now += 1
        return None

    def done(self) -> None:
        self.now -= 1

    def rate(self, latency_s: float) -> float:
        return rate_of_known(self.most, latency_s)


@dataclass
class Both:
    """Two limits at the same time: of the requests of a time, and of the pending ones."""

    of_time: Window | Bucket
    pending: Pending

    def ask(self, now: float) -> float | None:
        wait = self.pending.ask(now)
        if wait is None and (wait := self.of_time.ask(now)) is not None:
            self.pending.done()
        return wait

    def done(self) -> None:
        self.pending.done()

    def rate(self, latency_s: float) -> float:
        return min(self.of_time.rate(latency_s), self.pending.rate(latency_s))


class KnownPace(AdaptivePace):
    """The pace of a client that knows how many pending requests are allowed, and the shortest interval."""

    def wait_s(self, now: float, in_flight: int) -> float:
        return 0.001 if in_flight >= self.state.most else 0.0

    def accepted(self, request: Started, now: float) -> None:
        """Nothing is learned."""


@cache
def rate_of_known(most: int, latency_s: float) -> float:
    """Return the requests per second that are possible if `most` may be pending, 20 ms apart."""
    simulation = Simulation(Pending(most), latency_s, start_s=0.02, pace=KnownPace)
    simulation.paces[0].state.most, simulation.paces[0].state.most_patience = most, inf
    began = simulation.now
    simulation.send(3000)
    assert simulation.refused == 0
    return simulation.accepted / (simulation.now - began)


@dataclass(frozen=True)
class Figures:
    """How much of what is allowed was accepted, and how much of what was sent was refused."""

    share: float
    refused: float
    interval_s: float


class Simulation:
    """Processes with a common pace, each with 64 rows in parallel and no end of rows."""

    def __init__(
        self,
        limit: Limit,
        latency_s: float,
        *,
        spread: float = 0.5,
        processes: int = 1,
        says_when: bool = False,
        values: list[float] | None = None,
        noise: float = 0.0,
        start_s: float = 0.3,
        pace: type[AdaptivePace] = AdaptivePace,
        seed: int = 1,
    ) -> None:
        self._limit, self._latency_s, self._spread, self._says_when = limit, latency_s, spread, says_when
        self._noise = noise
        self._random = random.Random(seed)
        self.values = values or [0.0] * len(PaceState.NAMES)
        self.paces = [pace(start_s, 0.02, self.values) for _ in range(processes)]
        self._rows = [deque([1] * 64) for _ in self.paces]  # the number of the next try of each
        self._wakes = [False] * processes
        self._events: list[tuple[float, int, Callable[..., None], Any]] = []
        self._number, self._pending, self._latest = count(), 0, float("-inf")
        self.now, self.accepted, self.refused = 1000.0, 0, 0
        for process in range(processes):
            self._at(0.0, self._send, process)

    def run(self, requests: int) -> Figures:
        """Send requests; return the figures of these."""
        began, accepted, refused = self.now, self.accepted, self.refused
        self.send(requests)
        allowed = min(self._limit.rate(self._latency_s), 50) * (self.now - began)
        accepted, refused = self.accepted - accepted, self.refused - refused
        return Figures(accepted / allowed, refused / requests, self.paces[0].interval_s)

    def send(self, requests: int) -> None:
        """Send requests until so many more have been answered."""
        sent = self.accepted + self.refused + requests
        while self.accepted + self.refused < sent:
            self.now, _, do, about = heapq.heappop(self._events)
            do(*about)

    def _at(self, after_s: float, do: Callable[..., None], *about: Any) -> None:
        heapq.heappush(self._events, (self.now + after_s, next(self._number), do, about))

    def _wake(self, process: int) -> None:
        self._wakes[process] = False
        self._send(process)

    def _send(self, process: int) -> None:
        pace, rows = self.paces[process], self._rows[process]
        while rows and not self._wakes[process]:
            wait_s = pace.wait_s(self.now, self._pending)
            if self._pending >= pace.state.most > 0 and self._pending:
                return  # until a response comes
            wait_s = max(wait_s, self._latest + pace.interval_s - self.now)
            if wait_s > 1e-9:
                self._wakes[process] = True
                self._at(wait_s, self._wake, process)
                return
            started = pace.started(self.now, self._pending)
            self._latest = self.now
            self._pending += 1
            wait = 0.001 if self._random.random() < self._noise else self._limit.ask(self.now)
            took_s = self._latency_s * self._random.uniform(1 - self._spread, 1 + self._spread)
            if wait is None:
                self._at(took_s, self._limit.done)
                self._at(took_s, self._ended, process, started, rows.popleft(), None)
            else:
                self._at(min(took_s, 0.05), self._ended, process, started, rows.popleft(), wait)

    def _ended(self, process: int, started: Started, attempt: int, wait: float | None) -> None:
        self._pending -= 1
        if wait is None:
            self.accepted += 1
            self.paces[process].accepted(started, self.now)
            self._rows[process].append(1)
        else:
            self.refused += 1
            seconds = float(int(wait) + 1) if self._says_when else None
            self.paces[process].refused(started, self.now, seconds)
            # The first retry waits for the pace alone, later ones like those of a client.
            again_s = 0.0 if attempt == 1 or seconds else 2 ** (attempt - 1) * self._random.uniform(0.5, 1)
            self._at(again_s, self._again, process, attempt + 1)
        for each in range(len(self.paces)):
            self._send(each)

    def _again(self, process: int, attempt: int) -> None:
        self._rows[process].append(attempt)
        self._send(process)
