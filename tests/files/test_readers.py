"""Rows in: every format as a stream; what is broken costs its own row, or is the last row."""

from __future__ import annotations

import gzip
import json
import os
import sys
import time
import tracemalloc
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector.errors import RunFault
from connector.files import json_stream, readers
from connector.files.readers import InputRow, RowSource

ROWS = [{"a": "1", "b": "ü"}, {"a": "2", "b": 'x "y", z\nw'}]
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
CSV = b'a,b\r\n1,\xc3\xbc\r\n2,"x ""y"", z\nw"\r\n'
TSV = b'a\tb\n1\t\xc3\xbc\n2\t"x ""y"", z\nw"\n'
BOM = b"\xef\xbb\xbf"


def write(folder: Path, content: bytes | str, name: str = "rows") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, format: str | None = None) -> list[InputRow]:
    """Read an input's rows, of which there are as many as are counted."""
    rows = list(RowSource(str(path), format).rows())
    assert RowSource(str(path), format).count() == len(rows)
    return rows


def data(path: Path, format: str | None = None) -> list[dict[str, Any]]:
    rows = read(path, format)
    assert [row.error for row in rows] == [""] * len(rows)
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    return [row.data for row in rows]


def outline(path: Path, format: str | None = None) -> list[Any]:
    """The rows' data, and in place of what is broken its error without the path."""
    rows = read(path, format)
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert all(not row.data for row in rows if row.error)
    return [row.error.removeprefix(str(path)) or row.data for row in rows]


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


@pytest.mark.parametrize(
    ("path", "format", "said"),
    [
        ("nowhere.csv", None, "nowhere.csv: there is no such input"),
        ("rows", "xml", 'no input format "xml"; there are jsonl, json, csv, tsv'),
        (".", None, "the folder holds no part-* files"),
    ],
)
def test_an_input_that_cannot_be_read_is_a_fault_of_the_run(
    tmp_path: Path, path: str, format: str | None, said: str
) -> None:
    with pytest.raises(RunFault) as caught:
        RowSource(str(tmp_path / path), format)
    assert said in str(caught.value)


# --- JSON Lines --------------------------------------------------------------------------------------------


def test_a_broken_line_costs_its_own_row_only(tmp_path: Path) -> None:
    lines = [
        b'{"n": 1}',
        b"",
        b'{"n": 2',
        b"  \t\r",
        b"[3]",
        b'"four"',
        b"null",
        b'{"n": NaN}',
        b'{"n": 1e999}',
        b'{"n": "\xff"}',
        b"\x00\x00",
        b"[" * 100_000,
        b"{" + b"x" * 10_000,
        b'{"n": 5}\r',
        b'{"n": 6}',
    ]
    found = outline(write(tmp_path, b"\n".join(lines), "rows.jsonl"))
    assert [row for row in found if isinstance(row, dict)] == [{"n": 1}, {"n": 5}, {"n": 6}]
    for row, (line, said) in zip(
        found[1:-2],
        [
            (3, "not JSON (Expecting ',' delimiter at character 8): {\"n\": 2"),
            (5, "a row is a JSON object, and this is an array"),
            (6, "a row is a JSON object, and this is text"),
            (7, "a row is a JSON object, and this is null"),
            (8, "NaN is not JSON"),
            (9, "too large for a number"),
            (10, "a byte that is not UTF-8, at position 8 of the line"),
            (11, "not JSON"),
            (12, "nested too deeply"),
            (13, "… (10001 characters)"),
        ],
        strict=True,
    ):
        assert row.startswith(f", line {line}: ")
        assert said in row
        assert len(row) < 250


def test_lone_surrogates_and_odd_keys_are_kept(tmp_path: Path) -> None:
    assert data(write(tmp_path, '{"": "\\ud800", "a b": {"c": null}}\n')) == [
        {"": "\ud800", "a b": {"c": None}}
    ]


# --- JSON arrays -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "rows", "said"),
    [
        ('[{"n": 1}, {"n": 2}', 2, "broken after item 2 and cannot be read further: a comma or the end"),
        ('[{"n": 1}, {"n": 2}, ', 2, "broken after item 2"),
        ('[{"n": 1}, {"n": 2', 1, "broken after item 1"),
        ('[{"n": 1}, {"n": "x', 1, "broken after item 1 and cannot be read further: Unterminated string"),
        ('[{"n": 1} {"n": 2}]', 1, "a comma or the end of the array is missing"),
        ('[{"n": 1},, {"n": 2}]', 1, "broken after item 1"),
        ('[{"n": 1},]', 1, "broken after item 1"),
        ('[{"n": 1}, {x}, {"n": 3}]', 1, "broken after item 1"),
        ("[,]", 0, "broken after item 0"),
        ("[", 0, "broken after item 0"),
        ('[{"n": 1}] x', 1, "something follows the end of the array: x"),
        ('[{"n": 1}]' + " " * 200_000 + "x", 1, "something follows the end of the array: x"),
        ('[{"n": 1}][{"n": 2}]', 1, 'something follows the end of the array: [{"n": 2}]'),
        ('[{"n": 1}, ' + "[" * 100_000, 1, "nested too deeply"),
    ],
)
def test_an_array_that_breaks_ends_in_one_broken_row(
    tmp_path: Path, content: str, rows: int, said: str
) -> None:
    *good, last = outline(write(tmp_path, content))
    assert good == [{"n": n} for n in range(1, rows + 1)]
    assert said in last


