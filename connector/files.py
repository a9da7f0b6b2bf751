"""Rows in: JSON Lines, JSON arrays, CSV, TSV, folders of `part-*` files, gzip of each, and standard input.

Everything is read as a stream. A broken line costs its own row only; where the next record cannot be found
any more (broken gzip, a broken JSON array), one broken row is the last.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import json
import re
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from connector import json_text
from connector.errors import RunFault, shorten
from connector.json_text import Json, kind

Format = Literal["jsonl", "json", "csv", "tsv"]
FORMATS: tuple[Format, ...] = ("jsonl", "json", "csv", "tsv")

_SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
}
_CHUNK = 1 << 16
_LONGEST_FIELD = 1 << 24
_UNREADABLE = (EOFError, zlib.error, OSError)


@dataclass(frozen=True)
class InputRow:
    """One row, numbered from 1; `error` says why it cannot be run, and `code` of which kind that is."""

    number: int
    data: dict[str, Json]
    error: str = ""
    code: str = "input_invalid"


@dataclass(frozen=True)
class _Record:
    """A record of one file, before it has a number."""

    data: dict[str, Json]
    error: str = ""


class RowSource:
    """The rows of an input: `-` (standard input), a file, or a folder of `part-*` files."""

    def __init__(self, path: str, format: str | None = None) -> None:
        if format is not None and format not in FORMATS:
            raise RunFault(f'no input format "{format}"; there are {", ".join(FORMATS)}')
        self._format: Format | None = format
        self.is_stdin = path == "-"
        self._files = [] if self.is_stdin else _input_files(Path(path))

    def rows(self) -> Iterator[InputRow]:
        """Give the rows in order. Raises RunFault where a file cannot be opened or has a broken header."""
        for number, record in enumerate(self._records(), start=1):
            yield InputRow(number, record.data, record.error)

    def digest(self) -> str:
        """Give the SHA-256 of the input's content, by which a resumed run knows it again."""
        digest = hashlib.sha256()
        for path in self._files:
            digest.update(path.name.encode() + b"\0")
            with _open(path) as file:
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
        return digest.hexdigest()

    def _records(self) -> Iterator[_Record]:
        if self.is_stdin:
            # Not by sys.stdin: a thread that still waits for a line of it would make the process end badly.
            with open(sys.stdin.fileno(), "rb", closefd=False) as file:
                yield from _read_stream(file, self._format, "standard input")
        for index, path in enumerate(self._files):
            try:
                with _open(path) as file:
                    yield from _read_stream(file, self._format or _format_of(path), str(path))
            except RunFault as error:
                if index == 0:
                    raise
                # Requests have been sent for the files before it: it costs a row, not the run.
                yield _Record({}, str(error))


def _input_files(path: Path) -> list[Path]:
    if not path.exists():
        raise RunFault(f"{path}: there is no such input")
    if not path.is_dir():
        with _open(path):
            return [path]
    parts = sorted(
        p for p in path.iterdir() if p.name.startswith("part-") and p.suffix != ".crc" and p.is_file()
    )
    if not parts:
        raise RunFault(f"{path}: the folder holds no part-* files")
    return parts


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise RunFault(f"{path}: cannot be read: {error.strerror}") from error


def _format_of(path: Path) -> Format | None:
    suffixes = [s.lower() for s in path.suffixes if s.lower() != ".gz"]
    return _SUFFIXES.get(suffixes[-1]) if suffixes else None


def _read_stream(raw: BinaryIO, format: Format | None, name: str) -> Iterator[_Record]:
    """Read one stream, unpacked if it is gzip; a broken one ends in one broken record."""
    buffered: Any = raw
    stream: BinaryIO = buffered
    if buffered.peek(2)[:2] == b"\x1f\x8b":
        stream = io.BufferedReader(_Unpacked(buffered))
    try:
        _skip_bom(stream)
        if format in (None, "json"):
            first = _first_byte(stream)
            format = "json" if first == b"[" else "jsonl" if first in (b"{", b"") or format else "csv"
        readers = {"jsonl": _json_lines, "json": _json_array, "csv": _csv, "tsv": _tsv}
        yield from readers[format](stream, name)
    except _UNREADABLE as error:
        yield _Record({}, f"{name}: the rest cannot be read: {error}")


class _Unpacked(io.RawIOBase):
    """What a gzip stream holds, down to the last byte before it breaks."""

    def __init__(self, packed: BinaryIO) -> None:
        self._file = gzip.GzipFile(fileobj=packed)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Unpack as much as there is at once, so that an error keeps nothing back that came before it."""
        data = self._file.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _skip_bom(stream: BinaryIO) -> None:
    if isinstance(stream, io.BufferedReader) and stream.peek(3)[:3] == b"\xef\xbb\xbf":
        stream.read(3)


def _first_byte(stream: BinaryIO) -> bytes:
    """Look at the first byte that is no white space, without taking it from the stream."""
    assert isinstance(stream, io.BufferedReader)
    while True:
        ahead = stream.peek(1)
        stripped = ahead.lstrip()
        if stripped or not ahead:
            return stripped[:1]
        stream.read(len(ahead))


def _json_lines(stream: BinaryIO, name: str) -> Iterator[_Record]:
    for number, line in enumerate(stream, start=1):
        if line.strip():
            yield _json_record(line, f"{name}, line {number}")


def _json_record(line: bytes, place: str) -> _Record:
    try:
        value = json_text.loads(line.decode("utf-8").strip())
    except UnicodeDecodeError as error:
        return _Record({}, f"{place}: a byte that is not UTF-8, at position {error.start + 1} of the line")
    except ValueError as error:
        return _Record(
            {}, f"{place}: not JSON ({error}): {shorten(line.decode('utf-8', 'replace').strip(), 80)}"
        )
    return _row_or_error(value, place)


def _row_or_error(value: Json, place: str) -> _Record:
    if isinstance(value, dict):
        return _Record(value)
    return _Record({}, f"{place}: a row is a JSON object, and this is {kind(value)}")


def _json_array(stream: BinaryIO, name: str) -> Iterator[_Record]:
    """Read an array's items one by one, keeping no more than one of them in memory."""
    text = _Ahead(stream)
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
            broken = f"the array is broken after item {done} and cannot be read further: {error}"
            yield _Record({}, f"{name}: {broken}")
            return
    rest = text.rest()
    if text.fault is not None:
        raise text.fault
    if rest:
        yield _Record({}, f"{name}: something follows the end of the array: {shorten(rest, 40)}")


