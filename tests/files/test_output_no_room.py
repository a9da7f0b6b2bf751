"""A disk that is full in the middle of an output costs nothing that was written."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from connector.errors import RowError, RunError, RunStoppedError
from connector.files import append_only
from connector.files.journal import JOURNAL_NAME
from connector.files.output_formats import Format
from connector.http.messages import Response
from tests.files.outputs import POST, envelope, rows, start


class FullDisk:
    """`os.write` on a disk with that much room; a last write may be cut."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = 1 << 30
        self._write = os.write
        monkeypatch.setattr(os, "write", self)

    def __call__(self, descriptor: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = self._write(descriptor, data[: self.room])
        self.room -= count
        return count


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    return FullDisk(monkeypatch)


@pytest.mark.parametrize("room", [0, 1, 50])
def test_a_full_disk_stops_the_run_and_it_can_be_resumed(out: Path, disk: FullDisk, room: int) -> None:
    output = start(out)
    output.write(envelope(1).line())
    disk.room = room
    with pytest.raises(RunStoppedError, match="cannot be written: No space left on device"):
        output.write(envelope(2).line())
    output.close()
    assert not out.exists()
    disk.room = 1 << 30
    resumed = start(out, "resume")
    assert resumed.done_rows == 1
    resumed.write(envelope(2).line())
    resumed.finish()
    assert rows(out) == [1, 2]


def test_a_request_is_not_noted_on_a_full_disk_and_so_not_sent(out: Path, disk: FullDisk) -> None:
    output = start(out)
    disk.room = 20
    with pytest.raises(RunStoppedError):
        output.journal.sent(1, 0, POST)
    output.close()
    disk.room = 1 << 30
    resumed = start(out, "resume")
    assert resumed.journal.recorded(1, 0, POST) is None
    resumed.close()


def test_an_answer_without_room_for_its_note_may_still_have_its_envelope(out: Path, disk: FullDisk) -> None:
    output = start(out)
    output.journal.sent(1, 0, POST)
    output.journal.sent(2, 0, POST)
    disk.room = 10
    output.journal.answered(1, 0, Response(200, body=b"[1]"))
    output.journal.refused(2, 0)
    with pytest.raises(RunStoppedError):
        output.journal.sent(3, 0, POST)
    disk.room = 1 << 30
    output.write(envelope(1).line())
    output.close()
    resumed = start(out, "resume")
    with pytest.raises(RowError, match="the run was interrupted before its response was received"):
        resumed.journal.recorded(2, 0, POST)
    resumed.close()


def test_a_disk_that_is_full_from_the_beginning_is_a_fault_that_leaves_nothing(
    out: Path, disk: FullDisk
) -> None:
    disk.room = 10
    with pytest.raises(RunError, match="No space left on device"):
        start(out)
    assert list(out.parent.iterdir()) == []
    disk.room = 1 << 30
    start(out).finish()
    assert rows(out) == []


@pytest.mark.parametrize("format", ["jsonl", "json", "csv"])
def test_no_room_for_the_last_step_leaves_the_run_resumable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: Format
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / f"out.{format}"
    output = start(path, format=format)
    output.write(envelope(1, {"a": 1}).line())
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(RunStoppedError, match="No space left"):
            output.finish()
    output.close()
    assert not path.exists()
    resumed = start(path, "resume", format)
    assert resumed.done_rows == 1
    resumed.finish()
    assert path.read_text()


@pytest.mark.parametrize("format", ["jsonl", "json"])
@pytest.mark.parametrize("removed", ["work", "all", "spool", "journal"])
def test_what_is_removed_while_a_run_goes_on_stops_it_and_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: str, format: Format
) -> None:
    monkeypatch.setattr(append_only, "CHECK_INTERVAL_S", 0)
    folder = tmp_path / "results"
    folder.mkdir()
    out = folder / f"out.{format}"
    output = start(out, format=format)
    output.journal.sent(1, 0, POST)
    output.journal.answered(1, 0, Response(200, body=b"[1]"))
    output.write(envelope(1).line())
    output.journal.sent(2, 0, POST)
    gone = {"work": output.folder, "all": folder, "spool": output.folder / "envelopes.jsonl"}
    shutil.rmtree(gone[removed]) if removed in ("work", "all") else (
        gone["spool"] if removed == "spool" else output.folder / JOURNAL_NAME
    ).unlink()
    output.journal.answered(2, 0, Response(200, body=b"[2]"))  # it came, so it is kept
    if removed != "spool":
        with pytest.raises(RunStoppedError, match="was removed during the run, and has been restored"):
            output.journal.sent(3, 0, POST)  # and so it is not sent
    if removed != "journal":
        with pytest.raises(RunStoppedError, match="was removed"):
            output.write(envelope(2).line())
        with pytest.raises(RunStoppedError, match="was removed"):
            output.finish()
    output.close()
    resumed = start(out, "resume", format)
    assert resumed.done_rows == 1
    response = resumed.journal.recorded(2, 0, POST)
    assert response is not None
    assert response.json() == [2]
    assert resumed.journal.recorded(3, 0, POST) is None
    resumed.close()


def test_what_cannot_be_put_back_is_told(out: Path) -> None:
    output = start(out)
    shutil.rmtree(output.folder)
    output.folder.write_text("in the way")
    with pytest.raises(
        RunStoppedError,
        match=r"cannot be restored: File exists.*check in the service before you run it again",
    ):
        output.close()
    output.close()
