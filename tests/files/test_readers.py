"""Rows from files of every format: where they come from, and how much is held at once."""

from __future__ import annotations

import gzip
import json
import os
import sys
import time
import tracemalloc
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from connector.errors import RunError
from connector.files import json_stream, readers
from connector.files.readers import RowSource
from tests.files.reading import data, lines, outline, read, write

ROWS = [{"a": "1", "b": "ü"}, {"a": "2", "b": 'x "y", z\nw'}]
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
CSV = b'a,b\r\n1,\xc3\xbc\r\n2,"x ""y"", z\nw"\r\n'
TSV = b'a\tb\n1\t\xc3\xbc\n2\t"x ""y"", z\nw"\n'
BOM = b"\xef\xbb\xbf"


# --- every format ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bom", [b"", BOM], ids=["", "bom"])
@pytest.mark.parametrize("packed", [False, True], ids=["", "gzip"])
@pytest.mark.parametrize(
    ("name", "format", "content"),
    [
        ("rows.jsonl", None, JSONL),
        ("rows.ndjson", None, JSONL),
        ("rows.JSON", None, JSONL),
        ("rows.json", None, json.dumps(ROWS).encode()),
        ("rows.json", None, b"\n  " + json.dumps(ROWS, indent=2).encode()),
        ("rows.csv", None, CSV),
        ("rows.csv", None, CSV.replace(b"\r\n", b"\n")),
        ("rows.csv", None, b"\r\n" + CSV),
        ("rows.tsv", None, TSV),
        ("rows.2026.csv", None, CSV),
        ("rows", None, JSONL),
        ("rows", None, b"\n\n" + JSONL),
        ("rows", None, json.dumps(ROWS).encode()),
        ("rows", None, CSV),
        ("rows.txt", None, CSV),
        ("rows", "tsv", TSV),
        ("rows.csv", "jsonl", JSONL),
        ("rows.dat", "json", json.dumps(ROWS).encode()),
        ("rows.dat", "json", JSONL),
    ],
)
def test_every_format_gives_the_same_rows(
    tmp_path: Path, name: str, format: str | None, content: bytes, bom: bytes, packed: bool
) -> None:
    content = bom + content
    assert data(write(tmp_path, content, name), format) == ROWS
    if packed:
        for packed_name in (name, name + ".gz"):
            assert data(write(tmp_path, gzip.compress(content), packed_name), format) == ROWS


@pytest.mark.parametrize("name", ["rows", "rows.jsonl", "rows.json", "rows.csv", "rows.tsv"])
@pytest.mark.parametrize("content", [b"", b" \n\n", BOM])
def test_an_empty_file_has_no_rows(tmp_path: Path, name: str, content: bytes) -> None:
    if content.strip() or name in ("rows", "rows.jsonl", "rows.json") or not content:
        assert data(write(tmp_path, content, name)) == []


def test_an_empty_array_and_a_header_alone_have_no_rows(tmp_path: Path) -> None:
    assert data(write(tmp_path, "[]")) == []
    assert data(write(tmp_path, " [ \n ] \n")) == []
    assert data(write(tmp_path, "a,b\n", "rows.csv")) == []


def test_standard_input_is_read_like_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (JSONL, json.dumps(ROWS).encode(), CSV, gzip.compress(JSONL)):
        with write(tmp_path, content).open("rb") as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            source = RowSource("-")
            assert source.is_stdin
            assert [row.data for row in source.rows()] == ROWS


def test_a_pipe_is_no_input_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RunError, match="pipe: is a pipe, which can be read only once; use - for standard"):
        RowSource(str(tmp_path / "pipe"))


@pytest.mark.parametrize(
    ("path", "format", "message"),
    [
        ("nowhere.csv", None, "nowhere.csv: no such file or folder"),
        ("rows", "xml", 'unknown input format "xml"; use jsonl, json, csv, tsv'),
        (".", None, "the folder has no part-* files"),
    ],
)
def test_an_input_that_cannot_be_read_is_a_fault_of_the_run(
    tmp_path: Path, path: str, format: str | None, message: str
) -> None:
    with pytest.raises(RunError) as caught:
        RowSource(str(tmp_path / path), format)
    assert message in str(caught.value)


# --- gzip --------------------------------------------------------------------------------------------------


def many(count: int) -> list[dict[str, Any]]:
    return [{"n": n, "x": str(n * 7919 % 1_000_003) * 3} for n in range(count)]


