"""Reads HTTP/1.1 responses with `httptools` (the extra `fast`), in a fraction of the time of `http.client`.

Some responses that servers send are errors in `httptools`, such as one that repeats its length. Those,
and all unusual ones, are left to `http_client_reader`, so that both readers return and raise the same.
"""

from __future__ import annotations

from io import BytesIO

from httptools import HttpParserError, HttpResponseParser

from connector.errors import ResponseLostError
from connector.http.content_encoding import MAX_BODY_BYTES, too_large
from connector.http.framing import BLOCK, MAX_HEAD_BYTES, End, Head, Receive, add_header, cut_short, not_http
from connector.http.messages import Response

_BEGINNING = b"HTTP/1.1 "
_MAX_HEADERS = 99  # as many as `http.client` reads


def read_response(receive: Receive, method: str, largest: int = MAX_BODY_BYTES) -> tuple[Response, bool]:
    """Read a response: see `ReadResponse`."""
    message = _Message(method, largest)
    try:
        return _read(message, receive, method, largest)
    finally:
        message.release()


def _read(message: _Message, receive: Receive, method: str, largest: int) -> tuple[Response, bool]:
    received = b""
    while message.head is None:
        block = receive(BLOCK)
        received += block
        if not received.startswith(_BEGINNING) or not message.feed(block) or len(received) > MAX_HEAD_BYTES:
            from connector.http import http_client_reader

            return http_client_reader.read_response(_from(received, receive), method, largest)
    without_body = 0
    while not message.is_complete:
        size = message.body.tell()
        block = receive(BLOCK)
        if not block and message.end == "close":
            break
        if not block or not message.feed(block):
            raise cut_short()
        without_body = without_body + len(block) if message.body.tell() == size else 0
        if without_body > MAX_HEAD_BYTES:
            raise not_http(f"its trailers or a line of it exceed {MAX_HEAD_BYTES} bytes")
    response, lasts = message.head.complete(message.body.getvalue(), message.end, largest)
    return response, lasts and not message.is_followed


def _from(received: bytes, receive: Receive) -> Receive:
    """Return a function that returns the bytes that are `received` already, and then those of `receive`."""
    earlier = BytesIO(received)
    return lambda size: earlier.read(size) or receive(size)


class _UnusualError(Exception):
    """The response is left to the other reader."""


class _Message:
    """The response that `httptools` has read so far: `head` is None until its head is complete."""

    def __init__(self, method: str, largest: int) -> None:
        self.head: Head | None = None
        self.end: End = "close"
        self.body = BytesIO()
        self.is_complete = self.is_followed = False
        self._method, self._largest = method, largest
        self._headers: dict[str, str] = {}
        self._count = 0
        self._parser = HttpResponseParser(self)

    def feed(self, data: bytes) -> bool:
        """Read the next bytes; return false if they are not valid, or at the end of the connection.

        Raises ResponseTooLargeError if the body exceeds the limit.
        """
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            # The parser catches all that the methods below raise, such as KeyboardInterrupt.
            if error.__context__ is not None and not self._is_left(error.__context__):
                raise error.__context__ from None
            self.is_followed = True
            return self.is_complete
        return bool(data)

    def _is_left(self, error: BaseException) -> bool:
        """Return whether the response that raised an error is left to the other reader."""
        if isinstance(error, ResponseLostError):
            return self.head is None
        return isinstance(error, (_UnusualError, HttpParserError))

    def release(self) -> None:
        """Drop the parser, which refers to this object: in a cycle the body would stay in memory."""
        del self._parser

    def on_message_begin(self) -> None:
        """Stop at a second response."""
        if self.is_complete:
            raise _UnusualError

    def on_status(self, reason: bytes) -> None:
        """Leave a status line with a NUL to the other reader, which refuses it."""
        if b"\0" in reason:
            raise _UnusualError

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header; ignore the trailers.

        Leave a value with a tab to the other reader: `httptools` compares `chunked` with a tab at its end.
        """
        if self.head is None:
            if b"\t" in value:
                raise _UnusualError
            self._count += 1
            add_header(self._headers, name.decode("latin-1"), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """Leave interim and other unusual responses to the other reader, also those with errors."""
        status = self._parser.get_status_code()
        if status < 200 or self._method == "HEAD" or self._count > _MAX_HEADERS:
            raise _UnusualError
        head = Head(status, self._headers)
        self.end = head.end(self._method)
        if self.end == "length":
            head.body_size(self._largest)
        self.head = head

    def on_body(self, data: bytes) -> None:
        """Add a part of the body."""
        self.body.write(data)
        if self.body.tell() > self._largest:
            raise too_large(self._largest)

    def on_message_complete(self) -> None:
        """Note the end."""
        self.is_complete = True
