"""Writes tables as Excel workbooks (.xlsx) row by row with openpyxl, which the extra `excel` installs."""

from __future__ import annotations

import logging
import re
from contextlib import closing
from itertools import chain, islice
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

from connector.common.json_text import Json
from connector.errors import count_of, shorten
from connector.files.columns import RowTable, Table, text_of
from connector.files.excel_reader import excel_library

logger = logging.getLogger(__name__)

MAX_ROWS = 1_048_576
"""The maximum number of rows of a worksheet; further rows are written to further worksheets."""
MAX_COLUMNS = 16_384
_MAX_TEXT_LENGTH = 32_767
_EXACT = 10**15
"""The bound below which Excel keeps all digits of an integer; larger integers are written as text."""
_SHORTENED = 8_000
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""The characters that a workbook cannot contain."""
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""The start of a text that Excel would read as an escaped character, such as `_x0041_`."""


def write_workbook(table: Table | RowTable, file: BinaryIO) -> None:
    """Write a table as a workbook: numbers and booleans unchanged, other values as text.

    Raises OSError, also if the table has more columns than a worksheet can have.
    """
    if len(table.columns) > MAX_COLUMNS:
        raise OSError(0, f"{len(table.columns)} columns, and a worksheet has at most {MAX_COLUMNS}")
    book = excel_library("the output").Workbook(write_only=True)
    writer = _Writer()
    rows = table.rows()
    for row in chain([next(rows, None)], rows):
        sheet = book.create_sheet(f"Results {len(book.worksheets) + 1}" if book.worksheets else "Results")
        sheet.freeze_panes = "A2"
        with closing(sheet):
            sheet.append([writer.cell(sheet, name) for name in table.columns])
            for values in islice(chain([] if row is None else [row], rows), MAX_ROWS - 1):
                sheet.append([writer.cell(sheet, value) for value in values])
    _save(book, file)
    if writer.shortened:
        logger.warning(
            "%s shortened, because a cell of Excel has at most %d characters",
            *(count_of(writer.shortened, "text"), _MAX_TEXT_LENGTH),
            extra={"notice": True},
        )


def is_kept(value: Json) -> bool:
    """Return whether a workbook keeps a value, and not only a part of a text or other characters."""
    if not isinstance(value, str):
        return True
    return "\r" not in value and not _CONTROL.search(value) and not _is_too_long(_escaped(value))


def _save(book: Any, file: BinaryIO) -> None:
    """Write a workbook to a stream. The archive is closed even if writing fails."""
    from openpyxl.writer.excel import ExcelWriter

    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        ExcelWriter(book, archive).write_data()


class _Writer:
    """Creates the cells of a workbook, and counts the texts that had to be shortened."""

    def __init__(self) -> None:
        self.shortened = 0

    def cell(self, sheet: Any, value: Json) -> Any:
        """Return a value for a cell; a text that looks like a formula or an error stays a text."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)) and abs(value) < _EXACT:
            return value
        text = self._fitting(text_of(value).replace("\r\n", "\n").replace("\r", "\n"))
        if not text.startswith(("=", "#")):
            return text
        from openpyxl.cell import WriteOnlyCell

        cell = WriteOnlyCell(sheet, text)
        cell.data_type = "s"
        return cell

    def _fitting(self, text: str) -> str:
        """Return a text without characters that a workbook cannot contain, shortened if it is too long."""
        written = _escaped(text)
        if _is_too_long(written):
            self.shortened += 1
            written = _escaped(shorten(text, _SHORTENED))
        return written


def _is_too_long(written: str) -> bool:
    return len(written) * 2 > _MAX_TEXT_LENGTH and len(written.encode("utf-16-le")) > _MAX_TEXT_LENGTH * 2


def _escaped(text: str) -> str:
    return _ESCAPE.sub("_x005F_", _CONTROL.sub("\ufffd", text))
