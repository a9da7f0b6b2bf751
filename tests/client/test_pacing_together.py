"""Threads and processes that share an account keep one pace."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

from connector.client.pacing import Pacer, Turn
from connector.client.shared_times import OwnTimes
from connector.common import kept_lock
from connector.common.clock import SystemClock
from tests.client.starts import SleepyClock, begin, gaps, pacing_times, start_times
from tests.client.stores import Store
from tests.fakes import FakeClock, wait_until


def test_one_account_has_one_pace_over_all_pacers(clock: FakeClock, store: Store) -> None:
    first, second = (store.pacer(delay, clock) for delay in (300, 1000))
    begin(first)
    began = clock.time
    begin(second)
    assert clock.time - began == pytest.approx(1.0, abs=1e-5)
    begin(first)
    assert clock.time - began == pytest.approx(1.3, abs=1e-5)


def test_two_accounts_do_not_wait_for_each_other(clock: FakeClock, store: Store) -> None:
    for account in ("one", "another"):
        begin(store.pacer(300, clock, account))
    assert clock.slept == []


def test_without_a_delay_nothing_waits_but_others_know_of_it(clock: FakeClock, store: Store) -> None:
    fast, slow = store.pacer(0, clock), store.pacer(300, clock)
    for _ in range(3):
        begin(fast)
    assert clock.slept == []
    begin(slow)
    assert sum(clock.slept) == pytest.approx(0.3, abs=1e-5)


def test_who_keeps_a_delay_is_not_stopped_by_who_keeps_none(store: Store) -> None:
    clock = SleepyClock(lambda: 0.0)
    fast, slow = store.pacer(0, clock), store.pacer(300, clock)
    begin(slow)

    def meanwhile() -> float:
        begin(fast)
        return 0.0

    clock.late = meanwhile
    assert start_times(slow, clock, 3) == pytest.approx([0.3, 0.6, 0.9])


def test_who_must_wait_for_the_service_lets_others_wait_too(clock: FakeClock, store: Store) -> None:
    first, second = store.pacer(300, clock), store.pacer(300, clock)
    begin(first)
    began = clock.time
    assert first.limit
    first.limit.hold(60)
    begin(second)
    assert clock.time - began == pytest.approx(60, abs=1e-5)


def test_a_limit_that_the_service_reports_is_known_to_later_runs(clock: FakeClock, store: Store) -> None:
    limit = store.pacer(300, clock).limit
    assert limit
    limit.learn(re.compile(r"(\d+) in (\d+)"), "60 in 1")
    later, began = store.pacer(300, clock), clock.time
    begin(later)
    begin(later)
    assert clock.time - began == pytest.approx(1.05, abs=1e-5)


def test_without_a_delay_there_is_no_lock(
    clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pacer = Pacer(0, clock, pacing_times(tmp_path / "pace", clock))
    monkeypatch.setattr("connector.common.kept_lock._take", None)
    monkeypatch.setattr(pacer, "_joining", None)
    pacer.wait()


@pytest.fixture
def switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


class NotingClock(SystemClock):
    """The machine's clock. Remembers for each thread what it said last: to a pacer, that is a start."""

    def __init__(self) -> None:
        super().__init__()
        self.said = threading.local()

    def monotonic(self) -> float:  # type: ignore[override]
        self.said.last = time.monotonic()
        return float(self.said.last)


@pytest.mark.usefixtures("switching")
@pytest.mark.parametrize(("pacers", "shared"), [(1, False), (1, True), (4, True)])
def test_threads_start_a_delay_apart(tmp_path: Path, pacers: int, shared: bool) -> None:
    clock = NotingClock()
    begin = clock.monotonic()
    made = [
        Pacer(1, clock, pacing_times(tmp_path / "pace", clock) if shared else None) for _ in range(pacers)
    ]
    times: list[float] = []

    def work(pacer: Pacer) -> None:
        for _ in range(50):
            pacer.wait()
            times.append(clock.said.last)

    threads = [threading.Thread(target=work, args=(pacer,)) for pacer in made for _ in range(4 // pacers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    assert len(times) == 200
    assert times[0] >= begin
    assert min(gaps(times)) >= 0.0009 - 2e-6


PROCESS = """
import sys
from pathlib import Path
from connector.client.pacing import Pacer
from tests.client.starts import begin, pacing_times
from tests.client.test_pacing_together import NotingClock
clock = NotingClock()
pacer = Pacer(20, clock, pacing_times(Path(sys.argv[1]), clock))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(4):
    pacer.wait()
    print(repr(clock.said.last))
"""


def test_processes_start_a_delay_apart(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(tmp_path / "pace")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    each = [[float(line) for line in process.communicate()[0].split()] for process in processes]
    assert [len(one) for one in each] == [4, 4]
    assert min(gaps(sorted(each[0] + each[1]))) >= 0.020 - OwnTimes.tolerance_s - 2e-6


def test_nobody_starts_while_another_process_has_the_lock_and_soon_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system wakes whoever waits. Where it cannot, the lock is tried again every half millisecond."""
    pacer = Pacer(1, SystemClock(), pacing_times(tmp_path / "pace", SystemClock()))
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(seconds)

    monkeypatch.setattr(kept_lock, "time", SimpleNamespace(sleep=sleep, monotonic=time.monotonic))
    for _ in range(5):
        with FileLock(tmp_path / "pace.lock", thread_local=False):
            waiting = threading.Thread(target=pacer.wait)
            waiting.start()
            waiting.join(0.01)
            assert waiting.is_alive()
        waiting.join()
    assert set(slept) <= ({kept_lock.POLL_S} if sys.platform == "win32" else set())


def test_a_process_takes_one_slot_at_a_time_however_many_threads_it_has(tmp_path: Path) -> None:
    asleep, awake = threading.Semaphore(0), threading.Event()

    class StandingClock(FakeClock):
        def sleep(self, seconds: float) -> None:
            if seconds > 0:
                asleep.release()
                awake.wait()
                super().sleep(seconds)

    clock = StandingClock()
    many, other = (Pacer(300, clock, pacing_times(tmp_path / "pace", clock)) for _ in range(2))
    many.wait()
    threads = [threading.Thread(target=many.wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert asleep.acquire(timeout=60)
    assert not asleep.acquire(timeout=0.05)
    assert other._start(Turn(clock.monotonic(), 0.3)) == pytest.approx(0.3, abs=1e-5)
    awake.set()
    for thread in threads:
        thread.join()


class HeldUpClock(FakeClock):
    """Whose first sleep lasts until it is `woken`."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep, self.woken = threading.Event(), threading.Event()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.asleep.set()
            self.woken.wait()
            super().sleep(seconds)


def test_whoever_asked_first_starts_first() -> None:
    clock = HeldUpClock()
    pacer = Pacer(300, clock)
    started: list[str] = []

    def work(name: str, count: int) -> None:
        for _ in range(count):
            pacer.wait()
            started.append(name)

    busy = threading.Thread(target=work, args=("busy", 100))
    busy.start()
    clock.asleep.wait()
    last = pacer._last_turn
    patient = threading.Thread(target=work, args=("patient", 1))
    patient.start()
    wait_until(lambda: pacer._last_turn is not last)
    clock.woken.set()
    for thread in (busy, patient):
        thread.join()
    assert started.index("patient") <= 2


def test_whoever_is_interrupted_lets_the_next_one_start(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pacer = Pacer(300, clock)
    pacer.wait()
    with monkeypatch.context() as patch:
        patch.setattr(clock, "sleep", lambda seconds: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pacer.wait()
    pacer.wait()
    assert sum(clock.slept) == pytest.approx(0.3, abs=1e-5)
