"""The time between starts: in one thread, over threads, over processes, and after a restart."""

from __future__ import annotations

import random
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from filelock import FileLock

from connector.client.pacing import TOLERANCE_S, Pacer
from connector.common import user_folders
from connector.common.clock import SystemClock
from tests.fakes import FakeClock

SHARED = struct.Struct("=dddd")
"""What pacers share: when the clock began; the latest slot, start and unpaced start."""


def starts(pacer: Pacer, clock: FakeClock, count: int) -> list[float]:
    """The times at which so many requests start, one after the other."""
    begin = clock.monotonic()
    times = []
    for _ in range(count):
        pacer.wait()
        times.append(round(clock.monotonic() - begin, 6))
    return times


@pytest.mark.parametrize("shared", [False, True])
def test_starts_are_a_delay_apart(clock: FakeClock, tmp_path: Path, shared: bool) -> None:
    pacer = Pacer(300, clock, tmp_path / "pace" if shared else None)
    assert starts(pacer, clock, 4) == [0, 0.3, 0.6, 0.9]


def test_time_that_passed_anyway_is_not_waited_for_again(clock: FakeClock) -> None:
    pacer = Pacer(300, clock)
    pacer.wait()
    clock.time += 0.2
    pacer.wait()
    clock.time += 5
    pacer.wait()
    assert clock.slept == [pytest.approx(0.1, abs=1e-5)]


# Sleeps that take too long


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


def start_times(pacer: Pacer, clock: SleepyClock, count: int) -> list[float]:
    times = []
    for _ in range(count):
        pacer.wait()
        times.append(clock.time)
    return times


def gaps(times: list[float]) -> list[float]:
    return [b - a for a, b in pairwise(times)]


def test_sleeps_that_are_a_little_too_long_do_not_add_up() -> None:
    clock = SleepyClock(lambda: 0.0001)
    times = start_times(Pacer(5, clock), clock, 500)
    assert times[-1] == pytest.approx(499 * 0.005, abs=0.00011)
    assert min(gaps(times)) >= 0.005 - 2e-6


def test_a_late_start_keeps_the_next_one_away_and_is_made_up_for_slowly() -> None:
    late = iter([0.003])
    clock = SleepyClock(lambda: next(late, 0.0))
    times = start_times(Pacer(5, clock), clock, 20)
    assert times[1] == pytest.approx(0.008)
    assert gaps(times)[1:7] == pytest.approx([0.005 - TOLERANCE_S] * 6)
    assert times[-1] == pytest.approx(19 * 0.005)


def test_a_start_that_is_later_than_the_next_slots_is_not_made_up_for() -> None:
    late = iter([1.0])
    clock = SleepyClock(lambda: next(late, 0.0))
    times = start_times(Pacer(5, clock), clock, 100)
    assert min(gaps(times)) >= 0.005 - TOLERANCE_S - 2e-6
    assert times[-1] >= 1.0 + 98 * 0.005 - 0.005


def test_who_asked_in_time_gets_the_slot_of_that_time_behind_a_late_start() -> None:
    clock = SleepyClock(lambda: 0.0)
    pacer = Pacer(5, clock)
    pacer.wait()
    clock.time = 0.02
    assert [pacer._reserve(0.001), pacer._reserve(0.001)] == pytest.approx([-0.015, -0.010])
    assert [pacer._reserve(0.02), pacer._reserve(0.02)] == pytest.approx([0, 0.005])


@pytest.mark.parametrize("delay_ms", [1, 5, 300])
def test_starts_keep_their_distance_whatever_sleeps_do(delay_ms: float) -> None:
    draw = random.Random(7)
    delay_s = delay_ms / 1000
    clock = SleepyClock(lambda: draw.choice([0.0, 0.0001, 0.001, 0.004, draw.expovariate(10)]))
    times = start_times(Pacer(delay_ms, clock), clock, 2000)
    assert min(gaps(times)) >= delay_s - min(TOLERANCE_S, delay_s / 10) - 2e-6


def test_a_start_keeps_its_distance_from_a_late_one_of_another_process(tmp_path: Path) -> None:
    clock = SleepyClock(lambda: 0.0)
    late, other = (Pacer(5, clock, tmp_path / "pace") for _ in range(2))
    assert [late._reserve(0), other._reserve(0)] == pytest.approx([0, 0.005])
    clock.time = 0.004  # late was asleep for too long, and other is not
    assert late._start() == 0
    clock.time = 0.005
    assert other._start() == pytest.approx(0.004 - TOLERANCE_S)
    clock.time += 0.004
    assert other._start() == 0


