"""Input rows: JSON, CSV, TSV and Excel files, folders of `part-*` files, gzip, and standard input.

Everything is read as a stream. The format of a file is determined from its first 64 KiB, before any row is
run. An invalid line fails only its row. If the next record cannot be found (invalid gzip, an invalid JSON
array), reading ends with an invalid row.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import BinaryIO, NamedTuple

from connector.common.json_text import Json
from connector.errors import Code, RunError, file_errors
from connector.files.csv_quotes import check_quotes, has_quote
from connector.files.json_stream import UNREADABLE
from connector.files.open_input import InputForm, open_input
from connector.files.read_options import FORMATS, Format, ReadOptions, checked
from connector.files.record import Record

_SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
_BY_CONTENT = ReadOptions()
MAX_LINE_LENGTH = 1 << 26
"""The maximum length of a line in bytes, to limit memory."""


class InputRow(NamedTuple):
    """One row, numbered from 1. `error` is the reason why it cannot be run, `code` its `meta.code`.

    `origin` is the number of the row of the job's input from which the row of a later step results, if that
    is another number; else 0.
    """

    number: int
    data: dict[str, Json]
    error: str = ""
    code: Code = "input_invalid"
    origin: int = 0


class RowSource:
    """The rows of an input: `-` (standard input, or `stdin`), a file, or a folder of `part-*` files."""

    def __init__(
        self,
        path: str,
        format: str | None = None,
        stdin: BinaryIO | None = None,
        *,
        options: ReadOptions = _BY_CONTENT,
    ) -> None:
        if format is not None and format not in FORMATS:
            raise RunError(f'unknown input format "{format}"; use {", ".join(FORMATS)}')
        self._format: Format | None = format
        self._options = checked(options, format)
        self._stdin = stdin
        self.is_stdin = path == "-"
        with file_errors(path):
            self._files = [] if self.is_stdin else _input_files(Path(path))
        self._unchecked = list(self._files)

    def rows(self) -> Iterator[InputRow]:
        """Yield the rows in order.

        Raises RunError for a file that cannot be opened, has an invalid header or an unclosed quote.
        """
        for number, record in enumerate(self._records(), start=1):
            yield InputRow(number, record.data, record.error)

    def count(self, go_on: Callable[[], bool] = lambda: True) -> int | None:
        """Return the number of rows, without converting them, which is much faster than reading them.

        Returns None for standard input, and as soon as `go_on` returns false.
        """
        if self.is_stdin:
            return None
        count = 0
        for count, _ in enumerate(self._records(unread=True), start=1):  # noqa: B007 - the last one is the result
            if not go_on():
                return None
        return count

    def columns(self) -> list[str] | None:
        """Return the columns of a table (CSV, TSV, Excel), of all its files together.

        Returns None for standard input, for other formats, for empty text files, and if a file is damaged.
        The list is empty for a worksheet without cells. Raises RunError as `rows` does.
        """
        headers: list[list[str]] = []
        try:
            for path in self._files:
                with _open(path) as file:
                    opened = open_input(file, self._form(path), MAX_LINE_LENGTH)
                    if opened.read_header is None:
                        return None
                    header = opened.read_header()
                    if header or opened.dialect is None:
                        headers.append(header)
        except UNREADABLE:
            return None
        return list(dict.fromkeys(chain(*headers))) if headers else None

    def passed(self, row: int) -> int:
        """Return how many of the rows have a row number up to `row`."""
        return row

    def digest(self) -> str:
        """Return the SHA-256 of the input's content, by which a resumed run recognizes it."""
        digest = hashlib.sha256()
        for path in self._files:
            digest.update(path.name.encode() + b"\0")
            with _open(path) as file:
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
        return digest.hexdigest()

    def _records(self, *, unread: bool = False) -> Iterator[Record]:
        if self.is_stdin:
            form = InputForm("standard input", None, self._format, self._options, is_live=True)
            # Not sys.stdin: Python would crash at exit while a thread is waiting for input.
            with self._stdin or open(sys.stdin.fileno(), "rb", closefd=False) as file:
                yield from _read(file, form)
        while self._unchecked:
            self._check(self._unchecked[0])
            del self._unchecked[0]
        for index, path in enumerate(self._files):
            try:
                with _open(path) as file:
                    yield from _read(file, self._form(path), unread=unread)
            except RunError as error:
                if index == 0:
                    raise
                # Rows of earlier files were already sent, so this is an error of a row and not of the run.
                yield Record({}, str(error))

    def _form(self, path: Path) -> InputForm:
        return InputForm(str(path), _format_of(path), self._format, self._options)

    def _check(self, path: Path) -> None:
        """Raise RunError for a file that cannot be read, before any row is sent.

        An unclosed quote in CSV is such an error, because the rest of the file would be one value.
        """
        for check in (None, check_quotes):
            with suppress(*UNREADABLE), path.open("rb") as file:
                opened = open_input(file, self._form(path), MAX_LINE_LENGTH)
                if opened.dialect is None or (check is None and not has_quote(opened.stream)):
                    return
                if check is not None:
                    check(opened.stream, str(path), opened.dialect.delimiter, MAX_LINE_LENGTH)


class OneRow(RowSource):
    """One row without fields, for an action that requires none."""

    def __init__(self) -> None:
        self.is_stdin = False
        self._files, self._unchecked = [], []

    def _records(self, *, unread: bool = False) -> Iterator[Record]:
        yield Record({})


def _input_files(path: Path) -> list[Path]:
    if not path.exists():
        raise RunError(f"{path}: no such file or folder")
    if path.is_fifo():
        raise RunError(f"{path}: is a pipe, which can be read only once; use - for standard input, or a file")
    if not path.is_dir():
        with _open(path):
            return [path]
    parts = sorted(
        p for p in path.iterdir() if p.name.startswith("part-") and p.suffix != ".crc" and p.is_file()
    )
    if not parts:
        raise RunError(f"{path}: the folder has no part-* files")
    return parts


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error


def format_of_name(name: str) -> Format | None:
    """Return the format for a file's extension, or None if the extension is not known."""
    return _format_of(Path(name))


def _format_of(path: Path) -> Format | None:
    suffixes = [s.lower() for s in path.suffixes if s.lower() != ".gz"]
    return _SUFFIXES.get(suffixes[-1]) if suffixes else None


def _read(raw: BinaryIO, form: InputForm, *, unread: bool = False) -> Iterator[Record]:
    """Yield the records of one stream; an invalid stream ends in an invalid record."""
    try:
        yield from open_input(raw, form, MAX_LINE_LENGTH, unread=unread).records
    except UNREADABLE as error:
        yield Record({}, f"{form.name}: the rest cannot be read: {error}")
