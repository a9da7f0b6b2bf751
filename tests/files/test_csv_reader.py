"""Rows from CSV and TSV."""

from __future__ import annotations

import gzip
import io
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import RunError
from connector.files.read_options import ReadOptions
from connector.files.readers import RowSource
from tests.examples import examples
from tests.files.reading import data, outline, write


def test_a_broken_line_of_a_csv_file_costs_its_own_row_only(tmp_path: Path) -> None:
    content = b'a,b\n1,2\n3\n4,5,6\n\n7,\xff\n8,"9"x\n,\n10,"11\n12"\n'
    path = write(tmp_path, content, "rows.csv")
    rows = RowSource(str(path), options=ReadOptions(encoding="utf-8")).rows()
    assert [row.error.removeprefix(str(path)) or row.data for row in rows] == [
        {"a": "1", "b": "2"},
        ", line 3: 1 value for the 2 columns of the header",
        ", line 4: 3 values for the 2 columns of the header",
        ', line 6: a byte that is not UTF-8, in the column "b"',
        ", line 7: ',' expected after '\"'",
        {"a": "", "b": ""},
        {"a": "10", "b": "11\n12"},
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "rows.csv",
            'a,b\n1,2\n3,"4\n5,6\n',
            'line 3: the quote at "4 is not closed, so that the next line is',
        ),
        (
            "rows.csv",
            'a,b\n1,2\n3,"4\n' + "5,6\n" * 5000,
            'line 3: the quote at "4 is not closed, so that the next 5,000 lines are',
        ),
        ("rows.csv", 'a,b\n1,2\n3,"4', 'line 3: the quote at "4 is not closed. Close it; a quote inside'),
        ("rows.csv", '"a,b\n1,2\n', 'line 1: the quote at "a,b is not closed'),
        ("rows.csv", 'a,b\n"x\n""y""","p\n\nq"\nx"y,"\n5,6\n', 'line 6: the quote at " is not closed'),
        (
            "rows.csv",
            'a,b\r1,2\r\n"x\ny","6\n7""\n',
            'line 4: the quote at "6 is not closed, so that the next',
        ),
        ("rows.tsv", 'a\tb\n1\t2\n3,"\t"4\n5\t6\n', 'line 3: the quote at "4 is not closed'),
        ("rows", 'a,b\n3,"\xe9"",\n', 'line 2: the quote at "\xe9"", is not closed'),
        pytest.param(
            "rows.csv",
            'a,b\n3,"4\n' + "5,6\n" * 4_300_000 + '7,"8"\n',
            'line 2: the quote at "4 is not closed',
            marks=pytest.mark.slow,
            id="a-value-of-16-Mi-characters",
        ),
    ],
)
def test_a_quote_that_is_never_closed_stops_the_run_before_its_first_row(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress(content.encode()))
    for path in (write(tmp_path, content, name), packed):
        for start in (lambda: next(RowSource(str(path)).rows()), RowSource(str(path)).count):  # noqa: B023
            with pytest.raises(RunError) as caught:
                start()
            assert str(caught.value).startswith(f"{path}, {message}")
            assert len(str(caught.value)) < 400


def test_a_quote_that_is_not_closed_in_a_later_part_stops_the_run(tmp_path: Path) -> None:
    write(tmp_path, "a,b\n1,2\n", "part-1.csv")
    write(tmp_path, 'a,b\n1,"2\n', "part-2.csv")
    with pytest.raises(RunError, match=r"part-2.csv, line 2: the quote"):
        next(RowSource(str(tmp_path)).rows())


def test_a_quote_that_is_not_closed_in_standard_input_is_the_last_row() -> None:
    stdin = io.BufferedReader(io.BytesIO(b'a,b\n1,2\n3,"4\n5,6\n'))
    good, last = RowSource("-", "csv", stdin).rows()
    assert good.data == {"a": "1", "b": "2"}
    assert last.error.startswith('standard input, line 3: the quote at "4 is not closed')