def test_the_next_start_keeps_its_distance_from_when_a_request_left(tmp_path: Path) -> None:
    clock = SleepyClock(lambda: 0.0)
    pacer, other = (Pacer(5, clock, tmp_path / "pace") for _ in range(2))
    pacer.wait()
    clock.time = 0.003
    pacer.leaving()
    assert start_times(other, clock, 1) == pytest.approx([0.008 - TOLERANCE_S])


def test_a_request_that_leaves_late_hides_no_later_start_and_an_unpaced_one_is_none(tmp_path: Path) -> None:
    clock = SleepyClock(lambda: 0.0)
    pacer, free = Pacer(5, clock, tmp_path / "pace"), Pacer(0, clock, tmp_path / "pace")
    pacer._times[2] = 0.010
    clock.time = 0.003
    pacer.leaving()
    clock.time = 0.012
    free.leaving()
    assert pacer._start() == pytest.approx(0.003 - TOLERANCE_S)


# Threads and processes


def test_one_account_has_one_pace_over_all_pacers(clock: FakeClock, tmp_path: Path) -> None:
    first, second = (Pacer(delay, clock, tmp_path / "pace") for delay in (300, 1000))
    first.wait()
    second.wait()
    first.wait()
    assert clock.slept == [pytest.approx(1.0, abs=1e-5), pytest.approx(0.3, abs=1e-5)]


def test_two_accounts_do_not_wait_for_each_other(clock: FakeClock, tmp_path: Path) -> None:
    for name in ("pace-a", "pace-b"):
        Pacer(300, clock, tmp_path / name).wait()
    assert clock.slept == []


def test_without_a_delay_nothing_waits_but_others_know_of_it(clock: FakeClock, tmp_path: Path) -> None:
    fast, slow = Pacer(0, clock, tmp_path / "pace"), Pacer(300, clock, tmp_path / "pace")
    for _ in range(3):
        fast.wait()
    assert clock.slept == []
    slow.wait()
    assert clock.slept == [pytest.approx(0.3, abs=1e-5)]


def test_without_a_delay_a_time_that_others_were_given_stays(clock: FakeClock, tmp_path: Path) -> None:
    fast, slow = Pacer(0, clock, tmp_path / "pace"), Pacer(300, clock, tmp_path / "pace")
    now = clock.monotonic()
    assert [slow._reserve(now) for _ in range(3)] == pytest.approx([0, 0.3, 0.6], abs=1e-5)
    fast.wait()
    another = Pacer(300, clock, tmp_path / "pace")
    assert another._reserve(now) == pytest.approx(0.9, abs=1e-5)


def test_who_keeps_a_delay_is_not_stopped_by_who_keeps_none(tmp_path: Path) -> None:
    clock = SleepyClock(lambda: 0.0)
    fast, slow = Pacer(0, clock, tmp_path / "pace"), Pacer(300, clock, tmp_path / "pace")
    slow.wait()

    def meanwhile() -> float:
        fast.wait()
        return 0.0

    clock.late = meanwhile
    assert start_times(slow, clock, 3) == pytest.approx([0.3, 0.6, 0.9])


