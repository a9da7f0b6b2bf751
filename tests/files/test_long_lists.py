"""Lists that are too long for memory: written and read in blocks, with the same outputs as short ones."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.common.absent import ABSENT
from connector.common.redaction import Redactor
from connector.errors import RunError, RunStoppedError
from connector.files import envelope_lines, long_list
from connector.files.envelope_lines import LongLine, read_envelope, read_envelope_lines
from connector.files.file_output import FileOutput, OutputSettings
from connector.files.list_envelope import ListEnvelope
from connector.files.long_list import LongList
from connector.files.output_formats import Format, OutputForm
from connector.files.readers import RowSource
from connector.files.stream_output import StreamOutput
from connector.files.work_folder import partial_output_of
from connector.runs.export import export_unfinished
from connector.runs.merge import merge_files
from connector.runs.rerun import find_retryable
from tests.files.outputs import META, RUN, envelope, start, written
from tests.files.test_output_no_room import FullDisk

ITEMS = [{"id": n, "name": f'"é\n{n}', "result": [1, {"result": []}]} for n in range(40)]
KEPT = {"list": [{"a": 1, "result": [1]}], "text": ',"result":['}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a list long from 300 bytes."""
    monkeypatch.setattr(long_list, "LONG", 300)
    monkeypatch.setattr(envelope_lines, "LONG", 300)


def listed(row: int, items: list[Any] = ITEMS, kept: Any = ABSENT, **meta: Any) -> ListEnvelope:
    found = LongList()
    for at in range(0, len(items), 7):
        found.add([json.dumps(item, ensure_ascii=False).encode() for item in items[at : at + 7]])
    return ListEnvelope(row, None, None, {**META, **meta}, kept, found)


@pytest.mark.parametrize("items", [[], [1], ["\n", None], ITEMS])
def test_the_line_is_the_envelope_with_its_list(items: list[Any]) -> None:
    one = listed(3, items, KEPT)
    expected = {**envelope(3, items).as_json(), "input": KEPT}
    assert one.items.is_long == (items is ITEMS)
    assert json.loads(one.line()) == json.loads(b"".join(one.blocks())) == expected
    lines = b"".join(one.result_lines()).splitlines() if items else []
    assert [json.loads(line) for line in lines] == [{"input": KEPT, "result": item} for item in items]


@pytest.mark.parametrize("kept", [ABSENT, KEPT])
@pytest.mark.parametrize("results", [False, True])
@pytest.mark.parametrize("format", ["jsonl", "json", "csv", "table", "xlsx"])
def test_an_output_is_that_of_the_list_in_memory(
    tmp_path: Path, format: Format, results: bool, kept: Any
) -> None:
    found = []
    form, errors = OutputForm(format, results=results), tmp_path / "e"
    for name in ("long", "short"):
        output = FileOutput(OutputSettings(tmp_path / name, form, RUN, "new", Redactor(), errors=errors))
        output.write(envelope(1, {"a": 1}).line() + envelope(2, None, "no" * 200).line())
        if name == "long":
            output.write_list(listed(3, kept=kept))
        else:
            output.write(listed(3, kept=kept).line())
        output.write(envelope(4, [7]).line())
        output.finish()
        assert [line["row"] for line in written(errors)] == [2]
        found.append(read(tmp_path / name, format))
    assert found[0] == found[1]


def read(path: Path, format: Format) -> Any:
    if format in ("jsonl", "json"):
        text = path.read_text("utf-8")
        return [json.loads(line) for line in text.splitlines()] if format == "jsonl" else json.loads(text)
    rows: list[Any] = (
        [list(row.data.items()) for row in RowSource(str(path), "xlsx").rows()] if format == "xlsx" else []
    )
    if format == "csv":
        rows = list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))
    # The list in one cell is JSON with or without spaces.
    return str(rows).replace(" ", "") if format != "table" else path.read_text("utf-8").splitlines()[0]


@pytest.mark.parametrize("results", [False, True])
def test_standard_output_gets_it_in_blocks(tmp_path: Path, results: bool) -> None:
    stream = io.BytesIO()
    output = StreamOutput(OutputForm(results=results), stream, errors=tmp_path / "e")
    output.write_list(listed(1))
    output.write(envelope(2, None, "no").line())
    output.finish()
    output.close()
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert found[: len(ITEMS)] == ITEMS if results else found[0] == envelope(1, ITEMS).as_json()
    assert [line["row"] for line in written(tmp_path / "e")] == [2]


def test_a_run_resumes_after_it(out: Path) -> None:
    output = start(out)
    output.write_list(listed(1, kept=KEPT))
    output.write(envelope(2).line())
    output.close()
    resumed = start(out, "resume")
    assert resumed.done_rows == 2
    assert [(e.row, e.result, e.input) for e in resumed.earlier()] == [(1, None, KEPT), (2, None, ABSENT)]
    resumed.finish()
    assert written(out) == [{**envelope(1, ITEMS).as_json(), "input": KEPT}, envelope(2).as_json()]


