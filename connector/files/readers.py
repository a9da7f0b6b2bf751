"""Input rows: JSON Lines, JSON arrays, CSV, TSV, folders of `part-*` files, gzip, and standard input.

Everything is read as a stream. An invalid line fails only its row. If the next record cannot be found
(invalid gzip, an invalid JSON array), the input ends with an invalid row.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal

from connector.common import json_text
from connector.common.json_text import Json, kind
from connector.errors import Code, RunError, cited, file_errors, shorten
from connector.files.csv_quotes import check_quotes, describe_error, has_quote, separated
from connector.files.json_stream import UNREADABLE, JsonStream

Format = Literal["jsonl", "json", "csv", "tsv"]
FORMATS: tuple[Format, ...] = ("jsonl", "json", "csv", "tsv")

_SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
}
_DELIMITERS: dict[Format, str] = {"csv": ",", "tsv": "\t"}
LONGEST_LINE = 1 << 26
"""The maximum length of a line in bytes, to limit memory."""


@dataclass(frozen=True)
class InputRow:
    """One row, numbered from 1; `error` is the reason why it cannot be run, `code` its envelope's code."""

    number: int
    data: dict[str, Json]
    error: str = ""
    code: Code = "input_invalid"


@dataclass(frozen=True)
class _Record:
    """A record of one file, before it has a number."""

    data: dict[str, Json]
    error: str = ""


class RowSource:
    """The rows of an input: `-` (standard input, or `stdin`), a file, or a folder of `part-*` files."""

    def __init__(self, path: str, format: str | None = None, stdin: BinaryIO | None = None) -> None:
        if format is not None and format not in FORMATS:
            raise RunError(f'unknown input format "{format}"; use {", ".join(FORMATS)}')
        self._format: Format | None = format
        self._stdin = stdin
        self.is_stdin = path == "-"
        with file_errors(path):
            self._files = [] if self.is_stdin else _input_files(Path(path))
        self._unchecked = list(self._files)

    def rows(self) -> Iterator[InputRow]:
        """Yield the rows in order.

        Raises RunError where a file cannot be opened, has a broken header or a quote that is not closed.
        """
        for number, record in enumerate(self._records(), start=1):
            yield InputRow(number, record.data, record.error)

    def count(self, go_on: Callable[[], bool] = lambda: True) -> int | None:
        """Return the number of rows, in a fraction of the time it takes to read them.

        Returns None for standard input, and as soon as `go_on` returns false.
        """
        if self.is_stdin:
            return None
        count = 0
        for count, _ in enumerate(self._records(unread=True), start=1):  # noqa: B007 - the last one is the result
            if not go_on():
                return None
        return count

    def passed(self, row: int) -> int:
        """Return the number of rows up to the row number `row`."""
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

    def _records(self, *, unread: bool = False) -> Iterator[_Record]:
        if self.is_stdin:
            # Not sys.stdin: a thread that is waiting for input would make Python crash at exit.
            with self._stdin or open(sys.stdin.fileno(), "rb", closefd=False) as file:
                yield from _read_stream(file, self._format, "standard input")
        while self._unchecked:
            self._check_quotes(self._unchecked[0])
            del self._unchecked[0]
        for index, path in enumerate(self._files):
            try:
                with _open(path) as file:
                    yield from _read_stream(file, self._format or _format_of(path), str(path), unread=unread)
            except RunError as error:
                if index == 0:
                    raise
                # Earlier files were already sent, so this is an error of a row and not of the run.
                yield _Record({}, str(error))

    def _check_quotes(self, path: Path) -> None:
        """Raise RunError where a CSV file has a quote that is not closed, before any of its rows is sent."""
        for check in (None, check_quotes):
            with suppress(*UNREADABLE), path.open("rb") as file:
                stream, format = _opened(file, self._format or _format_of(path))
                if format not in _DELIMITERS or (check is None and not has_quote(stream)):
                    return
                if check is not None:
                    check(stream, str(path), _DELIMITERS[format], LONGEST_LINE)


def _input_files(path: Path) -> list[Path]:
    if not path.exists():
        raise RunError(f"{path}: no such file or folder")
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
    """Return the format of a file by its extension, or None."""
    return _format_of(Path(name))


def _format_of(path: Path) -> Format | None:
    suffixes = [s.lower() for s in path.suffixes if s.lower() != ".gz"]
    return _SUFFIXES.get(suffixes[-1]) if suffixes else None


def _read_stream(
    raw: BinaryIO, format: Format | None, name: str, *, unread: bool = False
) -> Iterator[_Record]:
    """Yield the records of one stream, unpacked if it is gzip; an invalid stream ends with an invalid record.

    With `unread` the records are only counted, and may be empty.
    """
    try:
        stream, format = _opened(raw, format)
        if format in _DELIMITERS:
            yield from _separated(stream, name, _DELIMITERS[format])
        elif format == "json":
            yield from _json_array(stream, name)
        else:
            yield from (_unread_lines if unread else _json_lines)(stream, name)
    except UNREADABLE as error:
        yield _Record({}, f"{name}: the rest cannot be read: {error}")


def _opened(raw: BinaryIO, format: Format | None) -> tuple[BinaryIO, Format]:
    """Return a stream, unpacked if it is gzip and without its byte order mark, and its format."""
    buffered: Any = raw
    stream: BinaryIO = buffered
    if buffered.peek(2)[:2] == b"\x1f\x8b":
        stream = io.BufferedReader(_Unpacked(buffered))
    _skip_bom(stream)
    if format in (None, "json"):
        first = _first_byte(stream)
        format = "json" if first == b"[" else "jsonl" if first in (b"{", b"") or format else "csv"
    return stream, format