def test_without_a_delay_there_is_no_lock(
    clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pacer = Pacer(0, clock, tmp_path / "pace")
    monkeypatch.setattr(FileLock, "acquire", None)
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
    made = [Pacer(1, clock, tmp_path / "pace" if shared else None) for _ in range(pacers)]
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
from tests.client.test_pacing import NotingClock
clock = NotingClock()
pacer = Pacer(20, clock, Path(sys.argv[1]))
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
    assert min(gaps(sorted(each[0] + each[1]))) >= 0.020 - TOLERANCE_S - 2e-6


def test_nobody_starts_while_another_process_has_the_lock_and_soon_after(tmp_path: Path) -> None:
    pacer = Pacer(1, SystemClock(), tmp_path / "pace")
    took = []
    for _ in range(5):
        with FileLock(tmp_path / "pace.lock", thread_local=False):
            waiting = threading.Thread(target=pacer.wait)
            waiting.start()
            waiting.join(0.01)
            assert waiting.is_alive()
        freed = time.monotonic()
        waiting.join()
        took.append(time.monotonic() - freed)
    assert min(took) < 0.03


def test_a_process_takes_one_slot_at_a_time_however_many_threads_it_has(tmp_path: Path) -> None:
    asleep, awake = threading.Semaphore(0), threading.Event()

    class StandingClock(FakeClock):
        def sleep(self, seconds: float) -> None:
            if seconds > 0:
                asleep.release()
                awake.wait()
                super().sleep(seconds)

    clock = StandingClock()
    many, other = (Pacer(300, clock, tmp_path / "pace") for _ in range(2))
    many.wait()
    threads = [threading.Thread(target=many.wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert asleep.acquire(timeout=60)
    assert not asleep.acquire(timeout=0.05)
    assert other._reserve(clock.monotonic()) == pytest.approx(0.6, abs=1e-5)
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
    begin = time.monotonic()
    while pacer._last_turn is last and time.monotonic() < begin + 10:
        time.sleep(0.001)
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
    assert sum(clock.slept) == pytest.approx(0.6, abs=1e-5)


# The file


@pytest.mark.parametrize(
    ("ahead_s", "boot_shift_s", "waits"),
    [
        pytest.param(0.0, 0.0, 0.3, id="this start of the machine"),
        pytest.param(0.0, 30.0, 0.3, id="a clock that was set a little"),
        pytest.param(1000.0, -86400.0, 0.0, id="an earlier start of the machine"),
        pytest.param(0.0, 3600.0, 0.0, id="a start of the machine in the future"),
    ],
)
def test_a_time_counts_only_since_the_machines_last_start(
    clock: FakeClock, tmp_path: Path, ahead_s: float, boot_shift_s: float, waits: float
) -> None:
    began = clock.now() - clock.monotonic() + boot_shift_s
    then = clock.monotonic() + ahead_s
    (tmp_path / "pace").write_bytes(SHARED.pack(began, then, then, then))
    Pacer(300, clock, tmp_path / "pace").wait()
    assert sum(clock.slept) == pytest.approx(waits, abs=1e-5)


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * 32, SHARED.pack(*[float("nan")] * 4), b"x" * 99])
def test_a_broken_file_costs_no_time(clock: FakeClock, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pace").write_bytes(content)
    assert starts(Pacer(300, clock, tmp_path / "pace"), clock, 2) == [0, 0.3]
    _, slot, started, _ = SHARED.unpack_from((tmp_path / "pace").read_bytes())
    assert [slot, started] == pytest.approx([clock.monotonic()] * 2, abs=1e-5)


def test_the_file_is_its_users_alone(clock: FakeClock, tmp_path: Path) -> None:
    Pacer(300, clock, tmp_path / "pace").wait()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"pace": 0o600, "pace.lock": 0o600}


def test_a_file_that_cannot_be_opened_leaves_each_process_its_own_time(
    clock: FakeClock, tmp_path: Path
) -> None:
    (tmp_path / "pace").mkdir()
    assert starts(Pacer(300, clock, tmp_path / "pace"), clock, 3) == [0, 0.3, 0.6]
    assert starts(Pacer(300, clock, tmp_path / "no folder" / "pace"), clock, 3) == [0, 0.3, 0.6]


def test_a_lock_that_breaks_in_the_middle_keeps_the_pace(
    clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pacer = Pacer(300, clock, tmp_path / "pace")
    pacer.wait()

    def broken(*_: object, **__: object) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr("filelock.FileLock.acquire", broken)
    pacer.wait()
    pacer.wait()
    assert sum(clock.slept) == pytest.approx(0.6, abs=1e-5)


# The folder


def test_the_state_folder_is_its_users_alone(own_state: Path) -> None:
    folder = user_folders.state_folder()
    assert folder.is_relative_to(own_state)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_state_file_tells_nothing_of_its_key() -> None:
    path = user_folders.state_file("token", "an-app\na-very-secret-secret")
    assert path.parent == user_folders.state_folder()
    assert path.name.startswith("token-")
    assert "secret" not in path.name
    assert path != user_folders.state_file("token", "an-app\nanother-secret")


def test_where_the_user_has_no_cache_folder_a_temporary_one_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = user_folders.state_folder()
    assert folder.parent == tmp_path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert user_folders.state_folder() == folder
