"""Reads HTTP/1.1 responses with `http.client` of the standard library.

`http.client` accepts much that is not HTTP: a malformed header ends the headers, `-1` is a chunk's size, and
a body may end early. So each line is checked before `http.client` parses it.
"""

from __future__ import annotations

import re
from http.client import HTTPException, HTTPResponse, IncompleteRead
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any

from connector.http.content_encoding import MAX_BODY_BYTES, too_large
from connector.http.framing import (
    BLOCK,
    MAX_HEAD_BYTES,
    MAX_INTERIM_RESPONSES,
    Head,
    Receive,
    add_header,
    broken,
    cut_short,
    not_http,
)
from connector.http.messages import Response

_MAX_CHUNK_LINE_LENGTH = 1024
_HEAD_AND_ENDS = MAX_HEAD_BYTES + len(b"\n\r\n")
_BEGINNING = b"HTTP/1."
_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] [1-9][0-9][0-9](?: [^\r\n\0]*)?\r?\n")
_HEADER = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:|[\t ])[^\r\n\0]*\r?\n")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[\t ]*(?:;.*)?\r?\n")
_EMPTY = (b"\r\n", b"\n")
_FOLD = re.compile(r"\r?\n[\t ]+")


def read_response(receive: Receive, method: str, largest: int = MAX_BODY_BYTES) -> tuple[Response, bool]:
    """Read a response: see `ReadResponse`."""
    received = _Received(receive)
    stream = _CheckedStream(received)
    try:
        response = _final(stream, method)
        head = Head(response.status, _headers(response), response.version == 10)
        end = head.end(method)
        body = b""
        # `http.client` has looked at the first header of each name only, with its line breaks.
        response.chunked = stream.in_chunks = end == "chunks"
        response.chunk_left = None
        response.length = head.body_size(largest) if end == "length" else None
        if end == "length":
            body = response.read()
        elif end != "head":
            body = _read_parts(response, largest)
    except IncompleteRead:
        raise cut_short() from None
    except HTTPException as error:
        raise not_http(str(error) or type(error).__name__) from None
    received.is_over = True
    result, lasts = head.complete(body, end, largest)
    return result, lasts and not stream.peek()


def _final(stream: _CheckedStream, method: str) -> HTTPResponse:
    """Return the final response with its head. Skips interim ones (1xx)."""
    while True:
        response = HTTPResponse(stream, method=method)  # type: ignore[arg-type]  # it calls `makefile` alone
        response.begin()
        if response.status == 101:
            raise not_http("it switches to another protocol")
        if response.status >= 200:
            return response


def _headers(response: HTTPResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        add_header(headers, name, _FOLD.sub(" ", value) if "\n" in value else value)
    return headers


def _read_parts(response: HTTPResponse, largest: int) -> bytes:
    body = BytesIO()  # a buffer, because a list of a million chunks takes fifty times their size
    while part := response.read1(BLOCK):
        body.write(part)
        if body.tell() > largest:
            raise too_large(largest)
    return body.getvalue()


class _Received(RawIOBase):
    """The received bytes; none are received after `is_over` is set."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self.is_over = receive, False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.is_over:
            return 0
        data = self._receive(min(len(buffer), BLOCK))
        buffer[: len(data)] = data
        return len(data)


class _CheckedStream(BufferedReader):
    """The stream that `http.client` reads. It raises ResponseLostError at the first invalid line.

    Set `in_chunks` before the first chunk is read. `http.client` reads the bytes of a chunk by `read1`, and
    the line break after them by `read`.
    """

    def __init__(self, received: _Received) -> None:
        super().__init__(received, BLOCK)
        self.in_chunks = False
        self._has_status = self._in_trailers = False
        self._heads, self._left = 0, _HEAD_AND_ENDS

    def makefile(self, mode: str) -> _CheckedStream:
        return self

    def close(self) -> None:
        """Do nothing, because a response closes its stream, and another one may follow it."""

    def flush(self) -> None:
        """Do nothing, because a response flushes its stream when it is garbage-collected."""

    def readline(self, size: int | None = -1) -> bytes:
        if self.in_chunks and not self._in_trailers:
            return self._chunk_line()
        line = super().readline(self._left + 1)
        if not (self._has_status or self._in_trailers) and not line.startswith(_BEGINNING[: len(line)]):
            raise not_http("it does not begin with HTTP/1")
        self._left -= len(line)
        if self._left < 0:
            raise not_http(f"its head or a line of it exceeds {MAX_HEAD_BYTES} bytes")
        if not line.endswith(b"\n"):
            raise cut_short() if self._in_trailers else broken("the server closed it")
        if not self._in_trailers:
            self._check_head(line)
        elif line not in _EMPTY and not _HEADER.fullmatch(line):
            raise cut_short()
        return line

    def _check_head(self, line: bytes) -> None:
        if not self._has_status:
            if not _STATUS_LINE.fullmatch(line):
                raise not_http("its first line is not a status line")
            self._has_status = True
        elif line in _EMPTY:
            self._heads += 1
            if self._heads > MAX_INTERIM_RESPONSES:
                raise not_http(f"it has {MAX_INTERIM_RESPONSES} interim responses")
            self._has_status, self._left = False, _HEAD_AND_ENDS
        elif not _HEADER.fullmatch(line):
            raise not_http("one of its headers is malformed")

    def _chunk_line(self) -> bytes:
        line = super().readline(_MAX_CHUNK_LINE_LENGTH + 3)
        if len(line) > _MAX_CHUNK_LINE_LENGTH + 2:
            raise not_http(f"its head or a line of it exceeds {_MAX_CHUNK_LINE_LENGTH} bytes")
        found = _CHUNK_LINE.fullmatch(line)
        if found is None:
            raise cut_short()
        self._in_trailers, self._left = int(found[1], 16) == 0, _HEAD_AND_ENDS
        return line

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if self.in_chunks and data != b"\r\n":
            raise cut_short()
        return data