MANY = many(20_000)
CONTENTS = {
    "rows.jsonl": "".join(json.dumps(row) + "\n" for row in MANY),
    "rows.json": json.dumps(MANY),
    "rows.csv": "n,x\n" + "".join(f"{row['n']},{row['x']}\n" for row in MANY),
}


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("harm", ["cut", "damaged", "checksum"])
def test_broken_gzip_ends_in_one_broken_row(tmp_path: Path, name: str, harm: str) -> None:
    packed = bytearray(gzip.compress(CONTENTS[name].encode()))
    middle = len(packed) // 2
    if harm == "cut":
        del packed[middle:]
    elif harm == "damaged":
        packed[middle : middle + 64] = b"\xff" * 64
    else:
        packed[-8] ^= 0xFF
    *rows, last = read(write(tmp_path, bytes(packed), name + ".gz"))
    good = len(MANY) if harm == "checksum" else 5000
    assert [int(row.data["n"]) for row in rows[:good]] == list(range(good))
    if harm != "damaged":  # where it is, garbage is unpacked before the damage shows
        assert "the rest cannot be read" in last.error
        assert not any(row.error for row in rows[:-1])
    assert last.error


@pytest.mark.parametrize("name", CONTENTS)
def test_all_that_a_cut_gzip_file_holds_is_read(tmp_path: Path, name: str) -> None:
    end = "}" if name == "rows.json" else "\n"
    content = CONTENTS[name][:1000].rpartition(end)[0] + end
    packed = gzip.compress(content.encode())[:-8]
    *good, last = read(write(tmp_path, packed, name + ".gz"))
    whole = content + "]" if name == "rows.json" else content
    assert [row.data for row in good] == data(write(tmp_path, whole, name))
    assert "the rest cannot be read" in last.error


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(JSONL) + gzip.compress(JSONL), "rows.jsonl.gz")
    assert data(path) == ROWS + ROWS


# --- folders -----------------------------------------------------------------------------------------------


def test_a_folder_is_read_part_by_part_in_order(tmp_path: Path) -> None:
    write(tmp_path, '{"n": 3}\n', "part-00002")
    write(tmp_path, '{"n": 1}\n{"n": 2}\n', "part-00000")
    write(tmp_path, gzip.compress(b'[{"n": 4}, {"n": 5}]'), "part-00003.json.gz")
    write(tmp_path, "n\n6\n", "part-00004.csv")
    write(tmp_path, "", "part-00001")
    for skipped in ("_SUCCESS", ".part-00000.crc", "part-00000.crc", "_metadata", "other.jsonl"):
        write(tmp_path, '{"n": "not a row"}\n', skipped)
    (tmp_path / "part-00009").mkdir()
    assert data(tmp_path) == [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}, {"n": 5}, {"n": "6"}]


def test_a_part_that_breaks_costs_a_row_and_the_others_go_on(tmp_path: Path) -> None:
    write(tmp_path, '{"n": 1}\n', "part-0")
    write(tmp_path, "a,a\n1,2\n", "part-1.csv")
    write(tmp_path, '[{"n": 2}, x', "part-2")
    write(tmp_path, '{"n": 3}\n', "part-3")
    found = outline(tmp_path)
    assert [row for row in found if isinstance(row, dict)] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert 'has the column "a" twice' in found[1]
    assert "part-2: the array is invalid after item 1" in found[3]


def test_a_part_that_vanishes_costs_a_row_but_not_when_it_is_the_first(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path, f'{{"n": {number}}}\n', f"part-{number}")
    source = RowSource(str(tmp_path))
    (tmp_path / "part-1").unlink()
    rows = list(source.rows())
    assert [row.data for row in rows] == [{"n": 0}, {}, {"n": 2}]
    assert "part-1: cannot be read" in rows[1].error
    (tmp_path / "part-0").unlink()
    with pytest.raises(RunError, match="part-0: cannot be read"):
        list(source.rows())


# --- the digest --------------------------------------------------------------------------------------------


def test_counting_can_be_given_up(tmp_path: Path) -> None:
    source = RowSource(str(write(tmp_path, JSONL * 10)))
    asked = iter([True, True, False])
    assert source.count(lambda: next(asked)) is None
    assert RowSource("-").count() is None


