"""Rows from CSV and TSV."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import RunError
from connector.files.readers import RowSource
from tests.examples import examples
from tests.files.reading import data, outline, write


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
    with pytest.raises(RunError) as caught:
        next(source.rows())
    assert said in str(caught.value)


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
