"""Parallel calls with ordered results: how far ahead they run, how much they hold, and failures."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any

import pytest

from connector.errors import RunInterruptedError, RunStoppedError
from connector.runs import ordered_map
from connector.runs.ordered_map import run_in_order
from tests.fakes import wait_until
from tests.loopback import PATIENCE_S

MEBIBYTE = 1 << 20


@dataclass
class Bench:
    """Items 0, 1, 2, ... and what became of them. What a test hands in decides what happens to each."""

    count: int
    threads: int
    results: Callable[[int], Iterator[Any]] = lambda item: iter((item,))
    size: Callable[[Any], int] = lambda result: 1
    written: list[Any] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    furthest: int = 0
    on_write: Callable[[Sequence[Any]], None] = lambda results: None
    on_read: Callable[[int], None] = lambda item: None
    go_on: Callable[[], bool] = lambda: True
    _lock: Lock = field(default_factory=Lock)
    _writing: Lock = field(default_factory=Lock)

    def items(self) -> Iterator[int]:
        for item in range(self.count):
            self.on_read(item)
            yield item

    def work(self, item: int) -> Generator[Any, None, None]:
        with self._lock:
            self.begun.append(item)
            self.furthest = max(self.furthest, len(self.begun) - len(self.written))
        try:
            yield from self.results(item)
        finally:
            with self._lock:
                self.closed.append(item)

    def write(self, results: Sequence[Any]) -> None:
        assert self._writing.acquire(blocking=False), "two threads write at once"
        try:
            self.on_write(results)
            self.written += results
        finally:
            self._writing.release()

    def run(self) -> bool:
        """Run to the end, which must come: what hangs is a failure, and not a test that never ends."""
        ended: list[Any] = []

        def target() -> None:
            try:
                ended.append(
                    run_in_order(
                        self.items(),
                        self.work,
                        self.write,
                        threads=self.threads,
                        go_on=lambda: self.go_on(),
                        size=self.size,
                    )
                )
            except BaseException as error:
                ended.append(error)

        runner = Thread(target=target, daemon=True)
        runner.start()
        runner.join(PATIENCE_S)
        assert ended, f"it hangs: begun {self.begun[-5:]}, written {self.written[-5:]}"
        if isinstance(ended[0], BaseException):
            raise ended[0]
        return bool(ended[0])

    def assert_all_ended(self) -> None:
        """Whatever was begun came to its end, and no thread is left."""
        wait_until(lambda: sorted(self.closed) == sorted(self.begun))
        wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("rows-")])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordered_map, "_POLL_INTERVAL_S", 0.02)


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The items of which the window knows that they have ended: somewhat later than their last result."""
    noted: set[int] = set()
    end = ordered_map._Window._end

    def note(window: ordered_map._Window[Any, Any], slot: ordered_map._Slot[Any]) -> None:
        end(window, slot)
        noted.add(slot.place)

    monkeypatch.setattr(ordered_map._Window, "_end", note)
    return noted


# --- order -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 8, 40])
def test_results_are_written_in_the_order_of_the_items(threads: int) -> None:
    bench = Bench(500, threads)
    draw = random.Random(threads)

    def results(item: int) -> Iterator[Any]:
        for number in range(draw.choice([0, 1, 1, 1, 5])):
            if draw.random() < 0.1:
                time.sleep(0.0005)  # lets others overtake
            yield item, number

    bench.results = results
    assert bench.run() is True
    assert bench.written == sorted(bench.written)
    assert bench.begun == sorted(bench.begun) or threads > 1
    assert sorted(bench.begun) == list(range(500))
    bench.assert_all_ended()


def test_what_ends_in_the_opposite_order_is_written_in_the_right_one(ended: set[int]) -> None:
    def results(item: int) -> Iterator[int]:
        wait_until(lambda: item == 7 or item + 1 in ended)
        yield item

    bench = Bench(8, 8, results)
    batches: list[int] = []
    bench.on_write = lambda results: batches.append(len(results))
    assert bench.run()
    assert bench.written == list(range(8))
    assert batches == [1, 7]  # the first one's own, and all that had waited for it at once


def test_no_items_are_all_items() -> None:
    assert Bench(0, 4).run() is True