def _array_record(value: Json, written: str, place: str) -> _Record:
    if _has_bad_byte(written):
        return _Record({}, f"{place}: a byte that is not UTF-8")
    if isinstance(value, ValueError):
        return _Record({}, f"{place}: not JSON ({value}): {shorten(written, 80)}")
    return _row_or_error(value, place)


class _Ahead:
    """A stream's text, read in chunks and no further than the next value needs.

    `fault` is why the stream ended before its end; what came until then is given out all the same.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.fault: Exception | None = None
        self._stream: Any = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._position = 0
        self._ended = False

    def skip(self, mark: str) -> bool:
        """Pass over white space and then over the mark, if it is there."""
        while True:
            self._position = _after_space(self._text, self._position)
            if self._position < len(self._text) or not self._more(_CHUNK):
                break
        found = self._text.startswith(mark, self._position)
        self._position += len(mark) if found else 0
        return found

    def value(self) -> tuple[Json, str]:
        """Give the next JSON value (a ValueError where it has a number that JSON has not) and its text.

        Raises ValueError where the end of the value cannot be found.
        """
        self.skip("")
        if self._position > _CHUNK:
            self._text, self._position = self._text[self._position :], 0
        wanted = _CHUNK
        while True:
            try:
                value, end = _decode_at(self._text, self._position)
                if end < len(self._text) or not self._more(wanted):
                    written, self._position = self._text[self._position : end], end
                    return value, written
            except (ValueError, RecursionError) as error:
                if _is_surely_broken(error, self._text) or not self._more(wanted):
                    raise ValueError(_reason(error)) from None
            # Perhaps only a part of it has been read: twice as much is tried each time.
            wanted *= 2

    def rest(self) -> str:
        """Give the text that is left, as far as it has been read; it is empty only at the end."""
        self.skip("")
        return self._text[self._position :]

    def _more(self, characters: int) -> bool:
        """Read about so many characters; tell whether there were any."""
        pieces: list[str] = []
        read = 0
        while read < characters and not self._ended:
            try:
                data = self._stream.read1(io.DEFAULT_BUFFER_SIZE)
            except _UNREADABLE as error:
                self.fault, data = error, b""
            self._ended = not data
            pieces.append(self._decoder.decode(data, final=self._ended))
            read += len(data)
        self._text += "".join(pieces)
        return read > 0


_SPACE = re.compile(r"[ \t\r\n]*")
_TORN = 16
"""A token that the end of what was read cuts in two begins no further before that end, save for a text."""


def _after_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _decode_at(text: str, position: int) -> tuple[Json, int]:
    try:
        return json_text.decoder.raw_decode(text, position)
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        # A number that JSON does not have costs its own row only: where the row ends can still be found.
        _, end = _lax_decoder.raw_decode(text, position)
        return error, end


_lax_decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


def _is_surely_broken(error: Exception, text: str) -> bool:
    """Tell what no further reading can mend, so that a broken file is not read into memory as a whole."""
    if not isinstance(error, json.JSONDecodeError):
        return True
    return error.pos < len(text) - _TORN and not error.msg.startswith("Unterminated string")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)


def _csv(stream: BinaryIO, name: str) -> Iterator[_Record]:
    return _separated(stream, name, ",")


def _tsv(stream: BinaryIO, name: str) -> Iterator[_Record]:
    return _separated(stream, name, "\t")


def _separated(stream: BinaryIO, name: str, delimiter: str) -> Iterator[_Record]:
    csv.field_size_limit(_LONGEST_FIELD)
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        header = _next_cells(reader, name)
        while header == []:
            header = _next_cells(reader, name)
        if not isinstance(header, list):
            if header is not None:
                raise RunFault(header.error)
            return
        _check_header(header, name)
        while (cells := _next_cells(reader, name)) is not None:
            if isinstance(cells, _Record):
                yield cells
            elif cells:
                yield _csv_record(header, cells, f"{name}, line {reader.line_num}")
    finally:
        text.detach()


def _next_cells(reader: Iterator[list[str]], name: str) -> list[str] | _Record | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        line = getattr(reader, "line_num", "?")
        return _Record({}, f"{name}, line {line}: {error}")


def _check_header(header: Sequence[str], name: str) -> None:
    for column in header:
        if not column.strip() or _has_bad_byte(column):
            raise RunFault(f"{name}: a column of the header has no readable name: {column!r}")
        if header.count(column) > 1:
            raise RunFault(f'{name}: the header names the column "{column}" twice')


def _csv_record(header: list[str], cells: list[str], place: str) -> _Record:
    if len(cells) != len(header):
        return _Record({}, f"{place}: {len(cells)} values where the header has {len(header)} columns")
    for column, cell in zip(header, cells, strict=True):
        if _has_bad_byte(cell):
            return _Record({}, f'{place}: a byte that is not UTF-8, in the column "{column}"')
    return _Record(dict(zip(header, cells, strict=True)))


def _has_bad_byte(text: str) -> bool:
    """Tell whether text that was decoded with `surrogateescape` holds what is not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
