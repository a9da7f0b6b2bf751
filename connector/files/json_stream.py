"""Reads the values of a JSON text one by one from a stream."""

from __future__ import annotations

import codecs
import io
import json
import re
import zlib
from typing import Any, BinaryIO

from connector.common import json_text
from connector.common.json_text import Json

UNREADABLE = (EOFError, zlib.error, OSError)
"""The exceptions that reading a damaged stream raises."""

MAX_VALUE_LENGTH = 1 << 26
"""The maximum length of a value in characters, to limit memory."""
_CHUNK = 1 << 16


class JsonStream:
    """The text of a stream, read in chunks, and only as far as the next value requires.

    `fault` is the error that ended the stream early; the text before the error is still returned.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.fault: Exception | None = None
        self._stream: Any = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._position = 0
        self._ended = False

    def next_is(self, mark: str) -> bool:
        """Skip white space; return whether the text continues with `mark`."""
        while True:
            self._position = _after_space(self._text, self._position)
            if self._position < len(self._text) or not self._more(_CHUNK):
                break
        return self._text.startswith(mark, self._position)

    def skip(self, mark: str) -> bool:
        """Skip white space and `mark`; return whether `mark` was there."""
        found = self.next_is(mark)
        self._position += len(mark) if found else 0
        return found

    def value(self) -> tuple[Json, str]:
        """Return the next JSON value and its text; for NaN and Infinity, the value is a ValueError.

        Raises ValueError if the end of the value cannot be found, or the value is too long.
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
                if wanted > MAX_VALUE_LENGTH:
                    raise ValueError(f"an item has more than {MAX_VALUE_LENGTH:,} characters") from None
                if _is_surely_broken(error, self._text) or not self._more(wanted):
                    raise ValueError(_reason(error)) from None
            # The value may be incomplete: read twice as much and try again.
            wanted *= 2

    def rest(self) -> str:
        """Return the rest of the text, as far as it was read. It is empty only at the end."""
        self.skip("")
        return self._text[self._position :]

    def _more(self, characters: int) -> bool:
        """Read about this many characters; return whether any were left."""
        pieces: list[str] = []
        read = 0
        while read < characters and not self._ended:
            try:
                data = self._stream.read1(io.DEFAULT_BUFFER_SIZE)
            except UNREADABLE as error:
                self.fault, data = error, b""
            self._ended = not data
            pieces.append(self._decoder.decode(data, final=self._ended))
            read += len(data)
        self._text += "".join(pieces)
        return read > 0


_SPACE = re.compile(r"[ \t\r\n]*")
_TORN = 16
"""The maximum length of a number or word. At the end of a chunk, it can be incomplete."""


def _after_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _decode_at(text: str, position: int) -> tuple[Json, int]:
    try:
        return json_text.decoder.raw_decode(text, position)
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        # An invalid number fails only its row, because its end can still be found.
        _, end = _lax_decoder.raw_decode(text, position)
        return error, end


_lax_decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


def _is_surely_broken(error: Exception, text: str) -> bool:
    """Return whether the text is invalid regardless of what follows, so that no more of it is read."""
    if not isinstance(error, json.JSONDecodeError):
        return True
    return error.pos < len(text) - _TORN and not error.msg.startswith("Unterminated string")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)