class _Unpacked(io.RawIOBase):
    """The content of a gzip stream, up to the last byte before an error."""

    def __init__(self, packed: BinaryIO) -> None:
        self._file = gzip.GzipFile(fileobj=packed)

    def readable(self) -> bool:
        """Return true, because it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Decompress the available data, so that everything before an error is returned."""
        data = self._file.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _skip_bom(stream: BinaryIO) -> None:
    if isinstance(stream, io.BufferedReader) and stream.peek(3)[:3] == b"\xef\xbb\xbf":
        stream.read(3)


def _first_byte(stream: BinaryIO) -> bytes:
    """Return the first byte that is not white space, without taking it from the stream."""
    assert isinstance(stream, io.BufferedReader)
    while True:
        ahead = stream.peek(1)
        stripped = ahead.lstrip()
        if stripped or not ahead:
            return stripped[:1]
        stream.read(len(ahead))


def _json_lines(stream: BinaryIO, name: str) -> Iterator[_Record]:
    for number, line in enumerate(_lines(stream), start=1):
        if line.strip():
            yield _json_record(line, f"{name}, line {number}")


def _unread_lines(stream: BinaryIO, name: str) -> Iterator[_Record]:
    return (_UNREAD for line in _lines(stream) if line.strip())


_UNREAD = _Record({})


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines.

    Of a line over the limit, only its first LONGEST_LINE + 1 bytes are yielded, so that the caller can detect
    it.
    """
    for line in iter(partial(stream.readline, LONGEST_LINE + 1), b""):
        yield line
        if len(line) > LONGEST_LINE:
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = stream.readline(LONGEST_LINE)


def _json_record(line: bytes, place: str) -> _Record:
    if len(line) > LONGEST_LINE:
        return _Record({}, f"{place}: the line has more than {LONGEST_LINE:,} bytes")
    try:
        value = json_text.loads(line.decode("utf-8").strip())
    except UnicodeDecodeError as error:
        return _Record({}, f"{place}: a byte that is not UTF-8, at position {error.start + 1} of the line")
    except ValueError as error:
        return _Record({}, f"{place}: not JSON ({error}){cited(line.decode('utf-8', 'replace').strip(), 80)}")
    return _row_or_error(value, place)


def _row_or_error(value: Json, place: str) -> _Record:
    if isinstance(value, dict):
        return _Record(value)
    return _Record({}, f"{place}: a row must be a JSON object, not {kind(value)}")


def _json_array(stream: BinaryIO, name: str) -> Iterator[_Record]:
    """Yield an array's items one by one, with only one of them in memory."""
    text = JsonStream(stream)
    done = 0
    try:
        text.skip("[")
        while not text.skip("]"):
            if done and not text.skip(","):
                raise ValueError("a comma or the end of the array is missing")
            value, written = text.value()
            done += 1
            yield _array_record(value, written, f"{name}, item {done}")
    except ValueError as error:
        if text.fault is None:
            broken = f"the array is invalid after item {done} and the rest cannot be read: {error}"
            yield _Record({}, f"{name}: {broken}")
            return
    rest = text.rest()
    if text.fault is not None:
        raise text.fault
    if rest:
        yield _Record({}, f"{name}: unexpected text after the end of the array{cited(rest, 40)}")


def _array_record(value: Json, written: str, place: str) -> _Record:
    if _has_bad_byte(written):
        return _Record({}, f"{place}: a byte that is not UTF-8")
    if isinstance(value, ValueError):
        return _Record({}, f"{place}: not JSON ({value}){cited(written, 80)}")
    return _row_or_error(value, place)


def _separated(stream: BinaryIO, name: str, delimiter: str) -> Iterator[_Record]:
    text, lines, reader = separated(stream, delimiter, LONGEST_LINE)

    def next_cells() -> list[str] | _Record | None:
        lines.next_record()
        try:
            cells: list[str] | None = next(reader, None)
        except csv.Error as error:
            return _Record({}, describe_error(error, lines, reader, name, delimiter))
        return cells

    try:
        header = next_cells()
        while header == []:
            header = next_cells()
        if not isinstance(header, list):
            if header is not None:
                raise RunError(header.error)
            return
        _check_header(header, name)
        while (cells := next_cells()) is not None:
            if isinstance(cells, _Record):
                yield cells
            elif cells:
                yield _csv_record(header, cells, f"{name}, line {reader.line_num}")
    finally:
        text.detach()


def _check_header(header: Sequence[str], name: str) -> None:
    seen: set[str] = set()
    for column in header:
        if not column.strip() or _has_bad_byte(column):
            raise RunError(
                f"{name}: the header has a column without a valid name: {shorten(repr(column), 80)}"
            )
        if column in seen:
            raise RunError(f'{name}: the header has the column "{shorten(column, 80)}" twice')
        seen.add(column)


def _csv_record(header: list[str], cells: list[str], place: str) -> _Record:
    if len(cells) != len(header):
        values = f"{len(cells)} value{'' if len(cells) == 1 else 's'}"
        return _Record({}, f"{place}: {values} for the {len(header)} columns of the header")
    for column, cell in zip(header, cells, strict=True):
        if _has_bad_byte(cell):
            return _Record({}, f'{place}: a byte that is not UTF-8, in the column "{shorten(column, 80)}"')
    return _Record(dict(zip(header, cells, strict=True)))


def _has_bad_byte(text: str) -> bool:
    """Return whether text that was decoded with `surrogateescape` has bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
