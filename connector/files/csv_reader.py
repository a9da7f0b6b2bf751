"""Reads rows from CSV and TSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

from connector.errors import RunError, shorten
from connector.files.csv_dialect import Dialect, column_names, fitted
from connector.files.csv_quotes import describe_error, separated
from connector.files.record import Record
from connector.files.text_stream import has_bad_byte


def read_csv(
    stream: BinaryIO, name: str, dialect: Dialect, longest: int, encoding: str = "UTF-8"
) -> Iterator[Record]:
    """Yield the records of a CSV text; an invalid record has an `error`.

    Raises RunError for an invalid header.
    """
    with _below_header(stream, name, dialect, longest) as (columns, next_cells, reader):
        while columns and (cells := next_cells()) is not None:
            if isinstance(cells, Record):
                yield cells
            elif cells:
                yield _record(columns, cells, f"{name}, line {reader.line_num}", encoding)


def read_csv_header(stream: BinaryIO, name: str, dialect: Dialect, longest: int) -> list[str]:
    """Return the columns of a CSV text; an empty list if it has no header. Raises RunError as `read_csv`."""
    with _below_header(stream, name, dialect, longest) as (columns, _, _):
        return columns


@contextmanager
def _below_header(
    stream: BinaryIO, name: str, dialect: Dialect, longest: int
) -> Iterator[tuple[list[str], Callable[[], list[str] | Record | None], Any]]:
    """Context with the columns, a function that returns the cells of the next record, and the CSV reader.

    That function returns None at the end. Without a header, there are no columns.
    """
    text, lines, reader = separated(stream, dialect.delimiter, longest)

    def next_cells() -> list[str] | Record | None:
        lines.next_record()
        try:
            cells: list[str] | None = next(reader, None)
        except csv.Error as error:
            return Record({}, describe_error(error, lines, reader, name, dialect.delimiter))
        return cells

    def next_full() -> list[str] | Record | None:
        while (cells := next_cells()) == []:
            pass
        return cells

    try:
        for _ in range(dialect.before):
            next_full()
        header = next_full()
        if isinstance(header, Record):
            raise RunError(header.error)
        columns = column_names(header or [])
        if header:
            check_header(columns or header[:1], name)
        yield columns, next_cells, reader
    finally:
        text.detach()


def check_header(columns: Sequence[str], name: str, label: Callable[[int], str] = str) -> None:
    """Raise RunError for a column without a valid name, and for two columns with the same name.

    `label` returns the label of a column from its number, which begins at 1.
    """
    seen: set[str] = set()
    for number, column in enumerate(columns, start=1):
        if not column.strip():
            raise RunError(f"{name}: column {label(number)} has no name in the header")
        if "\0" in column or has_bad_byte(column):
            raise RunError(
                f"{name}: column {label(number)} has no valid name in the header: {shorten(repr(column), 80)}"
            )
        if column in seen:
            raise RunError(f'{name}: the header has the column "{shorten(column, 80)}" twice')
        seen.add(column)


def _record(columns: list[str], cells: list[str], place: str, encoding: str) -> Record:
    if len(cells) != len(columns):
        cells = fitted(cells, len(columns))
    if len(cells) != len(columns):
        values = f"{len(cells)} value{'' if len(cells) == 1 else 's'}"
        return Record({}, f"{place}: {values} for the {len(columns)} columns of the header")
    text = "".join(cells)
    if not text.isascii() and has_bad_byte(text):
        bad = next(column for column, cell in zip(columns, cells, strict=True) if has_bad_byte(cell))
        return Record({}, f'{place}: a byte that is not {encoding}, in the column "{shorten(bad, 80)}"')
    if "\0" in text:
        bad = next(column for column, cell in zip(columns, cells, strict=True) if "\0" in cell)
        return Record({}, f'{place}: a NUL character, in the column "{shorten(bad, 80)}"')
    return Record(dict(zip(columns, cells, strict=True)))
