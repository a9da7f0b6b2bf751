"""An output that an interrupted run left is gone on with."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from connector.errors import RunError
from connector.files.output_formats import Format
from connector.files.work_folder import check_not_running, check_output, discard, is_interrupted
from connector.http.messages import Response
from tests.files.outputs import POST, RUN, envelope, refusal, rows, start


def test_an_output_can_be_looked_at_and_removed_before_a_run(interrupted: Path) -> None:
    assert is_interrupted(interrupted)
    check_output(interrupted, "resume")
    with pytest.raises(RunError, match="an unfinished run is in"):
        check_output(interrupted, "new")
    resumed = start(interrupted, "resume")
    with pytest.raises(RunError, match="another run is writing this file"):
        check_not_running(interrupted)
    resumed.close()
    check_not_running(interrupted)
    discard(interrupted)
    assert list(interrupted.parent.iterdir()) == []
    assert not is_interrupted(interrupted)
    check_output(interrupted, "new")
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
    assert "differs from the unfinished one in its input" in refusal(interrupted, "resume")
    resumed = start(interrupted, "resume", run=other)
    assert resumed.done_rows == 1
    resumed.finish()
    assert rows(interrupted) == [1]


@pytest.mark.parametrize("names", [["action"], ["input"], ["templates", "settings"], list(RUN)])
def test_another_run_is_not_resumed_and_what_differs_is_named(interrupted: Path, names: list[str]) -> None:
    message = refusal(interrupted, "resume", {**RUN, **dict.fromkeys(names, "other")})
    assert f"differs from the unfinished one in its {', '.join(names)}" in message
    start(interrupted, "resume").close()  # and the lock is free again


@pytest.mark.parametrize("cut", range(1, 40, 6))
def test_a_line_that_was_half_written_is_cut_off(interrupted: Path, cut: int) -> None:
    partial = interrupted.with_name("out.jsonl.run") / "envelopes.jsonl"
    partial.write_bytes(partial.read_bytes()[:-cut])
    output = start(interrupted, "resume")
    assert output.done_rows == 2
    assert rows(partial) == [1, 2]
    output.write(envelope(3).line())
    output.finish()
    assert rows(interrupted) == [1, 2, 3]


def test_a_very_long_half_written_line_is_cut_off(out: Path) -> None:
    output = start(out)
    output.write(envelope(1).line())
    output.write(envelope(2, "x" * 300_000).line())
    output.close()
    partial = output.folder / "envelopes.jsonl"
    partial.write_bytes(partial.read_bytes()[:-1])
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
    out.chmod(0o644)
    assert "an unfinished run is in" in refusal(out)
    resumed = start(out, "resume")
    assert resumed.done_rows == 1
    assert os.name == "nt" or stat.S_IMODE(resumed.partial.stat().st_mode) == 0o600
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
    assert "there is no unfinished run to resume" in refusal(path, "resume")
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
    partial = interrupted.with_name("out.jsonl.run") / "envelopes.jsonl"
    partial.write_bytes(partial.read_bytes() + damage)
    assert "the unfinished run cannot be read" in refusal(interrupted, "resume")
    start(interrupted, "restart").close()


@pytest.mark.parametrize("damage", [b"\x00\n", b'{"row": "x", "step": 0, "sent": ""}\n', b'{"row": 9}\n'])
def test_a_damaged_journal_is_a_fault_and_not_a_crash(interrupted: Path, damage: bytes) -> None:
    journal = interrupted.with_name("out.jsonl.run") / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + damage)
    assert "cannot be read" in refusal(interrupted, "resume")
    journal.write_bytes(b'{"journal": 99, "run": {}}\n')
    with pytest.raises(RunError, match="the journal has version 99, and this version"):
        start(interrupted, "resume")
    journal.write_bytes(b"nonsense\n")
    with pytest.raises(RunError, match="the journal of the unfinished run cannot be read"):
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
    response = resumed.journal.recorded(2, 0, POST)
    assert response is not None
    assert response.json() == {"id": 7}
    resumed.close()
