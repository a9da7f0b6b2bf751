"""CSV in any dialect and encoding: the rows come back equal, without an option."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.files.readers import RowSource
from tests.examples import examples
from tests.files.reading import data

DELIMITERS = ",;\t|"
EDGE = " \t\r\n\v\f\xa0\ufeff\u200b\u2060"
ENCODINGS = {
    "utf-8": b"",
    "utf-8-sig": b"",  # this codec writes the mark itself
    "utf-16-le": b"\xff\xfe",
    "utf-16-be": b"\xfe\xff",
    "utf-32-le": b"\xff\xfe\0\0",
    "utf-32-be": b"\0\0\xfe\xff",
}
CHARACTERS = st.one_of(
    st.sampled_from(DELIMITERS + '"\r\n aé\u0a0a\u0d0d\u2028\U0001f600'),
    st.characters(codec="utf-8", exclude_characters="\0"),
)
CELLS = st.one_of(st.text(CHARACTERS, max_size=8), st.just(""), st.just("x" * 70_000))
NAMES = st.text(CHARACTERS, min_size=1, max_size=8).map(lambda name: name.strip(EDGE)).filter(str.strip)


@dataclass(frozen=True)
class File:
    """A CSV file and the rows in it."""

    content: bytes
    rows: list[dict[str, str]]


@st.composite
def files(draw: st.DrawFn) -> File:
    """Return a file in one dialect, whose cells are quoted where they must be and in other places."""
    delimiter = draw(st.sampled_from(DELIMITERS))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    always = draw(st.booleans())
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    rows = draw(st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)), max_size=4))
    empty = draw(st.integers(0, 3))
    if len(names) + empty == 1:
        delimiter = ","  # whose header has none: a comma separates

    def written(cell: str, special: str) -> str:
        must = always or any(c in cell for c in special) or draw(st.booleans())
        return '"' + cell.replace('"', '""') + '"' if must else cell

    def line(cells: list[str], more: int, special: str) -> str:
        if not more and cells == [""]:
            return '""' + end  # otherwise an empty line, which is no row
        texts = [written(cell, special) for cell in cells]
        return delimiter.join(texts + [""] * more) + end * draw(st.integers(1, 2))

    text = line(names, empty, DELIMITERS + '"\r\n')
    for cells in rows:
        text += line(cells, draw(st.integers(0, empty + 1)), delimiter + '"\r\n')
    if draw(st.booleans()):
        text = text.rstrip("\r\n") if text.rstrip("\r\n").endswith('"') else text
    encoding = draw(st.sampled_from(sorted(ENCODINGS)))
    found = [dict(zip(names, cells, strict=True)) for cells in rows]
    return File(ENCODINGS[encoding] + text.encode(encoding), found)


class Pieces(io.BytesIO):
    """Standard input whose data arrives in pieces."""

    size = 1

    def read1(self, size: int | None = -1) -> bytes:
        return self.read(self.size if size is None or size < 0 else min(size, self.size))

    def readinto1(self, buffer: Any) -> int:
        piece = self.read1(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


@examples(400)
@given(files())
def test_rows_of_a_file_are_equal(tmp_path_factory: pytest.TempPathFactory, file: File) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(file.content)
    assert data(path) == file.rows


@examples(200)
@given(files(), st.sampled_from([1, 7, 5000]))
def test_rows_of_standard_input_are_equal(file: File, size: int) -> None:
    stdin = Pieces(file.content)
    stdin.size = size if len(file.content) < 5000 else 5000
    rows = list(RowSource("-", "csv", cast("BinaryIO", stdin)).rows())
    assert [row.error or row.data for row in rows] == file.rows


@pytest.mark.parametrize(
    "content", [b'"A\nb";C\n1;2\n', b'#TYPE X\r\n"A\nb";"C"\r\n"1";"2"\r\n', b'sep=;\n\n"A\nb";C\n1;2\n']
)
def test_a_header_of_several_lines_arrives_in_pieces(content: bytes) -> None:
    [row] = RowSource("-", None, cast("BinaryIO", Pieces(content))).rows()
    assert row.data == {"A\nb": "1", "C": "2"}