def test_the_digest_changes_with_the_content_and_its_division(tmp_path: Path) -> None:
    folders = []
    for number, parts in enumerate(
        [{"part-0": "ab", "part-1": "c"}, {"part-0": "a", "part-1": "bc"}, {"part-0": "abc"}]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, content in parts.items():
            write(folder, content, name)
        folders.append(folder)
    digests = [RowSource(str(folder)).digest() for folder in folders]
    assert len(set(digests)) == 3
    assert RowSource(str(folders[0])).digest() == digests[0]
    write(folders[0], "xc", "part-1")
    assert RowSource(str(folders[0])).digest() != digests[0]


# --- streaming ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "rows.csv",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("rows.jsonl", "rows.json", "rows.jsonl.gz")
        ),
    ],
)
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, name: str) -> None:
    count = 200_000 if name == "rows.jsonl" else 50_000
    path = tmp_path / name
    with gzip.open(path, "wb", 1) if name.endswith(".gz") else path.open("wb") as file:
        if name == "rows.csv":
            file.write(b"n,x\n" + b"".join(b"%d,0123456789012345678901234567\n" % n for n in range(count)))
        elif name == "rows.json":
            file.write(b"[" + b",\n".join(lines(count)) + b"]")
        else:
            file.write(b"\n".join(lines(count)))
    tracemalloc.start()
    try:
        last = None
        for row in RowSource(str(path)).rows():
            last = row
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert last is not None
    assert (last.number, last.error) == (count, "")
    assert peak < 1_500_000


def test_a_large_array_is_read_in_linear_time(tmp_path: Path) -> None:
    rows = [{"n": n, "x": "0123456789" * 4} for n in range(80_000)]
    path = write(tmp_path, json.dumps(rows))
    assert path.stat().st_size > 5_000_000
    began = time.process_time()
    assert sum(1 for _ in RowSource(str(path)).rows()) == len(rows)
    assert time.process_time() - began < 2


def test_one_huge_item_is_tried_only_as_often_as_it_doubles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    real = json_stream._decode_at

    def noted(text: str, position: int) -> tuple[Any, int]:
        tried.append(len(text))
        return real(text, position)

    monkeypatch.setattr(json_stream, "_decode_at", noted)
    [row] = RowSource(str(write(tmp_path, json.dumps([{"x": ["0123456789"] * 500_000}])))).rows()
    assert len(row.data["x"]) == 500_000
    assert len(tried) < 10
    assert sum(tried) < 4 * 7_000_000


def test_a_break_is_found_without_reading_the_rest_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    with path.open("wb") as file:
        file.write(b'[{"n": 1}, {n: 2},')
        for _ in range(40):
            file.write(b" " * 1_000_000)
    tracemalloc.start()
    try:
        *good, last = outline(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (good, "invalid after item 1" in last) == ([{"n": 1}], True)
    assert peak < 1_500_000


def test_the_first_rows_are_given_before_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with write(tmp_path, b'[{"n": 1}' + b',{"n": 1}' * 100_000 + b"]").open("rb") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert [row.data for row in islice(RowSource("-").rows(), 3)] == [{"n": 1}] * 3
        assert os.lseek(stdin.fileno(), 0, os.SEEK_CUR) < 200_000


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 1 << 20
    monkeypatch.setattr(readers, "MAX_LINE_LENGTH", most)
    path = tmp_path / "rows.jsonl.gz"
    with gzip.open(path, "wb", 1) as packed:
        packed.write(b'{"n": 1}\n')
        for _ in range(50):
            packed.write(b"x" * most)
        packed.write(b'\n{"n": 2}\n')
    tracemalloc.start()
    try:
        rows = outline(path)
        assert RowSource(str(path)).count() == 3
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (rows[0], rows[2]) == ({"n": 1}, {"n": 2})
    assert "line 2: the line has more than 1,048,576 bytes" in rows[1]
    assert peak < 6 * most


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.csv", b"a,b\n1,2\n" + b"x," * 500 + b"\n3,4\n", "a record has more than 100 characters"),
        ("rows.csv", b"a,b\n1,2\n" + b'"x\n",' * 500 + b"\n3,4\n", "a record has more than 100 characters"),
        (
            "rows.json",
            b'[{"a": "1", "b": "2"}, {"a": "' + b"x" * 300_000 + b'"}, {"a": 3}]',
            "an item has more than",
        ),
        ("rows.json", b'[{"a": "1", "b": "2"}, ' + b"[" * 900 + b"1" * 300_000, "an item has more than"),
    ],
)
def test_a_record_without_end_is_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, message: str
) -> None:
    monkeypatch.setattr(readers, "MAX_LINE_LENGTH", 100)
    monkeypatch.setattr(json_stream, "MAX_VALUE_LENGTH", 100_000)
    first, *rest = outline(write(tmp_path, content, name))
    assert first == {"a": "1", "b": "2"}
    assert message in rest[-1]
    assert len(rest) == 1


def test_as_many_short_records_as_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_LINE_LENGTH", 20)
    assert len(data(write(tmp_path, b"a,b\n" + b"1,2\n" * 100, "rows.csv"))) == 100
    assert len(data(write(tmp_path, b'{"a": 1, "b": "2"}\n' * 100, "rows.jsonl"))) == 100
