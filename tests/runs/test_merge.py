"""Envelopes of several files are merged in the order of their rows, whatever they contain."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.common import json_text
from connector.errors import RunStoppedError
from connector.files.envelope import Envelope
from connector.files.envelope_lines import LongLine
from connector.files.list_envelope import ListEnvelope
from connector.files.long_list import LONG
from connector.runs import merge
from connector.runs.merge import merge_files
from tests.conftest import ROOT


class Kept:
    """An output that keeps what is written."""

    def __init__(self, done_rows: int = 0) -> None:
        self.done_rows = done_rows
        self.blocks: list[bytes] = []

    def earlier(self) -> Iterator[Envelope]:
        return iter(())

    def write(self, lines: bytes) -> None:
        self.blocks.append(lines)

    def write_list(self, envelope: ListEnvelope | LongLine) -> None:
        self.blocks.append(b"".join(envelope.blocks()))

    def finish(self) -> None:
        raise AssertionError

    def close(self) -> None:
        raise AssertionError

    @property
    def found(self) -> list[tuple[int, Any]]:
        envelopes = [json_text.loads(line.decode()) for line in b"".join(self.blocks).splitlines()]
        return [(envelope["row"], envelope["result"]) for envelope in envelopes]


def partial(path: Path, *envelopes: tuple[int, Any], **more: Any) -> Path:
    path.write_bytes(
        b"".join(Envelope(row, None, result, {"code": None}, **more).line() for row, result in envelopes)
    )
    return path


def test_rows_are_in_order_and_those_of_one_row_stay_so(tmp_path: Path) -> None:
    paths = [
        partial(tmp_path / "a", (1, "a"), (4, "b"), (4, "a"), (10, "c")),
        partial(tmp_path / "b", (2, "d"), (9, "e")),
        partial(tmp_path / "c"),
        partial(tmp_path / "d", (3, "f")),
    ]
    output = Kept()
    merge_files(paths, output)
    assert output.found == [(1, "a"), (2, "d"), (3, "f"), (4, "b"), (4, "a"), (9, "e"), (10, "c")]
    assert len(output.blocks) == 1
    merge_files(paths, behind := Kept(done_rows=4))
    assert behind.found == [(9, "e"), (10, "c")]


@pytest.mark.parametrize(
    "result",
    [
        {"a": 1, "row": 7, "b": 2},
        [{"x": 1, "row": 99}, {"x": 1, "row": 98, "y": 0}],
        ',"row":5,',
        {"x": ',"row":5,', "row": "5"},
        {"row": 5},
        {"x": 0, "row": -5, "y": {"z": 0, "row": 5.5, "w": 0}},
    ],
)
def test_what_looks_like_a_rows_number_is_none(tmp_path: Path, result: Any) -> None:
    kept = {"input": {"n": 1, "row": 50, "m": 2}}
    for more in ({}, kept):
        first = partial(tmp_path / "a", (2, result), (6, result), **more)
        merge_files([first, partial(tmp_path / "b", (3, result), (5, result), **more)], output := Kept())
        assert output.found == [(row, result) for row in (2, 3, 5, 6)]


def test_it_writes_block_by_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "_BLOCK", 100)
    merge_files([partial(tmp_path / "a", *((row, "x" * 30) for row in range(1, 50)))], output := Kept())
    assert [row for row, _ in output.found] == list(range(1, 50))
    assert len(output.blocks) > 20
    assert all(block.endswith(b"\n") for block in output.blocks)


def test_a_file_that_is_gone_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(RunStoppedError, match="gone: cannot be read: No such file"):
        merge_files([tmp_path / "gone"], Kept())


MERGE = """
import resource, sys
from pathlib import Path
from connector.common import durability
from connector.runs.merge import merge_files
from tests.conftest import ROOT
from tests.runs.test_merge import Kept

soft, hard, count = map(int, sys.argv[2:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
output = Kept()
merge_files([Path(sys.argv[1], str(number)) for number in range(count)], output)
assert durability._reserved == 0
assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(hard, 100 + count)
print(*(row for row, _ in output.found))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
@pytest.mark.parametrize("hard", [400, 100, 60])
def test_more_files_than_may_be_open_are_merged(tmp_path: Path, hard: int) -> None:
    """With 400, the soft limit is raised; with 100, groups are merged; with 60, groups of groups."""
    count = 200
    for number in range(count):
        partial(tmp_path / str(number), (number + 1, None), (count * 2 - number, None))
    start = b'{"has_error":false,"error":null,"row":70,"meta":{"code":null},"result":['
    (tmp_path / "69").write_bytes(start + b"1," * LONG + b"1]}\n" + (tmp_path / "69").read_bytes())
    command = [sys.executable, "-c", MERGE, *map(str, (tmp_path, 60, hard, count))]
    merged = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    rows = sorted([70, *range(1, 2 * count + 1)])
    assert merged.stdout.split() == list(map(str, rows)), merged.stderr
    assert len(list(tmp_path.iterdir())) == count
