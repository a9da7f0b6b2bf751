"""Conversion of envelopes from JSON Lines to the other formats, from stream to stream."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable
from typing import IO, BinaryIO

from connector.files.columns import Table, text_of
from connector.files.excel_writer import write_workbook
from connector.files.output_formats import Format, OutputForm
from connector.files.text_table import write_text_table


def convert(partial: IO[bytes], form: OutputForm, file: BinaryIO) -> None:
    """Write envelopes in another format than JSON Lines. Raises OSError."""
    if form.bom:
        file.write(codecs.BOM_UTF8)
    if form.format == "json":
        _write_json(partial, file)
        return
    writers: dict[Format, Callable[[Table, BinaryIO], None]] = {
        "csv": _write_csv,
        "xlsx": write_workbook,
        "table": write_text_table,
    }
    writers[form.format](Table(partial), file)


def _write_json(partial: IO[bytes], file: BinaryIO) -> None:
    separator = b"[\n"
    partial.seek(0)
    for line in partial:
        file.write(separator + line.rstrip(b"\n"))
        separator = b",\n"
    file.write(b"\n]\n" if separator != b"[\n" else b"[]\n")


def _write_csv(table: Table, file: BinaryIO) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text)
        writer.writerow(map(text_of, table.columns))
        writer.writerows(map(text_of, row) for row in table.rows())
    finally:
        text.detach()
