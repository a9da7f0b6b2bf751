"""The time between starts: in one thread, with inexact sleeps, and after a restart of the machine."""

from __future__ import annotations

import random
import stat
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from connector.client.pacing import FRESH, Pacer, Turn
from connector.client.shared_times import FileTimes, OwnTimes
from connector.common import user_folders
from tests.client.starts import SleepyClock, begin, gaps, pacing_times, start_times
from tests.client.stores import Store
from tests.fakes import FakeClock, HurriedClock

TOLERANCE_S = OwnTimes.tolerance_s
SHARED = struct.Struct("=ddddd")
"""What pacers share: when the clock began; the latest slot, start and unpaced start; the latest delay."""


def starts(pacer: Pacer, clock: FakeClock, count: int) -> list[float]:
    """The times at which so many requests start, one after the other."""
    began = clock.monotonic()
    times = []
    for _ in range(count):
        begin(pacer)
        times.append(round(clock.monotonic() - began, 6))
    return times


def test_starts_are_a_delay_apart(clock: FakeClock) -> None:
    assert starts(Pacer(300, clock), clock, 4) == [0, 0.3, 0.6, 0.9]


def test_starts_of_a_shared_account_are_a_delay_apart(clock: FakeClock, store: Store) -> None:
    assert starts(store.pacer(300, clock), clock, 4) == pytest.approx([0, 0.3, 0.6, 0.9], abs=1e-5)


def test_time_that_passed_anyway_is_not_waited_for_again(clock: FakeClock) -> None:
    pacer = Pacer(300, clock)
    pacer.wait()
    clock.time += 0.2
    pacer.wait()
    clock.time += 5
    pacer.wait()
    assert clock.slept == [pytest.approx(0.1, abs=1e-5)]


