"""Where an HTTP/1.1 response ends (RFC 9112), and the limits and errors of all readers of responses.

The rules are strict, so that a truncated response is never accepted as complete.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from connector.errors import ResponseLostError
from connector.http.content_encoding import decoded, too_large
from connector.http.messages import Response

BLOCK = 1 << 16
"""The size of a block that is sent or received at once, in bytes; `timeout_s` applies to each block."""
MAX_HEAD_BYTES = 1 << 16
"""The maximum size of a response's status line and headers, and of its trailers, in bytes."""
MAX_INTERIM_RESPONSES = 100

Receive = Callable[[int], bytes]
"""Returns up to the given number of bytes, and an empty value at the end of the connection."""

ReadResponse = Callable[[Receive, str, int], tuple[Response, bool]]
"""Returns one complete response, and whether the connection can be reused.

The arguments are a function that receives, the method of the request, and the maximum size of the body, as
received or decompressed. Raises ResponseLostError if the response is truncated or not HTTP, and
ResponseTooLargeError. The exceptions of the first argument are not caught.
"""

End = Literal["head", "length", "chunks", "close"]
"""What marks the end of a response: its head, its Content-Length, its last chunk, or the connection's end."""

_LENGTH = re.compile(r"[0-9]{1,18}")


class Head(NamedTuple):
    """The status and headers (by lower-case name) of a final response; `is_old` is true for HTTP/1.0."""

    status: int
    headers: Mapping[str, str]
    is_old: bool = False

    def end(self, method: str) -> End:
        """Return what marks the end of this response to a request.

        Raises ResponseLostError if that is unclear.
        """
        coding, length = self.headers.get("transfer-encoding"), self.headers.get("content-length")
        if method == "HEAD" or self.status in (204, 304):
            return "head"
        if coding is None:
            return "close" if length is None else "length"
        if length is not None:
            raise not_http("it has both a length and a transfer encoding")
        if coding.lower() != "chunked":
            raise not_http(f"its transfer encoding is {coding[:60]!r}")
        return "chunks"

    def body_size(self, largest: int) -> int:
        """Return the Content-Length. Raises ResponseLostError if it is invalid or exceeds `largest`."""
        text = self.headers["content-length"]
        length, *others = (part.strip("\t ") for part in text.split(","))  # the same value can be repeated
        if any(other != length for other in others) or not _LENGTH.fullmatch(length):
            raise not_http(f"its Content-Length is {text[:60]!r}")
        if int(length) > largest:
            raise too_large(largest)
        return int(length)

    def complete(self, body: bytes, end: End, largest: int) -> tuple[Response, bool]:
        """Return the response, and whether its connection can be reused if nothing follows the response.

        Raises ResponseLostError if the body's compression is damaged.
        """
        wishes = self.headers.get("connection", "").lower()
        if self.is_old:  # connections to HTTP/1.0 servers and proxies are not reused unless they ask for it
            lasts = "keep-alive" in wishes and "transfer-encoding" not in self.headers
        else:
            lasts = "close" not in wishes
        if end == "close" or (self.status == 204 and self._announces_a_body()):
            lasts = False
        if body and "content-encoding" in self.headers:
            body = decoded(body, self.headers["content-encoding"], largest)
        return Response(self.status, self.headers, body), lasts

    def _announces_a_body(self) -> bool:
        """Return whether the headers announce a body, whose bytes would be read as the next response."""
        return "transfer-encoding" in self.headers or self.headers.get("content-length", "0") != "0"


def add_header(headers: dict[str, str], name: str, value: str) -> None:
    """Add a header by its lower-case name. The values of repeated headers are joined with commas."""
    name, value = name.lower(), value.strip("\t ")
    headers[name] = f"{headers[name]}, {value}" if name in headers else value


def broken(why: str) -> ResponseLostError:
    """Return the error for a connection that ended before the response was complete."""
    return ResponseLostError(f"the connection broke before the response was complete: {why}")


def cut_short() -> ResponseLostError:
    """Return the error for a body that is not complete."""
    return ResponseLostError("the response was cut short", "bad_response")


def not_http(what: str) -> ResponseLostError:
    """Return the error for bytes that are not a response of HTTP/1.1."""
    return ResponseLostError(f"the response is not HTTP/1.1: {what}", "bad_response")
