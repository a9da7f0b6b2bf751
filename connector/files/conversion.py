"""Converts envelopes from JSON Lines to another format, without reading all of them into memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import IO, BinaryIO

from connector.files.columns import NewColumnError, Table, result_lines
from connector.files.csv_writer import write_csv
from connector.files.envelope_lines import LongLine, read_envelope_lines
from connector.files.output_formats import OutputForm
from connector.files.text_table import write_text_table

_BLOCK = 1 << 18
_FIRST = 1000
"""The number of rows that usually have all columns of a table."""


def convert(partial: IO[bytes], form: OutputForm, file: BinaryIO, *, may_rewrite: bool = False) -> None:
    """Write envelopes, or their results, in the form of an output. Raises OSError.

    With `may_rewrite`, the file is truncated and written again if that saves time in most cases.
    """
    if form.bom:
        file.write(codecs.BOM_UTF8)
    if form.format in ("jsonl", "json"):
        partial.seek(0)
        blocks = _result_lines(partial) if form.results else iter(lambda: partial.read(_BLOCK), b"")
        file.writelines(blocks if form.format == "jsonl" else _array(blocks))
        return
    if form.format == "csv" and may_rewrite:
        start = file.tell()
        with suppress(NewColumnError):
            return write_csv(Table(partial, results=form.results, first=_FIRST, raw=True), file)
        file.seek(start)
        file.truncate()
    table = Table(partial, results=form.results, raw=form.format == "csv")
    if form.format == "csv":
        write_csv(table, file)
    elif form.format == "table":
        write_text_table(table, file)
    else:
        from connector.files.excel_writer import write_workbook  # slow to import

        write_workbook(table, file)


def _result_lines(partial: IO[bytes]) -> Iterator[bytes]:
    for line in read_envelope_lines(partial):
        if isinstance(line, LongLine):
            yield from line.result_lines()
        else:
            yield result_lines(line)


def _array(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the text of a JSON array with an item per line, from blocks of lines that end anywhere."""
    start = separator = b"[\n"
    for block in filter(None, blocks):
        yield separator + block.removesuffix(b"\n").replace(b"\n", b",\n")
        separator = b",\n" if block.endswith(b"\n") else b""
    yield b"[]\n" if separator is start else b"\n]\n"