# --- bounds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("threads", "room"), [(2, 64), (16, 64), (40, 160)])
def test_behind_one_that_hangs_a_bounded_number_is_begun(threads: int, room: int) -> None:
    response = Event()

    def results(item: int) -> Iterator[int]:
        if item == 3:
            assert response.wait(PATIENCE_S)
        yield item

    bench = Bench(1000, threads, results)

    def release() -> None:
        wait_until(lambda: len(bench.begun) - len(bench.written) >= room)
        response.set()

    Thread(target=release).start()
    assert bench.run()
    assert bench.written == list(range(1000))
    assert bench.furthest == room


def test_the_leading_one_streams_and_the_others_hold_no_more_than_they_may() -> None:
    produced = [0] * 6
    response = Event()
    bench = Bench(6, 6, size=lambda result: MEBIBYTE)

    def results(item: int) -> Iterator[tuple[int, int]]:
        wait_until(lambda: len(bench.begun) == 6)
        if item == 0:
            assert response.wait(PATIENCE_S)
        for number in range(40):
            produced[item] += 1
            yield item, number
            if item == 0:
                assert bench.written[-1] == (0, number)

    bench.results = results
    # Each of the five may hold the one that brings it over the bound.
    most = ordered_map._MAX_HELD // MEBIBYTE + 5

    def release() -> None:
        wait_until(lambda: sum(produced) == most)
        response.set()

    def on_write(results: Sequence[Any]) -> None:
        if results[0][0] == 0:
            assert sum(produced[1:]) == most

    Thread(target=release).start()
    bench.on_write = on_write
    assert bench.run()
    assert bench.written == [(item, number) for item in range(6) for number in range(40)]


# --- the end -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [2, 8])
def test_when_nothing_more_is_to_be_begun_what_is_under_way_is_written(threads: int) -> None:
    bench = Bench(1000, threads)
    bench.go_on = lambda: len(bench.begun) < 100
    assert bench.run() is False
    assert 100 <= len(bench.begun) < 100 + threads
    assert bench.written == sorted(bench.begun)
    bench.assert_all_ended()


def test_a_reader_that_waits_for_more_input_does_not_hold_up_the_end() -> None:
    more, stopping = Event(), Event()
    bench = Bench(10, 4)

    def on_read(item: int) -> None:
        if item == 5:
            wait_until(lambda: bench.written == [0, 1, 2, 3, 4])
            stopping.set()
            assert more.wait(PATIENCE_S)

    bench.on_read = on_read
    bench.go_on = lambda: not stopping.is_set()
    assert bench.run() is False
    assert bench.written == [0, 1, 2, 3, 4]
    more.set()
    bench.assert_all_ended()
    assert len(bench.begun) == 5


# --- failures ----------------------------------------------------------------------------------------------


class Fault(Exception):
    """What the tests let happen."""


PLACES = ("read", "work", "work after a result", "write", "write of several", "go_on", "size")


@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("at", [0, 1, 7, 80])
def test_a_fault_at_any_place_ends_the_run_and_loses_nothing_before_it(
    place: str, threads: int, at: int, ended: set[int]
) -> None:
    asked = 0
    bench = Bench(200, threads)

    def results(item: int) -> Iterator[Any]:
        if place in ("size", "write of several") and item == 0 and threads > 1:
            wait_until(lambda: bool(bench.closed) if place == "size" else len(ended) >= 2)  # others are held
        if place == "work" and item == at:
            raise Fault
        yield item, 0
        if place == "work after a result" and item == at:
            raise Fault
        yield item, 1

    def on_write(results: Sequence[Any]) -> None:
        if (place == "write" and (at, 0) in results) or (place == "write of several" and len(results) > 2):
            raise Fault

    def on_read(item: int) -> None:
        if place == "read" and item == at:
            raise Fault

    def go_on() -> bool:
        nonlocal asked
        asked += 1
        if place == "go_on" and asked > at:
            raise Fault
        return True

    def size(result: Any) -> int:
        if place == "size":
            raise Fault
        return 1

    bench.results, bench.on_write, bench.on_read = results, on_write, on_read
    bench.go_on, bench.size = go_on, size
    may_pass = threads == 1 and place in ("size", "write of several")  # nothing is ever held then
    try:
        assert bench.run() is True
        assert may_pass
    except Fault:
        assert not may_pass
    everything = [(item, number) for item in range(200) for number in range(2)]
    assert bench.written == everything[: len(bench.written)]
    if place in ("work", "read"):
        assert bench.written == everything[: 2 * at]
    elif place == "write":
        assert len(bench.written) <= 2 * at
    bench.assert_all_ended()


