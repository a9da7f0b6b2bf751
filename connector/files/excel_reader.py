"""Reads rows from Excel workbooks (.xlsx) with openpyxl, which the extra `excel` installs."""

from __future__ import annotations

import re
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain, repeat
from types import ModuleType
from typing import Any, BinaryIO

from connector.common.json_text import Json
from connector.errors import RunError, shorten
from connector.files.csv_dialect import column_names
from connector.files.csv_reader import check_header
from connector.files.record import Record

_MAX_INTEGER = 1 << 53
_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell [^>]{0,100}?ref=\"([A-Z0-9:$]{1,40})\"")
_MAX_TAG_LENGTH = 200
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
"""A character as a workbook writes those that XML cannot contain, and the sign _ before such a text."""
_DAMAGED = (KeyError, ValueError, TypeError, zipfile.BadZipFile, SyntaxError)
"""The errors of openpyxl for a damaged sheet."""


def excel_library(name: str) -> ModuleType:
    """Return openpyxl. Raises RunError if it is not installed; `name` is the file that requires it."""
    try:
        import openpyxl
    except ImportError:
        raise RunError(
            f"{name}: Excel workbooks require the extra `excel`: run "
            "`pip install 'ninjaone-connector[excel]'`, or use CSV"
        ) from None
    return openpyxl


def read_workbook(stream: BinaryIO, name: str, sheet: str | None) -> Iterator[Record]:
    """Yield the rows below the header of a worksheet; a row with an error value has an `error`.

    `sheet` is a name or a number from 1. Without it, the workbook must have only one visible sheet with
    cells. Raises RunError.
    """
    with _opened(stream, name, sheet) as opened:
        yield from _rows(opened)


def read_workbook_header(stream: BinaryIO, name: str, sheet: str | None) -> list[str]:
    """Return the columns of a worksheet; an empty list if it has no cells. Raises RunError."""
    with _opened(stream, name, sheet) as opened:
        return _header(_numbered_rows(opened), opened)


@dataclass(frozen=True)
class _Sheet:
    """A sheet with the values of its formulas, and with the formulas themselves if it has any.

    `place` describes it in messages. `merged` are the ranges of merged cells.
    """

    values: Any
    formulas: Any
    place: str
    merged: tuple[str, ...]


@contextmanager
def _opened(stream: BinaryIO, name: str, sheet: str | None) -> Iterator[_Sheet]:
    """Context with the chosen sheet."""
    openpyxl = excel_library(name)
    with tempfile.TemporaryFile() as copy:  # reading a workbook starts at its end
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about parts that openpyxl does not read, such as styles
            formulas = None
            try:
                book = openpyxl.load_workbook(copy, read_only=True, data_only=True, keep_links=False)
                chosen = _choose(book, name, sheet)
                has_formulas, merged = _scan(copy, book[chosen]._worksheet_path)
                if has_formulas:
                    formulas = openpyxl.load_workbook(copy, read_only=True, keep_links=False)[chosen]
            except RunError:
                raise
            except Exception as error:  # openpyxl raises many types for a damaged workbook
                raise RunError(f"{name}: the workbook cannot be read: {_reason(error)}") from None
            yield _Sheet(book[chosen], formulas, f'{name}, sheet "{chosen}"', merged)


def _scan(file: Any, part: str) -> tuple[bool, tuple[str, ...]]:
    """Return whether a sheet has formulas, whose values the file may lack, and its ranges of merged cells."""
    has_formulas, merged = False, []
    with zipfile.ZipFile(file) as archive, archive.open(part) as sheet:
        before = b""
        while block := sheet.read(1 << 18):
            joined = before + block
            has_formulas = has_formulas or _FORMULA.search(joined) is not None
            if b"mergeCell" in joined:
                merged += _MERGED.findall(joined)
            before = joined[-_MAX_TAG_LENGTH:]
    return has_formulas, tuple(dict.fromkeys(found.decode() for found in merged))


def _choose(book: Any, name: str, sheet: str | None) -> str:
    """Return the name of the sheet to read. Raises RunError."""
    names: list[str] = [s.title for s in book.worksheets]
    if sheet is not None:
        if sheet in names:
            return sheet
        if sheet.isdecimal() and 1 <= int(sheet) <= len(names):
            return names[int(sheet) - 1]
        raise RunError(f'{name}: no sheet "{sheet}"; the workbook has {_listed(names)}')
    visible: list[str] = [s.title for s in book.worksheets if s.sheet_state == "visible"]
    filled = [title for title in visible if next(_full_rows(book[title]), None)]
    if len(filled) > 1:
        raise RunError(f"{name}: several sheets have rows; use --sheet NAME with one of {_listed(filled)}")
    if not (filled or visible or names):
        raise RunError(
            f"{name}: the workbook has no sheet that can be read; if its format is Strict Open XML, save it "
            "as Excel Workbook (.xlsx)"
        )
    return [*filled, *visible, *names][0]


def _listed(names: list[str]) -> str:
    return shorten(", ".join(f'"{name}"' for name in names), 300)


def _full_rows(sheet: Any) -> Iterator[tuple[int, list[Any]]]:
    """Yield the number and the cells of each row that has a value."""
    sheet.reset_dimensions()  # some programs write wrong dimensions, so that rows or columns would be missing
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if any(cell.value is not None for cell in cells):
            yield number, cells