def test_an_item_whose_end_can_be_found_costs_its_own_row_only(tmp_path: Path) -> None:
    content = b'[{"n": 1}, {"n": NaN}, 3, [4], {"n": "\xff"}, {"n": -1e999}, {"n": -Infinity}, {"n": 8}]'
    found = outline(write(tmp_path, content))
    assert [row for row in found if isinstance(row, dict)] == [{"n": 1}, {"n": 8}]
    for row, said in zip(
        found[1:-1],
        [
            ", item 2: not JSON (NaN is not JSON)",
            ", item 3: a row is a JSON object, and this is an integer",
            ", item 4: a row is a JSON object, and this is an array",
            ", item 5: a byte that is not UTF-8",
            ", item 6: not JSON (-1e999 is too large for a number)",
            ", item 7: not JSON (-Infinity is not JSON)",
        ],
        strict=True,
    ):
        assert row.startswith(said)


@pytest.mark.parametrize("size", [65_530, 65_536, 65_550, 131_072, 700_000])
def test_items_larger_than_what_is_read_at_once(tmp_path: Path, size: int) -> None:
    rows = [{"n": 0}, {"x": "y" * size}, {"x": ["ü" * size, size]}, {"n": 1}]
    assert data(write(tmp_path, json.dumps(rows, ensure_ascii=False))) == rows
    assert data(write(tmp_path, json.dumps(rows, indent=1))) == rows


@pytest.mark.parametrize("before", range(65_500, 65_560, 3))
def test_an_array_may_be_cut_anywhere_by_what_is_read_at_once(tmp_path: Path, before: int) -> None:
    rest = [{"k\u00fc": [True, None, -1.5e-7, "\\u00e4\u20ac\U0001f600"]}, {}, {"n": 12345678901234567890}]
    padding = "[" + " " * (before - 1)
    text = padding + json.dumps(rest)[1:-1] + " , " + json.dumps(rest, ensure_ascii=False)[1:]
    assert data(write(tmp_path, text)) == rest + rest


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=4), v, max_size=3),
    max_leaves=6,
)
spaces = st.text(" \t\r\n", max_size=5) | st.integers(65_500, 65_540).map(" ".__mul__)


@settings(max_examples=100, deadline=None)
@example([{"a": "]"}, {"b": "[,{"}], ["", " "] * 4, True)
@given(
    st.lists(st.dictionaries(st.text(max_size=4), json_values, max_size=4), max_size=6),
    st.lists(spaces, min_size=8, max_size=8),
    st.booleans(),
)
def test_any_array_reads_back_with_any_white_space(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], gaps: list[str], ascii: bool
) -> None:
    parts = [gap + json.dumps(row, ensure_ascii=ascii) for gap, row in zip(gaps, rows, strict=False)]
    text = gaps[6] + "[" + (gaps[7] + ",").join(parts) + gaps[7] + "]" + gaps[6]
    path = tmp_path_factory.getbasetemp() / "array.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert data(path) == rows


# --- CSV and TSV -------------------------------------------------------------------------------------------


def test_a_broken_line_of_a_csv_file_costs_its_own_row_only(tmp_path: Path) -> None:
    content = b'a,b\n1,2\n3\n4,5,6\n\n7,\xff\n8,"9"x\n,\n10,"11\n12"\n'
    assert outline(write(tmp_path, content, "rows.csv")) == [
        {"a": "1", "b": "2"},
        ", line 3: 1 values where the header has 2 columns",
        ", line 4: 3 values where the header has 2 columns",
        ', line 6: a byte that is not UTF-8, in the column "b"',
        ", line 7: ',' expected after '\"'",
        {"a": "", "b": ""},
        {"a": "10", "b": "11\n12"},
    ]


def test_a_quote_that_is_never_closed_is_the_last_row(tmp_path: Path) -> None:
    *good, last = outline(write(tmp_path, 'a,b\n1,2\n3,"4\n5,6\n', "rows.csv"))
    assert good == [{"a": "1", "b": "2"}]
    assert "unexpected end of data" in last


