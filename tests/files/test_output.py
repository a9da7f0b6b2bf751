"""Outputs: their names, what is in the way, and standard output."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from connector.errors import RunError, RunStoppedError
from connector.files.output_formats import Format, OutputForm, format_of
from connector.files.stream_output import StreamOutput
from connector.files.work_folder import Start
from tests.files.outputs import envelope, refusal, rows, start

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
    with pytest.raises(RunError, match='unknown output format "tsv"; use jsonl, json, csv'):
        format_of(path, "tsv")


# --- what is in the way ------------------------------------------------------------------------------------


def test_an_output_that_is_there_is_not_overwritten(out: Path) -> None:
    out.write_text("mine")
    assert "already exists; use --restart to overwrite it, which runs all rows again" in refusal(out)
    assert list(out.parent.iterdir()) == [out]


def test_restart_replaces_an_output_only_when_the_new_one_is_complete(out: Path) -> None:
    out.write_text("mine")
    output = start(out, "restart")
    output.write(envelope(1).line())
    assert out.read_text() == "mine"
    output.finish()
    assert rows(out) == [1]


def test_what_cannot_be_an_output_is_a_fault_of_the_run(tmp_path: Path) -> None:
    assert "is a folder; use a file" in refusal(tmp_path)
    assert "does not exist" in refusal(tmp_path / "nowhere" / "out.jsonl")
    assert "there is no unfinished run to resume" in refusal(tmp_path / "out.jsonl", "resume")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_is_not_begun_again_by_itself(interrupted: Path) -> None:
    message = refusal(interrupted)
    assert "an unfinished run is in" in message
    assert "use --resume to continue it; --restart discards it and runs all rows again" in message


@pytest.mark.parametrize("how", ["new", "resume", "restart"])
def test_two_runs_at_once_are_refused(out: Path, how: Start) -> None:
    running = start(out)
    running.write(envelope(1).line())
    with pytest.raises(RunError, match=r"another run is writing this file|an unfinished run is in"):
        start(out, how)
    running.write(envelope(2).line())
    running.finish()
    assert rows(out) == [1, 2]


# --- standard output ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["jsonl", "json", "csv", "table"])
def test_standard_output_takes_lines_at_once_and_the_rest_at_the_end(format: Format) -> None:
    stream = io.BytesIO()
    output = StreamOutput(OutputForm(format), stream)
    assert output.done_rows == 0
    output.write(envelope(1, {"a": 1}).line())
    assert bool(stream.getvalue()) is (format == "jsonl")
    output.finish()
    output.close()
    text = stream.getvalue().decode()
    if format == "table":
        assert text == "row  a\n  1  1\n"
    elif format == "csv":
        assert text == "row,has_error,error,a\r\n1,false,,1\r\n"
    else:
        assert json.loads(text) in (envelope(1, {"a": 1}).as_json(), [envelope(1, {"a": 1}).as_json()])


def write_all(output: StreamOutput, lines: bytes) -> None:
    output.write(lines)
    output.finish()


@pytest.mark.parametrize("format", ["jsonl", "json", "csv", "xlsx", "table"])
def test_a_full_standard_output_stops_the_run(format: Format) -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        output = StreamOutput(OutputForm(format), full)  # type: ignore[arg-type]
        with pytest.raises(RunStoppedError, match="standard output cannot be written: No space left"):
            write_all(output, envelope(1, {"a": 1}).line())
        output.close()
