"""The time between starts: in one thread, whatever sleeps do, and after a restart of the machine."""

from __future__ import annotations

import random
import stat
import struct
from pathlib import Path

import pytest

from connector.client.pacing import TOLERANCE_S, Pacer
from connector.common import user_folders
from tests.client.starts import SleepyClock, gaps, start_times
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