def test_a_record_with_another_fault_and_quotes_costs_its_own_row_only(tmp_path: Path) -> None:
    content = 'a,b\n"1"x,"2\n3,4\n5,"6"\n'
    assert outline(write(tmp_path, content, "rows.csv")) == [
        ", line 2: ',' expected after '\"'",
        {"a": "3", "b": "4"},
        {"a": "5", "b": "6"},
    ]


def test_cells_of_a_csv_file_stay_text(tmp_path: Path) -> None:
    content = "id,flag,list,empty,space\n007,true,[1],,  x \n"
    [row] = data(write(tmp_path, content, "rows.csv"))
    assert row == {"id": "007", "flag": "true", "list": "[1]", "empty": "", "space": "  x "}


def test_a_very_long_cell_is_read(tmp_path: Path) -> None:
    [row] = data(write(tmp_path, "a,b\n" + "x" * 1_000_000 + ',"' + "y\n" * 100_000 + '"\n', "rows.csv"))
    assert (len(row["a"]), len(row["b"])) == (1_000_000, 200_000)


@pytest.mark.parametrize(
    ("content", "encoding", "said"),
    [
        (b"a,b\n1,2\n", "utf-16", "not utf-16, but UTF-8; remove --encoding"),
        (b"a,b\n1,2\n", "utf-32-be", "not utf-32-be, but UTF-8; remove --encoding"),
        (b"a,b\n1,B\xfcro\n", "utf-16", "not utf-16; remove or correct --encoding"),
        (b"a,b\n1,B\xc3\xbcro\n", "cp1252", "not cp1252, but UTF-8; remove --encoding"),
        (b"a,b\n1,B\xfcro\n", "cp1252", ""),
        (b"\xef\xbb\xbfa,b\n1,B\xc3\xbcro\n", "cp1252", ""),  # the byte order mark decides
        ("a,b\n1,B\xfcro\n".encode("utf-16"), "utf-16", ""),
        ("a,b\n1,B\xfcro\n".encode("utf-16-be"), "utf-16-be", ""),
        ("a,b\n1,\u8054\u901a\n".encode("gb18030"), "gb18030", ""),  # its bytes are valid UTF-8
    ],
)
def test_an_encoding_that_the_text_has_not(tmp_path: Path, content: bytes, encoding: str, said: str) -> None:
    source = RowSource(str(write(tmp_path, content, "rows.csv")), options=ReadOptions(encoding=encoding))
    if not said:
        assert [row.data["b"] for row in source.rows()] in (["B\xfcro"], ["\u8054\u901a"])
        return
    with pytest.raises(RunError, match=said):
        next(source.rows())


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"a,b,a\n", 'the header has the column "a" twice'),
        (b"a,,b\n", "column 2 has no name in the header"),
        (b"a, ,c\n", "column 2 has no name in the header"),
        (b", \n", "column 1 has no name in the header"),
        (b"a,\xff\n", "byte 0xFF is not UTF-8"),
        # Python 3.10 does not read NULs, and says so itself.
        (b"a,b\0,c\n", "NUL" if sys.version_info < (3, 11) else "column 2 has no valid name"),
        (b'"a"x,b\n', "line 1: ',' expected after '\"'"),
    ],
)
def test_a_broken_header_is_a_fault_of_the_run(tmp_path: Path, header: bytes, message: str) -> None:
    source = RowSource(str(write(tmp_path, header + b"1,2,3\n", "rows.csv")))
    with pytest.raises(RunError) as caught:
        next(source.rows())
    assert message in str(caught.value)


@pytest.mark.parametrize("header", [b"x" * 20_000 + b"\xff\n", b"%s,%s\n" % (b"x" * 20_000, b"x" * 20_000)])
def test_a_broken_header_is_not_told_at_length(tmp_path: Path, header: bytes) -> None:
    with pytest.raises(RunError) as caught:
        next(RowSource(str(write(tmp_path, header, "rows.csv"))).rows())
    assert len(str(caught.value)) < 500


def test_a_header_of_many_columns_is_checked_in_time(tmp_path: Path) -> None:
    columns = ",".join(f"column{n}" for n in range(100_000)).encode()
    begun = time.process_time()
    assert data(write(tmp_path, columns + b"\n", "rows.csv")) == []
    assert time.process_time() - begun < 10


@examples(100)
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
