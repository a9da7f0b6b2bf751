"""Files that are appended to: whole lines from any thread, put back when removed, and what the disk holds."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import pytest

from connector.common import durability
from connector.errors import RunStoppedError
from connector.files import append_only
from connector.files.append_only import AppendOnlyFile, cut_broken_end, read_lines
from tests.fakes import wait_until
from tests.loopback import PATIENCE_S


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lines"


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Do something on several threads at the same time."""
    together = Barrier(count)

    def run(number: int) -> None:
        together.wait(PATIENCE_S)
        work(number)

    threads = [Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "it hangs"


# --- appending ---------------------------------------------------------------------------------------------


def test_threads_write_whole_lines_although_the_system_writes_in_pieces(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write

    def write_a_piece(descriptor: int, data: Any) -> int:
        time.sleep(0)  # lets another thread go on
        return write(descriptor, data[:7])

    monkeypatch.setattr(os, "write", write_a_piece)
    file = AppendOnlyFile(path)

    def append(number: int) -> None:
        for line in range(50):
            file.append(f"{number} {line} {'x' * (number * 5)}\n".encode())

    in_threads(4, append)
    file.close()
    lines = path.read_text().splitlines()
    assert sorted(lines) == sorted(f"{n} {line} {'x' * (n * 5)}" for n in range(4) for line in range(50))


class Disk:
    """`os.write` with that much room left; what is cut off makes room again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        self._write, self._truncate = os.write, os.ftruncate
        monkeypatch.setattr(os, "write", self.write)
        monkeypatch.setattr(os, "ftruncate", self.truncate)

    def write(self, descriptor: int, data: Any) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = self._write(descriptor, data[: self.room])
        self.room -= count
        return count

    def truncate(self, descriptor: int, size: int) -> None:
        self.room += os.fstat(descriptor).st_size - size
        self._truncate(descriptor, size)


@pytest.mark.parametrize("room", range(5))
def test_a_line_without_room_leaves_nothing_and_a_shorter_one_still_fits(
    path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    path.write_bytes(b"before\n")
    file = AppendOnlyFile(path)
    disk = Disk(monkeypatch, room)
    with pytest.raises(RunStoppedError, match="lines: cannot be written: No space left on device"):
        file.append(b"12345\n")
    assert path.read_bytes() == b"before\n"
    assert disk.room == room
    if room >= 3:
        file.append(b"ab\n")
        assert path.read_bytes() == b"before\nab\n"
    file.close()


def test_after_half_a_line_that_cannot_be_removed_nothing_is_appended(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AppendOnlyFile(path)
    file.append(b"first\n")
    disk = Disk(monkeypatch, 3)

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "ftruncate", refuse)
    with pytest.raises(RunStoppedError, match="No space left"):
        file.append(b"12345\n")
    disk.room = 100
    with pytest.raises(RunStoppedError, match="No space left"):
        file.append(b"ab\n")
    file.close()
    cut_broken_end(path)
    assert path.read_bytes() == b"first\n"


def test_a_closed_file_takes_no_more_and_closes_but_once(path: Path) -> None:
    file = AppendOnlyFile(path)
    file.close()
    other = os.open(path.with_name("other"), os.O_RDWR | os.O_CREAT)  # may have the same number
    file.close()
    for use in (lambda: file.append(b"x\n"), file.sync):
        with pytest.raises(RunStoppedError, match="closed"):
            use()
    file.require_name()
    os.close(other)


# --- removal -----------------------------------------------------------------------------------------------


def test_a_removed_file_is_noticed_and_put_back_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(append_only, "CHECK_INTERVAL_S", 0)
    path = tmp_path / "a" / "b" / "lines"
    path.parent.mkdir(parents=True)
    file = AppendOnlyFile(path)
    file.append(b"x" * 200_000 + b"\n")
    file.require_name()
    path.unlink()
    path.parent.rmdir()
    path.parent.parent.rmdir()
    with pytest.raises(RunStoppedError, match=r"lines was removed during the run, and has been restored"):
        file.require_name()
    with pytest.raises(RunStoppedError, match="was removed"):
        file.append(b"too late\n")
    file.append(b"still\n", although_removed=True)
    file.close()
    assert path.read_bytes() == b"x" * 200_000 + b"\nstill\n"
    assert path.stat().st_mode & 0o077 == 0


def test_it_is_looked_for_now_and_then(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    file = AppendOnlyFile(path)
    monkeypatch.setattr(file, "_clock", lambda: now)
    file.append(b"1\n")
    path.unlink()
    now += append_only.CHECK_INTERVAL_S * 0.9
    file.append(b"2\n")
    now += append_only.CHECK_INTERVAL_S * 0.2
    with pytest.raises(RunStoppedError, match="was removed"):
        file.append(b"3\n")
    file.close()
    assert path.read_bytes() == b"1\n2\n"


def test_another_file_in_its_place_is_not_touched(path: Path) -> None:
    file = AppendOnlyFile(path)
    file.append(b"mine\n")
    path.unlink()
    path.write_bytes(b"another run's\n")
    with pytest.raises(RunStoppedError, match="cannot be restored: File exists"):
        file.close()
    assert path.read_bytes() == b"another run's\n"
    file.close()


def test_where_names_are_not_counted_nothing_was_removed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stat:
        st_nlink, st_size = 0, 0

    with monkeypatch.context() as patched:
        patched.setattr(os, "fstat", lambda descriptor: Stat)
        file = AppendOnlyFile(path)
        file.require_name()
        file.close()


# --- fsync -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fsync", [True, False])
def test_with_fsync_the_disk_holds_a_line_when_it_is_appended(
    path: Path, monkeypatch: pytest.MonkeyPatch, fsync: bool
) -> None:
    held: list[bytes] = []
    monkeypatch.setattr(append_only, "sync_file", lambda descriptor: held.append(path.read_bytes()))
    file = AppendOnlyFile(path, fsync=fsync)
    file.append(b"1\n")
    file.append(b"2\n")
    assert held == ([b"1\n", b"1\n2\n"] if fsync else [])
    file.close()


def test_threads_that_wait_for_the_disk_share_one_answer(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    first, go_on = Event(), Event()

    def slow(descriptor: int) -> None:
        asked.append(path.stat().st_size)
        first.set()
        assert go_on.wait(PATIENCE_S)

    monkeypatch.setattr(append_only, "sync_file", slow)
    file = AppendOnlyFile(path, fsync=True)
    threads = [Thread(target=file.append, args=(b"1\n",), daemon=True) for _ in range(9)]
    threads[0].start()
    assert first.wait(PATIENCE_S)
    for thread in threads[1:]:
        thread.start()
    wait_until(lambda: path.stat().st_size == 18)
    file.require_name()  # waits until the last append is noted, which is after its bytes are in the file
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert asked == [2, 18]
    file.close()


def test_what_the_disk_did_not_take_once_is_not_trusted_to_it_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    file = AppendOnlyFile(path, fsync=True)
    with monkeypatch.context() as patched:
        patched.setattr(append_only, "sync_file", fail)
        with pytest.raises(RunStoppedError, match="Input/output error"):
            file.append(b"1\n")
    for use in (lambda: file.append(b"2\n"), file.sync):
        with pytest.raises(RunStoppedError, match="Input/output error"):
            use()
    file.close()


def test_a_file_and_a_folder_can_be_synced(path: Path) -> None:
    with path.open("wb") as file:
        durability.sync_file(file.fileno())
    durability.sync_folder(path.parent)


# --- reading -----------------------------------------------------------------------------------------------


def test_lines_are_read_with_their_ends(path: Path) -> None:
    path.write_bytes(b'{"a":1}\n[2]\n')
    assert list(read_lines(path, cut=False)) == [({"a": 1}, 8), ([2], 12)]


@pytest.mark.parametrize("broken", [b"\0\0\0\n", b"{\n", b"\xff\n"])
def test_a_broken_line_is_a_fault_or_cut_off_with_all_behind_it(path: Path, broken: bytes) -> None:
    path.write_bytes(b"[1]\n" + broken + b"[3]\n")
    with pytest.raises(ValueError, match=r".*"):
        list(read_lines(path, cut=False))
    assert path.read_bytes() == b"[1]\n" + broken + b"[3]\n"
    assert list(read_lines(path, cut=True)) == [([1], 4)]
    assert path.read_bytes() == b"[1]\n"


def test_a_file_that_cannot_be_opened_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(RunStoppedError, match="cannot be written"):
        AppendOnlyFile(tmp_path / "nowhere" / "file")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b""),
        (b"a", b""),
        (b"a\n", b"a\n"),
        (b"a\nb", b"a\n"),
        (b"a\n" + b"b" * 200_000, b"a\n"),
        (b"b" * 200_000, b""),
        (b"a" * 65_535 + b"\n" + b"b" * 65_536, b"a" * 65_535 + b"\n"),
    ],
)
def test_only_whole_lines_stay(path: Path, before: bytes, after: bytes) -> None:
    path.write_bytes(before)
    cut_broken_end(path)
    assert path.read_bytes() == after
