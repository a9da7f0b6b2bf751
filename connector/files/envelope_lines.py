"""Reads a file of envelopes line by line, without the items of long lists in memory."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from io import BytesIO
from typing import IO, Any, BinaryIO, cast

from connector.common import json_text
from connector.common.json_text import Json
from connector.files.json_stream import JsonStream
from connector.files.long_list import LONG

_BLOCK = 1 << 18
_PARSED = 1 << 16
"""The bytes that are parsed together. Their values fit into the cache of a processor."""
_ROW = re.compile(rb',"row":(\d+),')
_START = b'{"has_error":false,"error":null,"row":'
"""The start of the line of a long list; in other envelopes, `result` is in the place of `row`."""


class LongLine:
    """The line of a long list in a file; see `ListEnvelope`. The file must be open while it is read."""

    def __init__(self, file: IO[bytes], start: int, end: int, *, is_complete: bool) -> None:
        self._file, self._start, self._end, self._is_complete = file, start, end, is_complete

    def __len__(self) -> int:
        return self._end - self._start

    def blocks(self) -> Iterator[bytes]:
        """Yield the line in blocks. Raises OSError."""
        reader = _Reader(self._file, self._start, self._end)
        return iter(lambda: reader.read1(_BLOCK), b"")

    def envelope(self) -> dict[str, Json]:
        """Return the envelope with None as its result. Raises ValueError if the line is not valid."""
        if not self._is_complete:
            raise ValueError("the line is not complete")
        return _others(self._text())

    def items(self) -> Iterator[tuple[Json, str]]:
        """Yield each item of the list and its JSON. Raises ValueError if the line is not valid."""
        text = self._text()
        _others(text)
        separator = ""
        while not text.skip("]"):
            if not text.skip(separator):
                raise ValueError("a comma or the end of the list is missing")
            yield text.value()
            separator = ","
        if not text.skip("}"):
            raise ValueError("the end of the envelope is missing")

    def result_lines(self) -> Iterator[bytes]:
        """Yield each item as a line of JSON; with `input` if it is kept. Raises ValueError and OSError."""
        kept = self.envelope().get("input")
        start, end = b"", b"\n"
        if kept is not None:
            start, end = b'{"input":%s,"result":' % json_text.dump_bytes(kept), b"}\n"
        for _, text in self.items():
            yield start + text.encode("utf-8", "surrogateescape") + end

    def _text(self) -> JsonStream:
        return JsonStream(cast(BinaryIO, _Reader(self._file, self._start, self._end)))


Line = bytes | LongLine
"""A line of a file of envelopes."""


def read_envelope_lines(file: IO[bytes]) -> Iterator[Line]:
    """Yield the rest of a file's lines, a long list as a `LongLine`. Raises OSError."""
    while line := file.readline(LONG):
        if line.endswith(b"\n"):
            yield line
        elif not line.startswith(_START):
            yield line + file.readline()
        else:
            start = file.tell() - len(line)
            while line and not line.endswith(b"\n"):
                line = file.readline(_BLOCK)
            yield LongLine(file, start, file.tell(), is_complete=bool(line))


def read_envelope_blocks(
    file: IO[bytes], *, raw: bool = False, names: tuple[str, ...] | None = None
) -> Iterator[list[dict[str, Json]] | LongLine]:
    """Yield the rest of a file's envelopes in blocks, which is faster than one by one. Raises OSError.

    With `raw`, blocks can be from `read_raw_envelopes`, with these `names`.
    Raises ValueError if a line is not valid.
    """
    size = _PARSED
    while block := file.read(size):
        end = block.rfind(b"\n")
        if end < 0:
            file.seek(-len(block), os.SEEK_CUR)
            line = next(read_envelope_lines(file))
            yield line if isinstance(line, LongLine) else [read_envelope(line)]
            continue
        file.seek(end + 1 - len(block), os.SEEK_CUR)
        if raw and json_text.is_compiled(end):
            from connector.files.raw_members import read_raw_envelopes  # requires the extra `fast`

            raw_envelopes = read_raw_envelopes(block[:end], names)
            size = _PARSED if raw_envelopes is None else _BLOCK  # raw members are few objects
            if raw_envelopes is not None:
                yield raw_envelopes
                continue
        envelopes: list[dict[str, Json]] = json_text.loads(f"[{block[:end].decode()}]".replace("\n", ","))
        yield envelopes


def row_of(line: bytes) -> int:
    """Return the row number of a line, or of the start of the line of a long list. Raises ValueError.

    Lines can be long, so a line is parsed only if a regular expression does not find its row number.
    """
    if line.startswith(_START):
        line = line[: line.index(b",", len(_START)) + 1]
    found = _ROW.findall(line)
    return int(found[0] if len(found) == 1 else read_envelope(line)["row"])


def read_envelope(line: Line) -> dict[str, Json]:
    """Return the envelope of a line, with None as the result of a long list. Raises ValueError."""
    if isinstance(line, LongLine):
        return line.envelope()
    envelope: dict[str, Json] = json_text.loads(line.decode())
    return envelope


def long_list_without_items(start: bytes) -> dict[str, Json]:
    """Return the envelope of a long list, without its result, from the start of its line, or nothing."""
    if not start.startswith(_START):
        return {}
    try:
        return _others(JsonStream(BytesIO(start)))
    except ValueError:
        return {}


def _others(text: JsonStream) -> dict[str, Json]:
    """Read a long list's envelope up to its first item, and return it with None as its result."""
    found: dict[str, Any] = {}
    text.skip("{")
    while True:
        name, _ = text.value()
        if not isinstance(name, str) or not text.skip(":"):
            raise ValueError("a member's name is missing")
        if name == "result":
            break
        found[name], _ = text.value()
        if not text.skip(","):
            raise ValueError("the result is missing")
    if not text.skip("["):
        raise ValueError("the result is not a list")
    return {**found, "result": None}


class _Reader:
    """A part of a file. It keeps the position at which others read the file."""

    def __init__(self, file: IO[bytes], position: int, end: int) -> None:
        self._file, self._position, self._end = file, position, end

    def read1(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end."""
        before = self._file.tell()
        self._file.seek(self._position)
        data = self._file.read(min(max(size, _BLOCK), self._end - self._position))
        self._file.seek(before)
        self._position += len(data)
        return data