@pytest.mark.parametrize("part", [0.01, 0.5, 0.999])
def test_a_part_of_it_is_removed_when_the_run_resumes(out: Path, part: float) -> None:
    output = start(out)
    output.write_list(listed(1))
    output.close()
    line = b"".join(listed(2).blocks())
    with partial_output_of(out).open("ab") as file:
        file.write(line[: int(len(line) * part)])
    exported = export_unfinished(out, out.with_name("export"), "a", [1, 2], state="", private=False)
    assert (exported.finished, exported.not_run) == (1, 1)
    assert [(e["row"], e["result"] == ITEMS) for e in written(out.with_name("export"))] == [
        (1, True),
        (2, False),
    ]
    resumed = start(out, "resume")
    assert resumed.done_rows == 1
    resumed.write_list(listed(2))
    resumed.finish()
    assert written(out) == [envelope(row, ITEMS).as_json() for row in (1, 2)]


def test_a_part_that_a_power_failure_lost_is_found(out: Path) -> None:
    output = FileOutput(OutputSettings(out, OutputForm(), RUN, "new", Redactor(), fsync=True))
    output.write_list(listed(1))
    output.write_list(listed(2))
    output.close()
    partial = partial_output_of(out)
    data = partial.read_bytes()
    middle = len(data) * 3 // 4
    partial.write_bytes(data[:middle] + bytes(20) + data[middle + 20 :])
    resumed = start(out, "resume")
    assert resumed.done_rows == 1
    resumed.close()


@pytest.mark.parametrize("room", [0, 1, 500])
def test_a_full_disk_leaves_nothing_of_it(out: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    disk = FullDisk(monkeypatch)
    output = start(out)
    output.write(envelope(1).line())
    disk.room = room
    with pytest.raises(RunStoppedError, match="cannot be written: No space left on device"):
        output.write_list(listed(2))
    assert partial_output_of(out).read_bytes() == envelope(1).line()
    disk.room = 1 << 30
    output.write(envelope(2).line())
    output.finish()
    assert written(out) == [envelope(row).as_json() for row in (1, 2)]


def test_an_interruption_leaves_nothing_of_it(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: LongList) -> Iterator[bytes]:
        yield b'{"id":1}'
        raise KeyboardInterrupt

    output = start(out)
    monkeypatch.setattr(LongList, "blocks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        output.write_list(listed(1))
    assert partial_output_of(out).read_bytes() == b""
    output.close()


def test_a_temporary_file_that_cannot_be_written_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(RunStoppedError, match=r"nowhere: a temporary file cannot be written: No such file"):
        LongList(tmp_path / "nowhere").add([b"1" * 400])


def test_tenants_are_merged_with_it(tmp_path: Path) -> None:
    paths = [tmp_path / "a", tmp_path / "b"]
    paths[0].write_bytes(envelope(1).line() + b"".join(listed(4).blocks()) + envelope(5).line())
    paths[1].write_bytes(b"".join(listed(2).blocks()) + envelope(3).line())
    output = start(tmp_path / "out")
    merge_files(paths, output)
    output.finish()
    assert [(e["row"], e["result"]) for e in written(tmp_path / "out")] == [
        (row, ITEMS if row in (2, 4) else None) for row in range(1, 6)
    ]


def test_a_rerun_skips_a_list_that_is_longer_than_a_line_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.jsonl"
    failed = envelope(2, None, "no", code="timeout", repeatable=True)
    out.write_bytes(b"".join(listed(1).blocks()) + failed.line())
    monkeypatch.setattr("connector.files.readers.MAX_LINE_LENGTH", 500)
    assert list(find_retryable(out, "jsonl").numbers) == [2]
    out.write_bytes(b'{"a":"%s"}\n' % (b"x" * 600))
    with pytest.raises(RunError, match="the line has more than 500 bytes"):
        find_retryable(out, "jsonl")


@pytest.mark.parametrize("end", [b"", b"\n", b"]\n", b"]]}\n", b"1]}\n"])
def test_a_line_that_is_not_valid_is_an_error(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"".join(listed(1).blocks()).removesuffix(b"]}\n") + end)
    with path.open("rb") as file:
        (line,) = read_envelope_lines(file)
        assert isinstance(line, LongLine)
        with pytest.raises(ValueError, match=r"Expecting|missing|not complete"):
            print(line.envelope(), list(line.items()))


def test_a_line_can_be_read_after_the_next_ones(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"".join(listed(1).blocks()) + b"".join(envelope(n).line() for n in range(2, 50)))
    with path.open("rb") as file:
        lines = read_envelope_lines(file)
        first, second = next(lines), next(lines)
        assert isinstance(first, LongLine)
        assert next(first.blocks())[:10] == b'{"has_erro'
        assert [read_envelope(line)["row"] for line in (second, *lines)] == list(range(2, 50))
