"""The loop of `sync serve` by a clock of its own: alerts at once, runs by the schedule, and errors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from connector.errors import RunStoppedError
from connector.sync.interleaved import Interleaved
from connector.sync.service import PAUSE_S, STALLED_S, SyncService


class Driver:
    """What is done to the alerts; `faults` are raised by the next calls of `work`."""

    def __init__(self) -> None:
        self.blocked = ""
        self.done: list[str] = []
        self.faults: list[Exception] = []

    def start(self) -> None:
        self.done.append("start")

    def work(self) -> None:
        self.done.append("work")
        if self.faults:
            raise self.faults.pop(0)


class Loop:
    """A service whose naps take no time: each one lets the clock pass, and `then` happen."""

    def __init__(self, run: Callable[[], None] = lambda: None, naps: int = 5) -> None:
        self.now, self.driver, self.runs = 0.0, Driver(), 0
        self.stop = threading.Event()
        self._run, self._naps = run, naps
        self.service = SyncService(
            lambda: self.driver, self.run, lambda: {"runs": self.runs}, 600, self.stop, lambda: self.now
        )
        self.service._nap = self.nap  # type: ignore[method-assign]
        self.waits: list[float] = []
        self.then: Callable[[], None] = lambda: None

    def run(self) -> None:
        self.runs += 1
        self._run()

    def nap(self, until: float) -> None:
        self.waits.append(until - self.now)
        self.now = until
        self.then()
        self._naps -= 1
        if not self._naps:
            self.stop.set()


def test_a_run_is_made_at_once_and_then_every_so_often() -> None:
    loop = Loop(naps=1201)
    loop.service.serve()
    assert loop.runs == 2
    assert loop.now > 600
    assert loop.driver.done.count("work") == 1201


def test_after_an_error_the_driver_finds_out_what_it_left_behind() -> None:
    loop = Loop(naps=3)
    loop.driver.faults = [RunStoppedError("state.db: cannot be written: disk full")]
    seen = []
    loop.then = lambda: seen.append(loop.service.health())
    loop.service.serve()
    assert loop.driver.done == ["work", "start", "work", "work"]
    assert loop.waits[0] == PAUSE_S
    assert [is_well for is_well, _ in seen] == [False, True, True]
    assert seen[0][1]["errors"] == ["state.db: cannot be written: disk full"]


def test_a_run_that_failed_shows_until_one_succeeds() -> None:
    def fail() -> None:
        if loop.runs == 1:
            raise RunStoppedError("a list broke off")

    loop = Loop(fail, naps=1300)
    seen = []
    loop.then = lambda: seen.append(loop.service.health()[0])
    loop.service.serve()
    assert loop.runs == 2
    assert seen[:1000] == [False] * 1000
    assert seen[-1]


def test_health_shows_counts_and_that_no_tickets_are_created() -> None:
    loop = Loop(naps=30)
    seen = []
    loop.then = lambda: seen.append(loop.service.health())
    loop.driver.blocked = "no tickets are created: no stamp"
    loop.service.serve()
    assert [is_well for is_well, _ in seen] == [False] * 30
    assert seen[0][1]["errors"] == ["no tickets are created: no stamp"]
    assert seen[0][1]["runs"] == 1


def test_a_run_that_planned_nothing_shows_until_one_plans() -> None:
    loop = Loop(naps=1300)
    loop.service._run = lambda: "a list broke off" if loop.now < 600 else None  # type: ignore[assignment]
    seen = []
    loop.then = lambda: seen.append(loop.service.health()[1]["errors"])
    loop.service.serve()
    assert (seen[0], seen[-1]) == (["a list broke off"], [])


def test_a_loop_that_hangs_is_not_well() -> None:
    loop = Loop()
    loop.now = STALLED_S + 1
    is_well, shown = loop.service.health()
    assert (is_well, shown["last_activity_s"]) == (False, STALLED_S + 1)
    loop.service.between()
    assert loop.service.health()[0]


def test_what_is_delivered_is_worked_on_before_calls_and_between_records_of_a_list() -> None:
    class Side:
        title = "The RMM"

        def devices(self) -> Iterator[int]:
            yield from (1, 2, 3)

        def device(self, id: int) -> list[int]:
            return [id]

    loop = Loop()
    side = Interleaved(Side(), loop.service.between)
    assert side.title == "The RMM"
    assert side.device(4) == [4]
    read = iter(side.devices())
    assert next(read) == 1
    assert loop.driver.done == []
    loop.service.deliver()
    assert [*read] == [2, 3]
    assert loop.driver.done == ["work"]
    loop.service.deliver()
    side.device(4)
    assert loop.driver.done == ["work", "work"]
