"""The machine's clock, whose waits end early when the run is to stop."""

from __future__ import annotations

import threading
import time
from threading import Event

import pytest

from connector.common import clock
from connector.common.clock import PATIENCE_S, SystemClock
from connector.errors import RowError, RunInterruptedError


class Time:
    """Stands for the `time` module: it moves by sleeping alone, and may ask the run to stop meanwhile."""

    def __init__(self, stop: Event, at: float = float("inf")) -> None:
        self.elapsed, self._stop, self._at = 0.0, stop, at
        self.sleeps = 0

    def monotonic(self) -> float:
        return self.elapsed

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.sleeps += 1
        self.elapsed += seconds
        if self.elapsed >= self._at:
            self._stop.set()


@pytest.fixture
def stop() -> Event:
    return Event()


def wait(monkeypatch: pytest.MonkeyPatch, stop: Event, seconds: float, stop_at: float) -> float:
    """Wait, and return how long it took, in seconds. Raises Interrupted with the time in `args`."""
    time_ = Time(stop, stop_at)
    if stop_at == 0:
        stop.set()
    monkeypatch.setattr(clock, "time", time_)
    try:
        SystemClock(stop).sleep(seconds)
    except RunInterruptedError:
        raise RunInterruptedError(time_.elapsed) from None
    return time_.elapsed


@pytest.mark.parametrize("seconds", [0.001, 0.25, 3, 300])
def test_a_wait_takes_as_long_as_it_should(
    monkeypatch: pytest.MonkeyPatch, stop: Event, seconds: float
) -> None:
    assert wait(monkeypatch, stop, seconds, float("inf")) == pytest.approx(seconds)


def test_a_delay_between_requests_is_one_sleep(monkeypatch: pytest.MonkeyPatch, stop: Event) -> None:
    time_ = Time(stop)
    monkeypatch.setattr(clock, "time", time_)
    SystemClock(stop).sleep(0.45)  # the longest default of a service
    assert time_.sleeps == 1


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_wait_is_none_also_when_the_run_is_to_stop(
    monkeypatch: pytest.MonkeyPatch, stop: Event, seconds: float
) -> None:
    assert wait(monkeypatch, stop, seconds, 0) == 0


@pytest.mark.parametrize("seconds", [0.1, PATIENCE_S - 0.1])
def test_a_short_wait_ends_as_it_should_also_when_the_run_is_to_stop(
    monkeypatch: pytest.MonkeyPatch, stop: Event, seconds: float
) -> None:
    assert wait(monkeypatch, stop, seconds, 0) == pytest.approx(seconds)


@pytest.mark.parametrize(("seconds", "stop_at"), [(300, 0), (300, 100), (PATIENCE_S + 1, 0.2)])
def test_a_long_wait_ends_as_soon_as_the_run_is_to_stop(
    monkeypatch: pytest.MonkeyPatch, stop: Event, seconds: float, stop_at: float
) -> None:
    with pytest.raises(RunInterruptedError) as caught:
        wait(monkeypatch, stop, seconds, stop_at)
    assert stop_at <= caught.value.args[0] <= stop_at + 0.5


def test_patience_counts_from_when_the_run_is_to_stop(monkeypatch: pytest.MonkeyPatch, stop: Event) -> None:
    time_ = Time(stop, 10)
    monkeypatch.setattr(clock, "time", time_)
    waiting = SystemClock(stop)
    waiting.sleep(10)
    for _ in range(4):
        waiting.sleep(1.2)
    with pytest.raises(RunInterruptedError):
        waiting.sleep(1.2)
    assert time_.elapsed == pytest.approx(10 + 4 * 1.2, abs=0.3)


def test_where_nothing_can_be_resumed_the_row_ends_with_an_error(stop: Event) -> None:
    stop.set()
    with pytest.raises(RowError, match="the run was stopped while the row was waiting") as caught:
        SystemClock(stop, resumable=False).sleep(60)
    assert (caught.value.code, caught.value.refused) == ("cancelled", True)


def test_without_a_stop_nothing_ends_early() -> None:
    began = time.monotonic()
    SystemClock().sleep(0.01)
    assert time.monotonic() - began >= 0.01


def test_a_thread_that_waits_learns_of_it() -> None:
    stop = Event()
    ended: list[BaseException] = []

    def wait_long() -> None:
        try:
            SystemClock(stop).sleep(60)
        except RunInterruptedError as error:
            ended.append(error)

    thread = threading.Thread(target=wait_long, daemon=True)
    thread.start()
    stop.set()
    thread.join(PATIENCE_S)
    assert ended
