"""The time between starts: in one thread, over threads, over processes, and after a restart."""

from __future__ import annotations

import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from connector import state
from connector.clock import SystemClock
from connector.pacing import Pacer
from tests.fakes import FakeClock

SLOT = struct.Struct("<dd")


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
    given = [slow._reserve() for _ in range(3)]
    fast.wait()
    another = Pacer(300, clock, tmp_path / "pace")
    assert another._reserve() == pytest.approx(given[-1] + 0.3, abs=1e-5)


@pytest.fixture
def switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("switching")
@pytest.mark.parametrize(("pacers", "shared"), [(1, False), (1, True), (4, True)])
def test_threads_start_a_delay_apart(tmp_path: Path, pacers: int, shared: bool) -> None:
    path = tmp_path / "pace" if shared else None
    clock = SystemClock()
    begin = clock.monotonic()
    made = [Pacer(1, clock, path) for _ in range(pacers)]
    times: list[float] = []

    def work(pacer: Pacer) -> None:
        for _ in range(50):
            times.append(pacer._reserve())

    threads = [threading.Thread(target=work, args=(pacer,)) for pacer in made for _ in range(4 // pacers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    assert len(times) == 200
    assert times[0] >= begin
    assert min(b - a for a, b in pairwise(times)) >= 0.001 - 1e-9


PROCESS = """
import sys
from pathlib import Path
from connector.clock import SystemClock
from connector.pacing import Pacer
clock = SystemClock()
pacer = Pacer(20, clock, Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(4):
    start = pacer._reserve()
    clock.sleep(start - clock.monotonic())
    assert clock.monotonic() >= start
    print(repr(start))
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
    times = sorted(each[0] + each[1])
    assert min(b - a for a, b in pairwise(times)) >= 0.020 - 1e-9


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
    (tmp_path / "pace").write_bytes(SLOT.pack(clock.monotonic() + ahead_s, began))
    Pacer(300, clock, tmp_path / "pace").wait()
    assert sum(clock.slept) == pytest.approx(waits, abs=1e-5)


@pytest.mark.parametrize(
    "content", [b"", b"x", b"\xff" * 16, SLOT.pack(float("nan"), float("nan")), b"x" * 99]
)
def test_a_broken_file_costs_no_time(clock: FakeClock, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pace").write_bytes(content)
    assert starts(Pacer(300, clock, tmp_path / "pace"), clock, 2) == [0, 0.3]


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
    folder = state.state_folder()
    assert folder.is_relative_to(own_state)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_state_file_tells_nothing_of_its_key() -> None:
    path = state.state_file("token", "an-app\na-very-secret-secret")
    assert path.parent == state.state_folder()
    assert path.name.startswith("token-")
    assert "secret" not in path.name
    assert path != state.state_file("token", "an-app\nanother-secret")


def test_where_the_user_has_no_cache_folder_a_temporary_one_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = state.state_folder()
    assert folder.parent == tmp_path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert state.state_folder() == folder
