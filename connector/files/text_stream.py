"""Reads the text of an input as UTF-8: decompressed, without byte order mark, its beginning read ahead."""

from __future__ import annotations

import codecs
import io
from typing import Any, BinaryIO, NamedTuple

from connector.files.json_stream import UNREADABLE

SAMPLE = 1 << 16
"""The number of bytes at the beginning of an input from which its format is determined."""
BAD_BYTE = b"\xff"
"""A byte that replaces invalid bytes of a text that is not UTF-8."""

_MARKS = (  # UTF-32 first, because its byte order mark starts with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_GZIP = b"\x1f\x8b"


class Ahead(io.RawIOBase):
    """A stream whose beginning can be looked at before it is read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream: Any = stream
        self._start = b""
        self._fault: Exception | None = None
        self.ended = False

    def look(self, *, all: bool) -> bytes:
        """Return the beginning:

        SAMPLE bytes, or unless `all` is set, the available bytes up to a line's end.
        """
        while len(self._start) < SAMPLE and not self.ended:
            if not all and (b"\n" in self._start or b"\r" in self._start):
                break
            self.more()
        return self._start

    def more(self) -> bool:
        """Read more bytes ahead; return false at the end, after an error, or if SAMPLE bytes were read."""
        if self.ended or len(self._start) >= SAMPLE:
            return False
        try:
            data = self._stream.read1(SAMPLE - len(self._start))
        except UNREADABLE as error:
            self._fault, data = error, b""
        self._start += data
        self.ended = not data
        return bool(data)

    def starts_with(self, mark: bytes) -> bool:
        """Return whether the stream starts with `mark`. Only as many bytes as necessary are read ahead."""
        while len(self._start) < len(mark) and mark.startswith(self._start) and self.more():
            pass
        return self._start.startswith(mark)

    def skip(self, count: int) -> None:
        """Discard bytes at the beginning."""
        self._start = self._start[count:]

    def readable(self) -> bool:
        """Return true: the stream can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the bytes that were read ahead, then the rest of the stream."""
        if self._start:
            count = min(len(buffer), len(self._start))
            buffer[:count] = self._start[:count]
            self._start = self._start[count:]
            return count
        if self._fault:
            raise self._fault
        return int(self._stream.readinto1(buffer))


class _Unpacked(io.RawIOBase):
    """The decompressed content of a gzip stream, up to the last byte before an error."""

    def __init__(self, packed: BinaryIO) -> None:
        import gzip  # imported only if it is used

        self._file = gzip.GzipFile(fileobj=packed)

    def readable(self) -> bool:
        """Return true: the stream can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Decompress the available data, so that everything before an error is returned."""
        data = self._file.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _mark_bad(error: UnicodeError) -> tuple[str, int]:
    """Replace bytes that cannot be decoded by a character that is later encoded as BAD_BYTE."""
    return "\udcff", getattr(error, "end", 1)


def _write_bad(error: UnicodeError) -> tuple[bytes, int]:
    """Replace a character that cannot be encoded in UTF-8 by BAD_BYTE."""
    return BAD_BYTE, getattr(error, "end", 1)


def has_bad_byte(text: str) -> bool:
    """Return whether a text has bytes that are not UTF-8. It was decoded with `surrogateescape`."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


codecs.register_error("connector.mark_bad", _mark_bad)
codecs.register_error("connector.write_bad", _write_bad)


def is_text_encoding(name: str) -> bool:
    """Return whether Python has a text encoding of this name."""
    try:
        b"a".decode(name, "replace")  # raises an error for codecs that are not text encodings, such as hex
        codecs.getincrementaldecoder(_codec(name))("connector.mark_bad").decode(b"a\xff", True)
    except (LookupError, ValueError):
        return False
    return True


class _Transcoded(io.RawIOBase):
    """A stream of text in another encoding, converted to UTF-8."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream: Any = stream
        self._decoder = codecs.getincrementaldecoder(_codec(encoding))("connector.mark_bad")
        self._waiting = b""
        self._ended = False

    def readable(self) -> bool:
        """Return true: the stream can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Decode the available data."""
        while not self._waiting and not self._ended:
            data = self._stream.read1(SAMPLE)
            self._ended = not data
            text = self._decoder.decode(data, final=self._ended)
            self._waiting = text.encode("utf-8", "connector.write_bad")
        count = min(len(buffer), len(self._waiting))
        buffer[:count] = self._waiting[:count]
        self._waiting = self._waiting[count:]
        return count


def _codec(encoding: str) -> str:
    """Return the codec of an encoding.

    For UTF-16 and UTF-32 without a byte order mark, it is little-endian.
    """
    name = codecs.lookup(encoding).name
    return f"{name}-le" if name in ("utf-16", "utf-32") else name


class Text(NamedTuple):
    """A text as a stream of UTF-8. `encoding` is the original encoding.

    `is_certain` is false if the encoding was assumed; `is_marked` is true if a byte order mark says that it
    is UTF-8.
    """

    stream: io.BufferedReader
    ahead: Ahead
    encoding: str
    is_certain: bool = True
    is_marked: bool = False


def unpacked(raw: BinaryIO) -> Ahead:
    """Return a stream whose beginning can be read ahead, decompressed if it is gzip."""
    ahead = Ahead(raw)
    if ahead.starts_with(_GZIP):
        ahead = Ahead(buffered(_Unpacked(buffered(ahead))))
    return ahead


def has_mark(start: bytes) -> bool:
    """Return whether a text begins with a byte order mark."""
    return start.startswith((codecs.BOM_UTF8, *(mark for mark, _ in _MARKS)))


def open_text(ahead: Ahead, encoding: str | None, *, all: bool) -> Text:
    """Return the text of a stream, decoded by its byte order mark, or else in `encoding`, or else in UTF-8.

    With `all`, its beginning is read up to SAMPLE bytes, otherwise up to the first end of a line.
    """
    start = ahead.look(all=all)
    if start.startswith(codecs.BOM_UTF8):
        while ahead.look(all=all).startswith(codecs.BOM_UTF8):  # written twice by some programs
            ahead.skip(len(codecs.BOM_UTF8))
        return Text(buffered(ahead), ahead, "UTF-8", is_certain=encoding is not None, is_marked=True)
    for mark, found in _MARKS:
        if start.startswith(mark):
            ahead.skip(len(mark))
            return _transcoded(ahead, found, all=all)
    if encoding is None:
        return Text(buffered(ahead), ahead, "UTF-8", is_certain=False)
    if _codec(encoding) in ("utf-8", "utf-8-sig", "ascii"):
        return Text(buffered(ahead), ahead, "UTF-8")
    return _transcoded(ahead, encoding, all=all)


def _transcoded(ahead: Ahead, encoding: str, *, all: bool) -> Text:
    text = Ahead(buffered(_Transcoded(buffered(ahead), encoding)))
    text.look(all=all)
    return Text(buffered(text), text, encoding)


def buffered(stream: io.RawIOBase) -> io.BufferedReader:
    """Return a buffered stream."""
    return io.BufferedReader(stream, SAMPLE)
