"""Detection of unclosed quotes in CSV and TSV, which would turn the rest of a file into one value."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, BinaryIO

from connector.errors import RunError, shorten

MAX_FIELD_LENGTH = 1 << 24
"""The maximum number of characters of a value."""
_CHUNK = 1 << 16


class RecordLines:
    """The lines of a text. It also keeps the lines of the current record, which are limited in length.

    Call `next_record` after each record. Raises OSError for a record that is too long.
    """

    def __init__(self, text: io.TextIOWrapper, longest: int) -> None:
        self._text, self._longest, self.ended = text, longest, False
        self.next_record()

    def next_record(self) -> None:
        """Start the next record."""
        self.record: list[str] = []
        self._characters = 0

    def __iter__(self) -> Iterator[str]:
        readline = self._text.readline
        while line := readline(self._longest):
            self.record.append(line)
            self._characters += len(line)
            if self._characters >= self._longest:
                raise OSError(f"a record has more than {self._longest:,} characters")
            yield line
        self.ended = True


def separated(stream: BinaryIO, delimiter: str, longest: int) -> tuple[io.TextIOWrapper, RecordLines, Any]:
    """Return the text of a stream, its lines, and a CSV reader for them. Detach the text at the end.

    Bytes that are not UTF-8 become lone surrogates. The reader raises csv.Error.
    """
    csv.field_size_limit(MAX_FIELD_LENGTH)
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
    lines = RecordLines(text, longest)
    return text, lines, csv.reader(lines, delimiter=delimiter, strict=True)


def describe_error(error: csv.Error, lines: RecordLines, reader: Any, name: str, delimiter: str) -> str:
    """Return the message for an invalid record, with its line or the line of its unclosed quote."""
    return _unclosed(lines, reader, name, delimiter) or f"{name}, line {reader.line_num}: {error}"


def check_quotes(stream: BinaryIO, name: str, delimiter: str, longest: int) -> None:
    """Raise RunError for a quote that is not closed before the end of the stream or the limit of a value."""
    text, lines, reader = separated(stream, delimiter, longest)
    try:
        while True:
            try:
                if next(reader, None) is None:
                    return
            except csv.Error:
                if fault := _unclosed(lines, reader, name, delimiter):
                    raise RunError(fault) from None
            lines.next_record()
    finally:
        text.detach()


def has_quote(stream: BinaryIO) -> bool:
    """Return whether there is a quote in the rest of a stream."""
    while chunk := stream.read(_CHUNK):
        if b'"' in chunk:
            return True
    return False


def _unclosed(lines: RecordLines, reader: Any, name: str, delimiter: str) -> str:
    """Return the message for the unclosed quote of an invalid record; empty if it has none."""
    text = "".join(lines.record)
    position = _open_quote(text, delimiter)
    # A record with another error was read only up to this error: its quotes may be closed after it.
    if position is None or not (lines.ended or len(text) - position > MAX_FIELD_LENGTH):
        return ""
    ends = list(accumulate(map(len, lines.record)))
    index = next(i for i, end in enumerate(ends) if position < end)
    after = len(ends) - index - 1
    follow = ""
    if after:
        follow = f", so that the next {after:,} lines are" if after > 1 else ", so that the next line is"
        follow += " read as a part of its value"
    start = (
        shorten(text[position : ends[index]].rstrip("\r\n"), 30).encode("utf-8", "backslashreplace").decode()
    )
    return (
        f"{name}, line {reader.line_num - after}: the quote at {start} is not closed{follow}. "
        'Close it; a quote inside a quoted value is written twice ("")'
    )


def _open_quote(text: str, delimiter: str) -> int | None:
    """Return the position of the unclosed quote in a record's text."""
    position = 0
    while position < len(text):
        if text[position] == '"':
            end = text.find('"', position + 1)
            while end >= 0 and text[end + 1 : end + 2] == '"':
                end = text.find('"', end + 2)
            if end < 0:
                return position
            position = end
        found = text.find(delimiter, position)
        if found < 0:
            return None
        position = found + 1
    return None
