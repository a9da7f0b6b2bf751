"""Envelopes out: a name only for what is complete, resumable at any instant, JSON and CSV without loss."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from connector.common.redaction import Redactor
from connector.errors import RowError, RunFault, RunStopped
from connector.files import append_only
from connector.files.envelope import Envelope
from connector.files.output import (
    FileOutput,
    Format,
    Start,
    StreamOutput,
    discard,
    format_of,
    is_interrupted,
    look,
    look_for_another_run,
)
from connector.http.messages import Request, Response

RUN = {"action": "a", "templates": "t", "connection": "c", "input": "i", "settings": "s"}
META = {"action": "a", "status": 200, "code": None, "attempts": 1, "request_id": None}
POST = Request("POST", "/v2/thing", body={"a": 1}, effect="write", idempotent=False)


def envelope(row: int, result: Any = None, error: str | None = None, **meta: Any) -> Envelope:
    return Envelope(row, error, result, {**META, **meta})


def start(
    path: Path, how: Start = "new", format: Format = "jsonl", run: dict[str, str] | None = None
) -> FileOutput:
    return FileOutput(path, format, run or RUN, how, Redactor())


def written(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def rows(path: Path) -> list[int]:
    return [line["row"] for line in written(path)]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def interrupted(out: Path) -> Path:
    """The output of a run that ended after three rows."""
    output = start(out)
    for row in (1, 2, 3):
        output.write(envelope(row).line())
    output.close()
    return out


# --- the name ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["jsonl", "json", "csv"])
def test_an_output_has_its_name_only_when_it_is_complete(tmp_path: Path, format: Format) -> None:
    path = tmp_path / f"out.{format}"
    output = start(path, format=format)
    for row in (1, 2):
        output.write(envelope(row, {"a": row}).line())
        assert not path.exists()
        assert rows(output.folder / "envelopes.jsonl") == list(range(1, row + 1))
    output.finish()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    output.close()


def test_a_run_without_rows_gives_an_empty_output(tmp_path: Path) -> None:
    contents = {"jsonl": b"", "json": b"[]\n", "csv": b"row,has_error,error\r\n"}
    for format, content in contents.items():
        path = tmp_path / format
        start(path, format=format).finish()  # type: ignore[arg-type]
        assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("path", "format", "chosen"),
    [
        ("a.jsonl", None, "jsonl"),
        ("a.json", None, "json"),
        ("a.CSV", None, "csv"),
        ("a.txt", None, "jsonl"),
        ("", None, "jsonl"),
        ("a.csv", "json", "json"),
    ],
)
def test_the_format_goes_by_the_name_unless_one_is_asked_for(
    path: str, format: str | None, chosen: str
) -> None:
    assert format_of(path, format) == chosen
    with pytest.raises(RunFault, match='no output format "tsv"; there are jsonl, json, csv'):
        format_of(path, "tsv")


# --- what is in the way ------------------------------------------------------------------------------------


def refusal(path: Path, how: Start = "new", run: dict[str, str] | None = None) -> str:
    before = {p: p.read_bytes() for p in path.parent.rglob("*") if p.is_file()}
    with pytest.raises(RunFault) as caught:
        start(path, how, run=run)
    assert {p: p.read_bytes() for p in path.parent.rglob("*") if p.is_file()} == before
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_an_output_that_is_there_is_not_overwritten(out: Path) -> None:
    out.write_text("mine")
    assert "is there already: --restart writes it anew" in refusal(out)
    assert list(out.parent.iterdir()) == [out]


def test_restart_replaces_an_output_only_when_the_new_one_is_complete(out: Path) -> None:
    out.write_text("mine")
    output = start(out, "restart")
    output.write(envelope(1).line())
    assert out.read_text() == "mine"
    output.finish()
    assert rows(out) == [1]


def test_what_cannot_be_an_output_is_a_fault_of_the_run(tmp_path: Path) -> None:
    assert "is a folder; name a file" in refusal(tmp_path)
    assert "there is no folder" in refusal(tmp_path / "nowhere" / "out.jsonl")
    assert "there is no interrupted run to resume" in refusal(tmp_path / "out.jsonl", "resume")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_is_not_begun_again_by_itself(interrupted: Path) -> None:
    message = refusal(interrupted)
    assert "an interrupted run is here" in message
    assert "--resume goes on with it, --restart begins again" in message


@pytest.mark.parametrize("how", ["new", "resume", "restart"])
def test_two_runs_at_once_are_refused(out: Path, how: Start) -> None:
    running = start(out)
    running.write(envelope(1).line())
    with pytest.raises(RunFault, match=r"another run is writing it right now|an interrupted run is here"):
        start(out, how)
    running.write(envelope(2).line())
    running.finish()
    assert rows(out) == [1, 2]


# --- resuming ----------------------------------------------------------------------------------------------


def test_an_output_can_be_looked_at_and_removed_before_a_run(interrupted: Path) -> None:
    assert is_interrupted(interrupted)
    look(interrupted, "resume")
    with pytest.raises(RunFault, match="an interrupted run is here"):
        look(interrupted, "new")
    resumed = start(interrupted, "resume")
    with pytest.raises(RunFault, match="another run is writing it right now"):
        look_for_another_run(interrupted)
    resumed.close()
    look_for_another_run(interrupted)
    discard(interrupted)
    assert list(interrupted.parent.iterdir()) == []
    assert not is_interrupted(interrupted)
    look(interrupted, "new")
    discard(interrupted)


def test_a_resumed_run_goes_on_where_it_was_interrupted(interrupted: Path) -> None:
    output = start(interrupted, "resume")
    assert output.done_rows == 3
    output.write(envelope(4).line())
    output.finish()
    assert rows(interrupted) == [1, 2, 3, 4]
    assert list(interrupted.parent.iterdir()) == [interrupted]


def test_a_resumed_run_tells_what_it_had_written(interrupted: Path) -> None:
    output = start(interrupted, "resume")
    assert list(output.earlier()) == [envelope(row) for row in (1, 2, 3)]
    output.close()
    output = start(interrupted, "restart")
    assert list(output.earlier()) == []
    output.close()


def test_restart_forgets_an_interrupted_run(interrupted: Path) -> None:
    output = start(interrupted, "restart")
    assert output.done_rows == 0
    assert output.journal.recorded(1, 0, POST) is None
    output.write(envelope(1).line())
    output.finish()
    assert rows(interrupted) == [1]


def test_a_restarted_run_is_itself_resumable_and_knows_nothing_of_the_old_one(interrupted: Path) -> None:
    other = {**RUN, "input": "another"}
    output = start(interrupted, "restart", run=other)
    output.write(envelope(1).line())
    output.close()
    assert "its input differed" in refusal(interrupted, "resume")
    resumed = start(interrupted, "resume", run=other)
    assert resumed.done_rows == 1
    resumed.finish()
    assert rows(interrupted) == [1]


@pytest.mark.parametrize("names", [["action"], ["input"], ["templates", "settings"], list(RUN)])
def test_another_run_is_not_resumed_and_what_differs_is_named(interrupted: Path, names: list[str]) -> None:
    message = refusal(interrupted, "resume", {**RUN, **dict.fromkeys(names, "other")})
    assert f"its {', '.join(names)} differed. --restart begins again" in message
    start(interrupted, "resume").close()  # and the lock is free again


@pytest.mark.parametrize("cut", range(1, 40, 6))
def test_a_line_that_was_half_written_is_cut_off(interrupted: Path, cut: int) -> None:
    spool = interrupted.with_name("out.jsonl.run") / "envelopes.jsonl"
    spool.write_bytes(spool.read_bytes()[:-cut])
    output = start(interrupted, "resume")
    assert output.done_rows == 2
    assert rows(spool) == [1, 2]
    output.write(envelope(3).line())
    output.finish()
    assert rows(interrupted) == [1, 2, 3]


def test_a_very_long_half_written_line_is_cut_off(out: Path) -> None:
    output = start(out)
    output.write(envelope(1).line())
    output.write(envelope(2, "x" * 300_000).line())
    output.close()
    spool = output.folder / "envelopes.jsonl"
    spool.write_bytes(spool.read_bytes()[:-1])
    assert start(out, "resume").done_rows == 1


def test_nothing_written_yet_resumes_from_the_first_row(out: Path) -> None:
    start(out).close()
    assert start(out, "resume").done_rows == 0


@pytest.mark.parametrize(
    ("items", "done", "kept"),
    [
        ([(1, True), (2, False), (2, False)], 1, [1]),
        ([(1, False), (1, True), (2, False), (2, True), (3, False)], 2, [1, 1, 2, 2]),
        ([(1, False)], 0, []),
        ([(1, True), (2, True)], 2, [1, 2]),
    ],
)
def test_a_row_without_its_last_item_is_cut_off(
    out: Path, items: list[tuple[int, bool]], done: int, kept: list[int]
) -> None:
    output = start(out)
    for number, (row, last) in enumerate(items):
        output.write(envelope(row, number, item=1, last=last).line())
    output.close()
    resumed = start(out, "resume")
    assert resumed.done_rows == done
    assert rows(resumed.folder / "envelopes.jsonl") == kept
    resumed.close()


def test_a_run_killed_before_it_said_what_it_is_has_sent_nothing(out: Path) -> None:
    for head in (b"", b'{"journal":1,"run":{"act'):
        for how in ("new", "resume", "restart"):
            folder = out.with_name("out.jsonl.run")
            folder.mkdir()
            (folder / "journal.jsonl").write_bytes(head)
            output = start(out, how)  # type: ignore[arg-type]
            assert output.done_rows == 0
            output.finish()
            out.unlink()


def test_a_run_killed_after_its_last_step_but_one_has_nothing_left_to_do(out: Path) -> None:
    output = start(out)
    output.write(envelope(1).line())
    output.close()
    os.replace(output.folder / "envelopes.jsonl", out)  # what `finish` does before it tidies up
    assert "an interrupted run is here" in refusal(out)
    resumed = start(out, "resume")
    assert resumed.done_rows == 1
    resumed.finish()
    assert rows(out) == [1]
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("format", ["jsonl", "json", "csv"])
def test_a_run_killed_while_it_tidies_up_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: Format
) -> None:
    def removes_only_the_first(folder: Path, ignore_errors: bool) -> None:
        (folder / "envelopes.jsonl").unlink(missing_ok=True)

    path = tmp_path / f"out.{format}"
    output = start(path, format=format)
    output.write(envelope(1).line())
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", removes_only_the_first)
        output.finish()
    content = path.read_bytes()
    assert content
    assert not is_interrupted(path)
    assert "there is no interrupted run to resume" in refusal(path, "resume")
    assert path.read_bytes() == content


def test_a_restart_killed_at_its_first_steps_does_not_take_the_old_output_for_its_own(out: Path) -> None:
    out.write_text('{"row": 9, "meta": {}}\n')
    start(out, "restart").close()
    resumed = start(out, "resume")
    assert resumed.done_rows == 0
    resumed.finish()
    assert rows(out) == []


@pytest.mark.parametrize(
    "damage",
    [b"\x00\x00\x00\n", b"not json\n", b"[]\n", b'{"row": 4}\n', b"\xff\n"],
    ids=["zeros", "no json", "a list", "no meta", "no utf-8"],
)
def test_damaged_envelopes_are_a_fault_and_not_a_crash(interrupted: Path, damage: bytes) -> None:
    spool = interrupted.with_name("out.jsonl.run") / "envelopes.jsonl"
    spool.write_bytes(spool.read_bytes() + damage)
    assert "the interrupted run cannot be read" in refusal(interrupted, "resume")
    start(interrupted, "restart").close()


@pytest.mark.parametrize("damage", [b"\x00\n", b'{"row": "x", "step": 0, "sent": ""}\n', b'{"row": 9}\n'])
def test_a_damaged_journal_is_a_fault_and_not_a_crash(interrupted: Path, damage: bytes) -> None:
    journal = interrupted.with_name("out.jsonl.run") / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + damage)
    assert "cannot be read" in refusal(interrupted, "resume")
    journal.write_bytes(b'{"journal": 99, "run": {}}\n')
    with pytest.raises(RunFault, match="a journal of version 99, which this version cannot resume"):
        start(interrupted, "resume")
    journal.write_bytes(b"nonsense\n")
    with pytest.raises(RunFault, match="the journal of the interrupted run cannot be read"):
        start(interrupted, "resume")


def test_the_journal_is_resumed_with_the_output(out: Path) -> None:
    output = start(out)
    for row in (1, 2):
        output.journal.sent(row, 0, POST)
        output.journal.answered(row, 0, Response(200, body=b'{"id": 7}'))
    output.write(envelope(1).line())
    output.close()
    resumed = start(out, "resume")
    assert resumed.journal.recorded(1, 0, POST) is None
    answer = resumed.journal.recorded(2, 0, POST)
    assert answer is not None
    assert answer.json() == {"id": 7}
    resumed.close()


# --- no room -----------------------------------------------------------------------------------------------


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
    with pytest.raises(RunStopped, match="cannot be written: No space left on device"):
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
    with pytest.raises(RunStopped):
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
    with pytest.raises(RunStopped):
        output.journal.sent(3, 0, POST)
    disk.room = 1 << 30
    output.write(envelope(1).line())
    output.close()
    resumed = start(out, "resume")
    with pytest.raises(RowError, match="the run was interrupted before its answer came"):
        resumed.journal.recorded(2, 0, POST)
    resumed.close()


def test_a_disk_that_is_full_from_the_beginning_is_a_fault_that_leaves_nothing(
    out: Path, disk: FullDisk
) -> None:
    disk.room = 10
    with pytest.raises(RunFault, match="No space left on device"):
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
        with pytest.raises(RunStopped, match="No space left"):
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
    monkeypatch.setattr(append_only, "LOOK_EVERY_S", 0)
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
        gone["spool"] if removed == "spool" else output.journal.path
    ).unlink()
    output.journal.answered(2, 0, Response(200, body=b"[2]"))  # it came, so it is kept
    if removed != "spool":
        with pytest.raises(RunStopped, match="was removed while the run went on; it is put back"):
            output.journal.sent(3, 0, POST)  # and so it is not sent
    if removed != "journal":
        with pytest.raises(RunStopped, match="was removed"):
            output.write(envelope(2).line())
        with pytest.raises(RunStopped, match="was removed"):
            output.finish()
    output.close()
    resumed = start(out, "resume", format)
    assert resumed.done_rows == 1
    answer = resumed.journal.recorded(2, 0, POST)
    assert answer is not None
    assert answer.json() == [2]
    assert resumed.journal.recorded(3, 0, POST) is None
    resumed.close()


def test_what_cannot_be_put_back_is_told(out: Path) -> None:
    output = start(out)
    shutil.rmtree(output.folder)
    output.folder.write_text("in the way")
    with pytest.raises(RunStopped, match=r"cannot be put back: File exists.*look before you send it again"):
        output.close()
    output.close()


# --- standard output ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["jsonl", "json", "csv"])
def test_standard_output_takes_lines_at_once_and_the_rest_at_the_end(format: Format) -> None:
    stream = io.BytesIO()
    output = StreamOutput(format, stream)
    assert output.done_rows == 0
    output.write(envelope(1, {"a": 1}).line())
    assert bool(stream.getvalue()) is (format == "jsonl")
    output.finish()
    output.close()
    text = stream.getvalue().decode()
    if format == "csv":
        assert text == "row,has_error,error,a\r\n1,false,,1\r\n"
    else:
        assert json.loads(text) in (envelope(1, {"a": 1}).as_json(), [envelope(1, {"a": 1}).as_json()])


@pytest.mark.parametrize("format", ["jsonl", "json", "csv"])
def test_a_full_standard_output_stops_the_run(format: Format) -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        output = StreamOutput(format, full)  # type: ignore[arg-type]
        with pytest.raises(RunStopped, match="standard output cannot be written: No space left"):
            output.write(envelope(1, {"a": 1}).line()) if format == "jsonl" else output.finish()
        output.close()
