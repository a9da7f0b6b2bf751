"""Determines from the first 64 KiB of a CSV file its delimiter and the lines before its header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connector.errors import RunError, count_of, shorten

DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "space"}
_SEP = re.compile(r'"?sep=(?P<delimiter>[^"\r\n]|\\t)"?[,;\t|]*', re.IGNORECASE)
_TYPE = "#TYPE "
"""The start of the first line that `Export-Csv` of Windows PowerShell writes."""
_EDGE = " \t\r\n\v\f\xa0\ufeff\u200b\u2060"


@dataclass(frozen=True)
class Dialect:
    """The delimiter, and the number of records before the header, such as Excel's `sep=;`."""

    delimiter: str
    before: int = 0


def find_dialect(start: bytes, name: str, given: str | None, *, complete: bool) -> Dialect:
    """Return the dialect of a CSV text; its delimiter is `given`, or else the one in the header.

    `start` is the beginning of the text, or the whole text if it is `complete`. Raises RunError if the header
    has several possible delimiters, or if no row has as many values as the header has columns.
    """
    text = start.decode("utf-8", "replace").lstrip("\r\n")
    said, before, header = _split(text)
    if said and given is None:
        given = "\t" if said["delimiter"] == "\\t" else said["delimiter"]
    delimiter = given or _header_delimiter(header, name)
    _check_rows(Dialect(delimiter, before), text, name, complete=complete)
    return Dialect(delimiter, before)


def has_header(start: bytes) -> bool:
    """Return whether the beginning of a CSV text has all of its header, which can have several lines."""
    return _outside_quotes(_split(start.decode("utf-8", "replace").lstrip("\r\n"))[2])[1]


def column_names(cells: Sequence[str]) -> list[str]:
    """Return a header's column names without surrounding white space; empty names at the end are removed."""
    names = [cell.strip(_EDGE) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


def fitted(cells: list[str], width: int) -> list[str]:
    """Return a record's cells; empty cells after the last column (`width`) are removed."""
    return cells[:width] if len(cells) > width and not any(map(str.strip, cells[width:])) else cells


def _split(text: str) -> tuple[re.Match[str] | None, int, str]:
    """Return the match of `sep=`, the number of records before the header, and the text after them."""
    first, _, rest = text.replace("\r\n", "\n").replace("\r", "\n").partition("\n")
    said = _SEP.fullmatch(first)
    return (said, 1, rest.lstrip("\n")) if said or first.startswith(_TYPE) else (None, 0, text)


def _header_delimiter(text: str, name: str) -> str:
    """Return the delimiter of a header: a comma if one is outside quotes, else the only other delimiter."""
    found, _ = _outside_quotes(text)
    if "," in found or not found:
        return ","
    if len(found) > 1:
        several = " and ".join(f"{NAMES[d]}s" for d in DELIMITERS if d in found)
        raise RunError(
            f"{name}: the header has {several}; say which separate its columns, such as "
            f'--delimiter "{next(d for d in DELIMITERS if d in found)}"'
        )
    return found.pop()


def _outside_quotes(text: str) -> tuple[set[str], bool]:
    """Return the delimiters outside quotes in the first record of a text, and whether that record ends."""
    found: set[str] = set()
    quoted = False
    at_start = True
    for character in text:
        if quoted:
            quoted = character != '"'  # a quote that is written twice opens another quoted part
            continue
        if character in "\r\n":
            return found, True
        if character == '"':
            quoted = at_start
        elif character in DELIMITERS:
            found.add(character)
        at_start = character in DELIMITERS or (character == '"' and at_start) or character == "\ufeff"
    return found, False


def _check_rows(dialect: Dialect, text: str, name: str, *, complete: bool) -> None:
    """Raise RunError if there are rows, but none has as many values as the header has columns."""
    rows = _sample(text, dialect, complete=complete)
    header = next(rows, None)
    if not isinstance(header, list):
        return
    width = len(column_names(header))
    if not width:
        return
    first: list[str] | csv.Error | None = None
    for row in rows:
        if isinstance(row, list) and len(fitted(row, width)) == width:
            return
        if isinstance(row, csv.Error) and "end of data" in str(row):
            return  # a quote is not closed; `check_quotes` reports it
        first = row if first is None else first
    if first is None:
        return
    if isinstance(first, csv.Error):
        raise RunError(
            f"{name}: no row can be read: {first}. A quote inside a quoted value is written twice, and a "
            "value with the delimiter or a line break is quoted"
        )
    raise RunError(
        f"{name}: no row fits the header: the header has {count_of(width, 'column')} "
        f"({shorten(dialect.delimiter.join(header), 60)}), the first row {count_of(len(first), 'value')}"
        f"{_hint(dialect, text, complete=complete)}"
    )


def _hint(dialect: Dialect, text: str, *, complete: bool) -> str:
    """Return advice for rows that do not fit: a delimiter with which they fit, or the likely cause."""
    for delimiter in DELIMITERS:
        rows = list(_sample(text, Dialect(delimiter, dialect.before), complete=complete))
        widths = {len(row) if isinstance(row, list) else 0 for row in rows}
        if delimiter != dialect.delimiter and len(widths) == 1 and widths.isdisjoint({0, 1}):
            option = "tab" if delimiter == "\t" else delimiter
            return f'. With --delimiter "{option}" all rows fit'
    return (
        ". Remove lines before the header, such as a title, or use --delimiter if the columns are separated "
        "by another character"
    )


def _sample(text: str, dialect: Dialect, *, complete: bool) -> Iterator[list[str] | csv.Error]:
    """Yield the records of a text, with the header first, without empty ones and an incomplete last one."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter, strict=True)
    before = dialect.before
    held: list[str] | csv.Error | None = None
    while True:
        record: list[str] | csv.Error | None
        try:
            record = next(reader, None)
        except csv.Error as error:
            record = error
        if record is None:
            break
        if record == []:
            continue
        if before:
            before -= 1
            continue
        if held is not None:
            yield held
        held = record
    if held is not None and complete:
        yield held