@pytest.mark.parametrize("seed", range(30))
def test_many_faults_at_once(seed: int) -> None:
    draw = random.Random(seed)
    bench = Bench(300, draw.choice([2, 5, 16]), size=lambda result: MEBIBYTE)
    faults = {draw.randrange(300): draw.choice(["work", "write", "read"]) for _ in range(4)}

    def results(item: int) -> Iterator[Any]:
        for number in range(draw.choice([0, 1, 3])):
            if draw.random() < 0.1:
                time.sleep(0.0005)
            yield item, number
        if faults.get(item) == "work":
            raise Fault

    def on_write(results: Sequence[Any]) -> None:
        if any(faults.get(item) == "write" for item, _ in results):
            raise Fault

    def on_read(item: int) -> None:
        if faults.get(item) == "read":
            raise Fault

    bench.results, bench.on_write, bench.on_read = results, on_write, on_read
    with suppress(Fault):
        assert bench.run()
    assert bench.written == sorted(bench.written)
    assert len(set(bench.written)) == len(bench.written)
    bench.assert_all_ended()


def test_what_stands_before_the_failed_one_is_still_written() -> None:
    failed, waited = Event(), []

    def results(item: int) -> Iterator[int]:
        if item == 0:
            assert failed.wait(PATIENCE_S)
        if item == 2:
            wait_until(lambda: len(bench.begun) >= 4)
            failed.set()
            raise Fault
        yield item
        waited.append(item)

    bench = Bench(100, 4, results)
    with pytest.raises(Fault):
        bench.run()
    assert bench.written == [0, 1]
    bench.assert_all_ended()


def test_one_that_waits_to_lead_learns_that_it_never_will() -> None:
    bench = Bench(2, 2, size=lambda result: 5 * MEBIBYTE)
    produced: list[int] = []

    def results(item: int) -> Iterator[int]:
        if item == 0:
            wait_until(lambda: produced == [0])
            raise Fault
        for number in range(3):
            produced.append(number)
            yield number

    bench.results = results
    with pytest.raises(Fault):
        bench.run()
    assert (bench.written, produced) == ([], [0])
    bench.assert_all_ended()


def test_a_fault_is_told_rather_than_that_others_were_interrupted_by_it() -> None:
    def results(item: int) -> Iterator[int]:
        wait_until(lambda: len(bench.begun) == 2)
        if item == 0:
            wait_until(lambda: 1 in bench.closed)
            raise RunStoppedError("the disk is full")
        raise RunInterruptedError("it waits no longer")
        yield 0

    bench = Bench(2, 2, results)
    with pytest.raises(RunStoppedError, match="the disk is full"):
        bench.run()


@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_a_system_that_allows_few_threads_is_used_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch, allowed: int
) -> None:
    started = 0
    start = Thread.start

    def limited(thread: Thread) -> None:
        nonlocal started
        if thread.name.startswith("rows-"):
            started += 1
            if started > allowed:
                raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(Thread, "start", limited)
    bench = Bench(50, 8)
    if allowed:
        assert bench.run()
        assert bench.written == list(range(50))
    else:
        with pytest.raises(RunStoppedError, match="no thread can be started: can't start new thread"):
            bench.run()


HANGS = """
import time
from connector.runs.ordered_map import run_in_order
def work(item):
    print("begun", flush=True)
    time.sleep(60)
    yield item
run_in_order(iter(range(9)), work, print, threads=2, go_on=lambda: True, size=lambda r: 1)
"""


def test_ctrl_c_does_not_wait_for_threads_that_hang() -> None:
    process = subprocess.Popen([sys.executable, "-c", HANGS], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    for _ in range(2):  # Python aborts if it ends while a thread prints.
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == -signal.SIGINT
    assert message.rstrip().endswith(b"KeyboardInterrupt")
