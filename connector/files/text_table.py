"""Writes tables as text with aligned columns, which is not wider than the terminal."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from connector.common.json_text import Json
from connector.errors import count_of
from connector.files.columns import Table, text_of

_WIDTH = 120
"""The width in characters if the output is not a terminal."""
_NARROW = 12
"""The minimum width to which columns are narrowed, if others can be omitted."""
_GAP = "  "
_CUT = "..."


@dataclass
class _Column:
    """A column: its index in a row, and its width. Numbers are aligned to the right."""

    place: int
    name: str
    width: int
    is_filled: bool = False
    is_number: bool = True


def write_text_table(table: Table, file: BinaryIO) -> None:
    """Write a table. Long texts are shortened; columns that do not fit are omitted, and listed at the end."""
    columns = [_Column(place, name, _width(name)) for place, name in enumerate(map(_plain, table.columns))]
    for row in table.rows():
        for column in columns:
            _measure(column, row[column.place])
    width = shutil.get_terminal_size((_WIDTH, 24)).columns
    filled = [column for column in columns if column.is_filled and column.name != "has_error"]
    if not filled:
        return
    shown, others = _fitted(filled, width)
    _write(file, [column.name for column in shown], shown)
    for row in table.rows():
        _write(file, [_plain(text_of(row[column.place])) for column in shown], shown)
    if others:
        names = ", ".join(column.name for column in others)
        file.write(f"{count_of(len(others), 'more column')}: {names}\n".encode())


def _measure(column: _Column, value: Json) -> None:
    if value is None or value == "":
        return
    column.is_filled = True
    column.is_number = column.is_number and isinstance(value, (int, float)) and not isinstance(value, bool)
    column.width = max(column.width, _width(_plain(text_of(value))))


def _fitted(columns: list[_Column], width: int) -> tuple[list[_Column], list[_Column]]:
    """Return the columns that fit into a width, with the widest ones narrowed, and the other columns."""
    count = len(columns)
    while count > 1 and _least(columns[:count]) > width:
        count -= 1
    shown = columns[:count]
    free = width - len(_GAP) * (count - 1)
    for done, column in enumerate(sorted(shown, key=lambda column: column.width)):
        column.width = max(1, min(column.width, free // (count - done)))
        free -= column.width
    return shown, columns[count:]


def _least(columns: list[_Column]) -> int:
    return sum(min(column.width, _NARROW) for column in columns) + len(_GAP) * (len(columns) - 1)


def _write(file: BinaryIO, texts: Sequence[str], columns: list[_Column]) -> None:
    cells = []
    for text, column in zip(texts, columns, strict=True):
        text = _cut(text, column.width)
        space = " " * (column.width - _width(text))
        cells.append(space + text if column.is_number else text + space)
    file.write(_GAP.join(cells).rstrip().encode() + b"\n")


def _cut(text: str, width: int) -> str:
    """Return a text shortened to a width."""
    if _width(text) <= width:
        return text
    end, left = 0, width - len(_CUT)
    while end < len(text) and (left := left - _width(text[end])) >= 0:
        end += 1
    return (text[:end] + _CUT)[: max(width, 1)]


def _width(text: str) -> int:
    """Return the width of a text on a terminal, in columns."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def _plain(text: str) -> str:
    """Return a text without characters that control a terminal; they are shown as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