def _rows(sheet: _Sheet) -> Iterator[Record]:
    place = sheet.place
    try:
        rows = _numbered_rows(sheet)
        columns = _header(rows, sheet)
        for number, cells in rows:
            yield _record(columns, number, cells, f"{place}, row {number}")
    except _DAMAGED as error:
        yield Record({}, f"{place}: the rest cannot be read: {_reason(error)}")


def _numbered_rows(sheet: _Sheet) -> Iterator[tuple[int, list[Any]]]:
    """Yield the number and the cells of each row with a value."""
    return (
        _full_rows(sheet.values) if sheet.formulas is None else _with_formulas(sheet.values, sheet.formulas)
    )


def _header(rows: Iterator[tuple[int, list[Any]]], sheet: _Sheet) -> list[str]:
    """Return the columns of the header, which is the first of the rows. Raises RunError.

    Merged cells below it are an error, too: only the first of them has the value, and the others would be
    read as empty.
    """
    place = sheet.place
    try:
        header = next(rows, None)
    except _DAMAGED as error:
        raise RunError(f"{place}: cannot be read: {_reason(error)}") from None
    if header is None:
        return []
    if merged := [found for found in sheet.merged if _last_row(found) > header[0]]:
        listed = shorten(", ".join(merged), 80)
        raise RunError(f"{place}: merged cells ({listed}); unmerge them, and fill in the value of each cell")
    columns = column_names([_name(cell.value) for cell in header[1]])
    check_header(columns, place, excel_library(place).utils.get_column_letter)
    return columns


def _with_formulas(values: Any, formulas: Any) -> Iterator[tuple[int, list[Any]]]:
    """Yield the rows of a sheet. If a formula has no stored value, its cell has the formula."""
    for sheet in (values, formulas):
        sheet.reset_dimensions()
    read = values.iter_rows(), formulas.iter_rows()
    for number, (cells, written) in enumerate(zip(*read, strict=False), start=1):
        row = [
            f if v.value is None and f.data_type == "f" else v for v, f in zip(cells, written, strict=False)
        ]
        if any(cell.value is not None for cell in row):
            yield number, row


def _name(value: Any) -> str:
    """Return the name of a column from its cell in the header."""
    if value is None:
        return ""
    found = _value(value)
    return found if isinstance(found, str) else str(found)


def _record(columns: list[str], number: int, cells: list[Any], place: str) -> Record:
    row: dict[str, Json] = {}
    for column, cell in zip(columns, chain(cells, repeat(None)), strict=False):
        if cell is None or cell.value is None:
            row[column] = ""
        elif cell.data_type == "e":
            return Record({}, f'{place}: the column "{shorten(column, 80)}" has the error {cell.value}')
        elif cell.data_type == "f":
            return Record(
                {},
                f'{place}: the formula in the column "{shorten(column, 80)}" has no stored value; open the '
                "workbook in Excel and save it",
            )
        elif _is_rounded(cell.value):
            return Record(
                {},
                f'{place}: the column "{shorten(column, 80)}" has a number with more than 15 digits, which '
                "Excel rounds; format the column as text, and enter it again",
            )
        else:
            row[column] = _value(cell.value)
    for cell in cells[len(columns) :]:
        if cell.value is not None and str(cell.value).strip():
            return Record(
                {}, f"{place}: a value in column {cell.column_letter}, which has no name in the header"
            )
    return Record(row)


def _value(value: Any) -> Json:
    """Return a cell's value: a number, a boolean or text; a date is text as ISO 8601."""
    if isinstance(value, str):
        return _ESCAPED.sub(_character, value) if "_x" in value else value
    if isinstance(value, float):
        # Excel shows 15 digits: 0.1 + 0.2, which it stores as 0.30000000000000004, is 0.3 there.
        return int(value) if value.is_integer() and abs(value) < _MAX_INTEGER else float(f"{value:.15g}")
    if isinstance(value, datetime):
        # Dates in a workbook always have a time; a date that was entered without one has midnight.
        if value.time() == time():
            return value.date().isoformat()
        return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    return value if isinstance(value, (bool, int)) else str(value)


def _character(escaped: re.Match[str]) -> str:
    code = int(escaped[1], 16)
    return escaped[0] if 0xD800 <= code < 0xE000 else chr(code)


def _is_rounded(value: Any) -> bool:
    """Return whether Excel may have rounded an integer that was entered with more than 15 digits."""
    return isinstance(value, (int, float)) and 1e15 <= abs(value) < 1e21 and value == float(f"{value:.15g}")


def _last_row(merged: str) -> int:
    """Return the number of the last row of a range such as `B2:B3`."""
    return int(re.sub("[^0-9]", "", merged.rpartition(":")[2]) or 0)


def _duration(value: timedelta) -> str:
    """Return a duration in the format `[h]:mm:ss`, in which hours can exceed 24."""
    milliseconds = abs(round(value / timedelta(milliseconds=1)))
    seconds, fraction = divmod(milliseconds, 1000)
    text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{'-' if value < timedelta() else ''}{text}{f'.{fraction:03}' if fraction else ''}"


def _reason(error: Exception) -> str:
    return shorten(str(error) or type(error).__name__, 120)