def test_a_start_takes_the_lock_of_the_times_once(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    times = OwnTimes(clock, FRESH)
    pacer = Pacer(300, clock, times)
    monkeypatch.setattr(times, "change", lambda step: taken.append(clock.monotonic()) or step())
    begin = clock.monotonic()
    starts(pacer, clock, 4)
    assert [time - begin for time in taken] == pytest.approx([0, 0.3, 0.6, 0.9])


# Sleeps that take too long


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


def test_a_request_that_asked_in_time_gets_the_slot_of_that_time_behind_a_late_start() -> None:
    clock = SleepyClock(lambda: 0.0)
    pacer = Pacer(5, clock)
    pacer.wait()
    clock.time = 0.02
    first, second, third = Turn(0.001, 0.005), Turn(0.001, 0.005), Turn(0.03, 0.005)
    assert pacer._start(first) == 0
    assert pacer._start(second) == pytest.approx(0.005 - TOLERANCE_S)  # the distance, as its slot is over
    clock.time = 0.03
    assert [pacer._start(second), first.slot, second.slot] == pytest.approx([0, 0.005, 0.010])
    assert pacer._start(third) == pytest.approx(0.005 - TOLERANCE_S)
    assert third.slot == pytest.approx(0.03)


@pytest.mark.parametrize("delay_ms", [1, 5, 300])
def test_starts_keep_their_distance_whatever_sleeps_do(delay_ms: float) -> None:
    draw = random.Random(7)
    delay_s = delay_ms / 1000
    clock = SleepyClock(lambda: draw.choice([0.0, 0.0001, 0.001, 0.004, draw.expovariate(10)]))
    times = start_times(Pacer(delay_ms, clock), clock, 2000)
    assert min(gaps(times)) >= delay_s - min(TOLERANCE_S, delay_s / 10) - 2e-6


def test_a_start_keeps_its_distance_from_a_late_one_of_another_process(tmp_path: Path) -> None:
    clock = SleepyClock(lambda: 0.0)
    first, late, other = (Pacer(5, clock, pacing_times(tmp_path / "pace", clock)) for _ in range(3))
    begin(first)
    slept, waiting = Turn(0.0, 0.005), Turn(0.0, 0.005)
    assert [late._start(slept), other._start(waiting)] == pytest.approx([0.005, 0.005])
    clock.time = 0.008  # late was asleep for too long
    assert late._start(slept) == 0
    assert other._start(waiting) == pytest.approx(0.005 - TOLERANCE_S)
    clock.time += 0.005
    assert other._start(waiting) == 0
    assert (slept.slot, waiting.slot) == pytest.approx((0.005, 0.010))


def test_the_next_start_keeps_its_distance_from_when_a_request_left(tmp_path: Path) -> None:
    clock = SleepyClock(lambda: 0.0)
    pacer, other = (Pacer(5, clock, pacing_times(tmp_path / "pace", clock)) for _ in range(2))
    turn = pacer.wait()
    clock.time = 0.003
    pacer.leaving(turn)
    assert start_times(other, clock, 1) == pytest.approx([0.008 - TOLERANCE_S])


def test_a_request_that_leaves_late_hides_no_later_start_and_an_unpaced_one_is_none(tmp_path: Path) -> None:
    clock = SleepyClock(lambda: 0.0)
    pacer, free = (Pacer(delay, clock, pacing_times(tmp_path / "pace", clock)) for delay in (5, 0))
    pacer._times.values[2] = 0.010
    clock.time = 0.003
    pacer.leaving(Turn(0.0, 0.005))
    clock.time = 0.012
    free.leaving(Turn(0.0, 0.0))
    assert pacer._start(Turn(0.0, 0.005, 0.0, 0.010)) == pytest.approx(0.003 - TOLERANCE_S)


# Runs that end early


HOUR = 3_600_000


@pytest.mark.parametrize("delay_ms", [300, HOUR])
def test_a_run_that_ended_while_it_waited_for_long_delays_no_later_one(
    clock: FakeClock, store: Store, monkeypatch: pytest.MonkeyPatch, delay_ms: int
) -> None:
    ended = store.pacer(HOUR, clock)
    begin(ended)
    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(clock, "sleep", lambda seconds: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                begin(ended)
    begin(store.pacer(delay_ms, clock))
    assert sum(clock.slept) == pytest.approx(delay_ms / 1000, abs=0.001)


def test_a_killed_run_delays_no_later_one(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from connector.client.pacing import Pacer
from connector.common.clock import SystemClock
from tests.client.starts import begin, pacing_times
class Clock(SystemClock):
    def sleep(self, seconds):
        print(seconds, flush=True)
        sys.stdin.read()
clock = Clock()
pacer = Pacer(3_600_000, clock, pacing_times(Path(sys.argv[1]), clock))
pacer.wait()
pacer.wait()
"""
    command = [sys.executable, "-c", code, str(tmp_path / "pace")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert float(process.stdout.readline()) == pytest.approx(3600, abs=1)
        process.kill()
    clock = HurriedClock()
    Pacer(300, clock, pacing_times(tmp_path / "pace", clock))._start(turn := Turn(clock.monotonic(), 0.3))
    assert turn.slot - clock.monotonic() <= 0.3


def test_a_run_with_a_long_delay_does_not_wait_for_ever_beside_one_with_a_short_delay(store: Store) -> None:
    clock = SleepyClock(lambda: 0.0)
    slow, fast = (store.pacer(delay_ms, clock) for delay_ms in (1000, 300))
    begin(slow)
    waiting = Turn(slow._times.now(), 1.0)
    assert slow._try_start(waiting) > 0.9
    while clock.time < 0.8:
        begin(fast)
    clock.time = 1.0
    assert 0.1 < slow._try_start(waiting) <= 0.2 + 1e-6  # the fast one's delay after its latest start
    clock.time = 1.2
    assert slow._try_start(waiting) == 0
    assert start_times(fast, clock, 1) == pytest.approx([1.5])


def test_a_slot_that_an_older_version_reserved_is_worth_no_more_than_a_start(
    clock: FakeClock, tmp_path: Path
) -> None:
    now = clock.monotonic()
    (tmp_path / "pace").write_bytes(SHARED.pack(clock.now() - now, now + 3600, now, float("-inf"), 0))
    Pacer(300, clock, pacing_times(tmp_path / "pace", clock)).wait()
    assert clock.slept == [pytest.approx(0.3, abs=1e-5)]


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
    (tmp_path / "pace").write_bytes(SHARED.pack(began, then, then, then, 0.3))
    Pacer(300, clock, pacing_times(tmp_path / "pace", clock)).wait()
    assert sum(clock.slept) == pytest.approx(waits, abs=1e-5)


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * 40, SHARED.pack(*[float("nan")] * 5), b"x" * 99])
def test_a_broken_file_costs_no_time(clock: FakeClock, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pace").write_bytes(content)
    assert starts(Pacer(300, clock, pacing_times(tmp_path / "pace", clock)), clock, 2) == [0, 0.3]
    _, slot, started, *_ = SHARED.unpack_from((tmp_path / "pace").read_bytes())
    assert [slot, started] == pytest.approx([clock.monotonic()] * 2, abs=1e-5)


def test_the_file_is_its_users_alone(clock: FakeClock, tmp_path: Path) -> None:
    Pacer(300, clock, pacing_times(tmp_path / "pace", clock)).wait()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"pace": 0o600, "pace.lock": 0o600}


def test_a_file_that_cannot_be_opened_leaves_each_process_its_own_time(
    clock: FakeClock, tmp_path: Path
) -> None:
    (tmp_path / "pace").mkdir()
    assert starts(Pacer(300, clock, pacing_times(tmp_path / "pace", clock)), clock, 3) == [0, 0.3, 0.6]
    assert starts(Pacer(300, clock, pacing_times(tmp_path / "no folder" / "pace", clock)), clock, 3) == [
        0,
        0.3,
        0.6,
    ]


def test_a_lock_that_breaks_in_the_middle_keeps_the_pace(
    clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pacer = Pacer(300, clock, pacing_times(tmp_path / "pace", clock))
    pacer.wait()

    def broken(descriptor: int) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr("connector.common.kept_lock._take", broken)
    pacer.wait()
    assert isinstance(pacer._times, FileTimes)
    assert pacer._times._lock is None
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