def test_cells_of_a_csv_file_stay_text(tmp_path: Path) -> None:
    content = "id,flag,list,empty,space\n007,true,[1],,  x \n"
    [row] = data(write(tmp_path, content, "rows.csv"))
    assert row == {"id": "007", "flag": "true", "list": "[1]", "empty": "", "space": "  x "}


def test_a_very_long_cell_is_read(tmp_path: Path) -> None:
    [row] = data(write(tmp_path, "a,b\n" + "x" * 1_000_000 + ',"' + "y\n" * 100_000 + '"\n', "rows.csv"))
    assert (len(row["a"]), len(row["b"])) == (1_000_000, 200_000)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"a,b,a\n", 'the header names the column "a" twice'),
        (b"a,,b\n", "a column of the header has no readable name: ''"),
        (b"a, \n", "a column of the header has no readable name: ' '"),
        (b"a,\xff\n", "a column of the header has no readable name"),
        # UTF-16. Python 3.10 does not read the NULs in it, and says so itself.
        (b"\xff\xfea\x00,\x00b\x00\n", "NUL" if sys.version_info < (3, 11) else "has no readable name"),
        (b'"a"x,b\n', "line 1: ',' expected after '\"'"),
    ],
)
def test_a_broken_header_is_a_fault_of_the_run(tmp_path: Path, header: bytes, said: str) -> None:
    source = RowSource(str(write(tmp_path, header + b"1,2,3\n", "rows.csv")))
    with pytest.raises(RunFault) as caught:
        next(source.rows())
    assert said in str(caught.value)


@pytest.mark.parametrize("header", [b"x" * 20_000 + b"\xff\n", b"%s,%s\n" % (b"x" * 20_000, b"x" * 20_000)])
def test_a_broken_header_is_not_told_at_length(tmp_path: Path, header: bytes) -> None:
    with pytest.raises(RunFault) as caught:
        next(RowSource(str(write(tmp_path, header, "rows.csv"))).rows())
    assert len(str(caught.value)) < 500


def test_a_header_of_many_columns_is_checked_in_time(tmp_path: Path) -> None:
    columns = ",".join(f"column{n}" for n in range(100_000)).encode()
    begun = time.process_time()
    assert data(write(tmp_path, columns + b"\n", "rows.csv")) == []
    assert time.process_time() - begun < 10


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=6),
            min_size=2,
            max_size=2,
        ),
        max_size=5,
    )
)
def test_any_cells_read_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]
) -> None:
    for delimiter, name in ((",", "cells.csv"), ("\t", "cells.tsv")):
        quoted = [["a", "b"], *cells]
        lines = [delimiter.join('"' + c.replace('"', '""') + '"' for c in row) for row in quoted]
        path = tmp_path_factory.getbasetemp() / name
        path.write_bytes("\r\n".join(lines).encode())
        assert data(path) == [dict(zip("ab", row, strict=True)) for row in cells]


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
    assert 'names the column "a" twice' in found[1]
    assert "part-2: the array is broken after item 1" in found[3]


def test_a_part_that_vanishes_costs_a_row_but_not_when_it_is_the_first(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path, f'{{"n": {number}}}\n', f"part-{number}")
    source = RowSource(str(tmp_path))
    (tmp_path / "part-1").unlink()
    rows = list(source.rows())
    assert [row.data for row in rows] == [{"n": 0}, {}, {"n": 2}]
    assert "part-1: cannot be read" in rows[1].error
    (tmp_path / "part-0").unlink()
    with pytest.raises(RunFault, match="part-0: cannot be read"):
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


def lines(count: int) -> Iterator[bytes]:
    for n in range(count):
        yield b'{"n": %d, "x": "0123456789"}' % n


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.csv", "rows.jsonl.gz"])
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
    assert (good, "broken after item 1" in last) == ([{"n": 1}], True)
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
    monkeypatch.setattr(readers, "LONGEST_LINE", most)
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
    assert "line 2: it has more than 1,048,576 bytes" in rows[1]
    assert peak < 6 * most


@pytest.mark.parametrize(
    ("name", "content", "said"),
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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, said: str
) -> None:
    monkeypatch.setattr(readers, "LONGEST_LINE", 100)
    monkeypatch.setattr(json_stream, "LONGEST_VALUE", 100_000)
    first, *rest = outline(write(tmp_path, content, name))
    assert first == {"a": "1", "b": "2"}
    assert said in rest[-1]
    assert len(rest) == 1


def test_as_many_short_records_as_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "LONGEST_LINE", 20)
    assert len(data(write(tmp_path, b"a,b\n" + b"1,2\n" * 100, "rows.csv"))) == 100
    assert len(data(write(tmp_path, b'{"a": 1, "b": "2"}\n' * 100, "rows.jsonl"))) == 100
