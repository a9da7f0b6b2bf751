"""Starts of a pacer on a clock whose sleeps may take too long."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from connector.client.pacing import FRESH, Pacer, Turn
from connector.client.shared_times import FileTimes
from connector.common.clock import Clock


class SleepyClock:
    """Time that moves only by sleeping, each time by `late()` seconds more than was asked for."""

    def __init__(self, late: Callable[[], float]) -> None:
        self.time, self.late = 0.0, late

    def now(self) -> float:
        return 1_790_000_000.0 + self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.time += seconds + self.late()


def pacing_times(path: Path, clock: Clock) -> FileTimes:
    """The times of an account's pacers in a file."""
    return FileTimes(path, clock, FRESH)


def begin(pacer: Pacer) -> Turn:
    """Wait until a request can start, and let it leave."""
    turn = pacer.wait()
    pacer.leaving(turn)
    return turn


def start_times(pacer: Pacer, clock: SleepyClock, count: int) -> list[float]:
    times = []
    for _ in range(count):
        begin(pacer)
        times.append(clock.time)
    return times


def gaps(times: list[float]) -> list[float]:
    return [b - a for a, b in pairwise(times)]
