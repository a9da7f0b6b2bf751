"""An HTTP/1.1 client for one connected socket (RFC 9112).

The client checks strictly where a response ends, so that it never accepts a truncated response as complete.
"""

from __future__ import annotations

import re
import select
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from time import monotonic

from connector.errors import InputError, ResponseLostError
from connector.http.content_encoding import LARGEST_BODY, decoded, too_large
from connector.http.messages import Response

BLOCK = 1 << 16
"""The size of a block that is sent or received at once, in bytes; `timeout_s` applies to each block."""
LONGEST_HEAD = 1 << 16
"""The maximum size of a response's status line and headers, and of its trailers, in bytes."""
MOST_HEADERS = 200
MOST_INTERIM_RESPONSES = 100
LEAST_BYTES_PER_S = 1024
"""The minimum speed of a download, averaged over `total_timeout_s`; a slower one fails."""
_LONGEST_CHUNK_LINE = 1024

_NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_SENT_NAME, _SENT_VALUE = re.compile(_NAME), re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(r"[\x21-\x7e]+")
_BEGINNING = b"HTTP/1."
_STATUS_LINE = re.compile(r"HTTP/1\.([0-9]) ([1-9][0-9][0-9])(?: [^\r\0]*)?")
_HEADER = re.compile(rf"({_NAME}):([^\r\0]*)")
_FOLD = re.compile(r"\n[\t ]+")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[\t ]*(?:;.*)?")
_LINE_END, _HEAD_END = re.compile(rb"\r?\n"), re.compile(rb"\n\r?\n")
_WITH_A_BODY = ("POST", "PUT", "PATCH")


@dataclass(frozen=True)
class ResponseLimits:
    """The limits of a response: its duration in seconds, and the size of its body in bytes.

    `timeout_s` is the maximum wait for the first byte and for each following one, and `total_timeout_s` for
    the complete response.
    """

    timeout_s: float = 60.0
    total_timeout_s: float = 600.0
    largest_body: int = LARGEST_BODY


class HttpConnection:
    """An HTTP/1.1 connection on a connected socket, for one request after the other.

    `reusable` is false after a request if the connection cannot be used for another. The socket's timeout
    must be that of `limits`.
    """

    def __init__(self, connected: socket.socket, limits: ResponseLimits = ResponseLimits()) -> None:
        self._socket, self._limits = connected, limits
        self._is_readable = _readable_check(connected)
        self.reusable = True

    def is_stale(self) -> bool:
        """Return whether the server has closed the connection, or sent data without a request."""
        return self._is_readable()

    def exchange(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        leaving: Callable[[], None] | None = None,
        *,
        is_file: bool = False,
    ) -> Response:
        """Send one request, and return its complete response; `leaving` is called just before sending.

        A download (`is_file`) may take longer than `total_timeout_s` if it is not slower than
        `LEAST_BYTES_PER_S`. Raises InputError (`input_invalid`) if the request has invalid characters (then
        nothing was sent), and ResponseLostError if no complete response was received.
        """
        head = write_head(method, target, headers, body)
        self.reusable = False
        if leaving is not None:
            leaving()
        try:
            is_sent = self._send(head, body or b"")
            receiver = _Receiver(self._socket, self._limits, is_file)
            response, may_be_followed = read_response(receiver.receive, method, self._limits.largest_body)
            receiver.finish()
        except OSError as error:
            raise _broken(str(error) or type(error).__name__) from error
        self.reusable = is_sent and may_be_followed
        return response

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _send(self, head: bytes, body: bytes) -> bool:
        """Send a request; return whether the server accepted all of it."""
        try:
            if len(body) <= BLOCK:
                self._socket.sendall(head + body)
            else:
                self._socket.sendall(head)
                for start in range(0, len(body), BLOCK):
                    self._socket.sendall(body[start : start + BLOCK])
        except ConnectionError:
            # The server may have sent a response early and closed the connection, for example because the
            # body is too large.
            return False
        except TimeoutError as error:
            if self._is_readable():  # the server has sent a response, and does not read the rest
                return False
            raise ResponseLostError(
                f"the server did not accept the request within {self._limits.timeout_s:g} s", "timeout"
            ) from error
        return True


class _Receiver:
    """Receives the bytes of one response within its time limits.

    The socket's own timeout limits each wait for data; it is shortened only when the total time is nearly
    over.
    """

    def __init__(self, connected: socket.socket, limits: ResponseLimits, is_file: bool) -> None:
        self._socket, self._limits, self._is_file = connected, limits, is_file
        self._end = monotonic() + limits.total_timeout_s
        self._bytes = 0
        self._shortened = False

    def receive(self, size: int) -> bytes:
        """Return up to `size` bytes, or an empty value at the end of the connection.

        Raises ResponseLostError (`timeout`) at a time limit, and OSError if the connection breaks.
        """
        left = self._end - monotonic()
        if left < self._limits.timeout_s:
            self._near_the_end(left)
        try:
            data = self._socket.recv(size)
        except TimeoutError as error:
            if self._shortened:
                raise self._too_slow() from error
            raise _timed_out(f"nothing was received for {self._limits.timeout_s:g} s") from error
        self._bytes += len(data)
        return data

    def finish(self) -> None:
        """Restore the socket's timeout for the next request."""
        if self._shortened:
            self._socket.settimeout(self._limits.timeout_s)

    def _near_the_end(self, left: float) -> None:
        if not self._is_file:
            if left <= 0:
                raise self._too_slow()
            self._socket.settimeout(left)
            self._shortened = True
        elif left <= 0:
            if self._bytes < LEAST_BYTES_PER_S * self._limits.total_timeout_s:
                raise self._too_slow()
            self._bytes, self._end = 0, monotonic() + self._limits.total_timeout_s

    def _too_slow(self) -> ResponseLostError:
        total = f"{self._limits.total_timeout_s:g} s"
        if self._is_file:
            return _timed_out(f"the download had less than {LEAST_BYTES_PER_S} bytes per second over {total}")
        return _timed_out(f"it was not complete within {total}")


def _readable_check(connected: socket.socket) -> Callable[[], bool]:
    """Return a function that checks without waiting whether the socket has data, or its end, to read."""
    if sys.platform != "win32" and hasattr(select, "poll"):
        poll = select.poll()
        poll.register(connected.fileno(), select.POLLIN)
        return lambda: bool(poll.poll(0))
    return lambda: bool(select.select([connected], [], [], 0)[0])


def write_head(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """Return a request's first line and headers, including Content-Length.

    Raises InputError (`input_invalid`) if a name or value has an invalid character, such as a line break.
    """
    if not _TARGET.fullmatch(target):
        raise InputError(
            "input_invalid",
            f"a request cannot be sent to {target[:200]!r}: only printable ASCII characters without spaces "
            "are valid",
        )
    # Check all names, and all values, in one search each, which is faster; they are almost always valid.
    names, values = method + "".join(headers), "".join(headers.values())
    if not (_SENT_NAME.fullmatch(names) and _SENT_VALUE.fullmatch(values)) or "" in headers:
        raise InputError("input_invalid", f"a request cannot have {_unfit(headers)}")
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if body is not None or method in _WITH_A_BODY:
        lines += f"content-length: {len(body or b'')}\r\n"
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


def _unfit(headers: Mapping[str, str]) -> str:
    """Describe the header that is not valid, without its value, which may be a secret."""
    for name, value in headers.items():
        if not _SENT_NAME.fullmatch(name):
            return f"a header named {name[:60]!r}"
        if not _SENT_VALUE.fullmatch(value):
            return f'the value of the header "{name}"'
    return "this method"


def read_response(
    receive: Callable[[int], bytes], method: str, largest: int = LARGEST_BODY
) -> tuple[Response, bool]:
    """Return one complete response, and whether the connection can be reused.

    `receive` returns up to the given number of bytes, and an empty value at the end of the connection; its
    exceptions are not caught. Raises ResponseLostError if the response is truncated or not HTTP, and
    ResponseTooLargeError if its body has more than `largest` bytes, as received or decompressed.
    """
    return _Reader(receive, largest).read(method)


class _Reader:
    def __init__(self, receive: Callable[[int], bytes], largest: int) -> None:
        self._receive, self._largest = receive, largest
        self._data, self._at = b"", 0  # the received bytes, and the position of the next unread one
        self._has_head = False

    def read(self, method: str) -> tuple[Response, bool]:
        minor, status, headers = self._final_head()
        self._has_head = True
        if method == "HEAD" or status in (204, 304):
            body, has_end = b"", status != 204 or _announces_nothing(headers)
        else:
            body, has_end = self._body(headers)
        wishes = headers.get("connection", "").lower()
        # Connections to HTTP/1.0 servers and proxies are not reused.
        lasts = (
            "close" not in wishes if minor else "keep-alive" in wishes and "transfer-encoding" not in headers
        )
        may_be_followed = has_end and lasts and self._at == len(self._data)
        if body and "content-encoding" in headers:
            body = decoded(body, headers["content-encoding"], self._largest)
        return Response(status, headers, body), may_be_followed

    def _final_head(self) -> tuple[int, int, dict[str, str]]:
        """Return the minor version, status and headers of the final response. Skips interim ones (1xx)."""
        for _ in range(MOST_INTERIM_RESPONSES):
            while len(self._data) - self._at < len(_BEGINNING):
                self._more()
            if not self._data.startswith(_BEGINNING, self._at):
                raise _not_http("it does not begin with HTTP/1")
            minor, status, headers = read_head(self._until(_HEAD_END, LONGEST_HEAD).rstrip(b"\r"))
            if status >= 200:
                return minor, status, headers
            if status == 101:
                raise _not_http("it switches to another protocol")
        raise _not_http(f"it has {MOST_INTERIM_RESPONSES} interim responses")

    def _body(self, headers: Mapping[str, str]) -> tuple[bytes, bool]:
        """Return the body, and whether its end was marked other than by closing the connection."""
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is None:
            return (self._rest(), False) if length is None else (self._exactly(_body_length(length)), True)
        if length is not None:
            raise _not_http("it has both a length and a transfer encoding")
        if coding.lower() != "chunked":
            raise _not_http(f"its transfer encoding is {coding[:60]!r}")
        return self._chunks(), True

    def _chunks(self) -> bytes:
        body = BytesIO()  # a buffer, because a list of a million chunks takes fifty times their size
        while size := self._chunk_size():
            self._check_size(body.tell() + size)
            body.write(self._exactly(size))
            if self._until(_LINE_END, _LONGEST_CHUNK_LINE):
                raise _cut_short()
        allowed = LONGEST_HEAD
        while trailer := self._until(_LINE_END, allowed):
            allowed -= len(trailer)
        return body.getvalue()

    def _chunk_size(self) -> int:
        line = _CHUNK_LINE.fullmatch(self._until(_LINE_END, _LONGEST_CHUNK_LINE))
        if line is None:
            raise _cut_short()
        return int(line[1], 16)

    def _until(self, end: re.Pattern[bytes], longest: int) -> bytes:
        """Return the bytes before the next match of `end`, at most `longest`, and move behind the match."""
        start = self._at
        # The match of `end` has up to three bytes, two of which can be after the first `longest` bytes.
        while (found := end.search(self._data, start)) is None and len(self._data) - self._at <= longest + 2:
            start = max(0, len(self._data) - self._at - 2)
            self._more()
        if found is None or found.start() - self._at > longest:
            raise _not_http(f"its head or a line of it exceeds {longest} bytes")
        before = self._data[self._at : found.start()]
        self._at = found.end()
        return before

    def _exactly(self, size: int) -> bytes:
        self._check_size(size)
        end = self._at + size
        if end <= len(self._data):
            data, self._at = self._data[self._at : end], end
            return data
        body = BytesIO()
        body.write(memoryview(self._data)[self._at :])
        while (left := size - body.tell()) > 0:
            self._data = self._received()
            self._at = min(left, len(self._data))
            body.write(memoryview(self._data)[: self._at])
        return body.getvalue()

    def _rest(self) -> bytes:
        body = BytesIO()
        body.write(memoryview(self._data)[self._at :])
        self._data, self._at = b"", 0
        while data := self._receive(BLOCK):
            self._check_size(body.tell() + len(data))
            body.write(data)
        return body.getvalue()

    def _check_size(self, size: int) -> None:
        if size > self._largest:
            raise too_large(self._largest)

    def _more(self) -> None:
        self._data, self._at = self._data[self._at :] + self._received(), 0

    def _received(self) -> bytes:
        data = self._receive(BLOCK)
        if not data:
            raise _cut_short() if self._has_head else _broken("the server closed it")
        return data


def read_head(head: bytes) -> tuple[int, int, dict[str, str]]:
    """Return the minor version, status and headers (by lower-case name) of a response's head.

    The values of repeated headers are joined with commas. Raises ResponseLostError if the head is not valid.
    """
    text = head.decode("latin-1").replace("\r\n", "\n")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    first, *lines = text.split("\n")
    status_line = _STATUS_LINE.fullmatch(first)
    if status_line is None:
        raise _not_http("its first line is not a status line")
    if len(lines) > MOST_HEADERS:
        raise _not_http(f"it has {len(lines)} headers; at most {MOST_HEADERS} are accepted")
    headers: dict[str, str] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise _not_http("one of its headers is malformed")
        name, value = header[1].lower(), header[2].strip("\t ")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return int(status_line[1]), int(status_line[2]), headers


def _announces_nothing(headers: Mapping[str, str]) -> bool:
    """Return whether the headers announce no body. The bytes of one would be read as the next response."""
    return "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"


def _body_length(text: str) -> int:
    """Return the length in a Content-Length header. The same value can be repeated in it."""
    length, *others = (part.strip("\t ") for part in text.split(","))
    if any(other != length for other in others) or not _LENGTH.fullmatch(length):
        raise _not_http(f"its Content-Length is {text[:60]!r}")
    return int(length)


def _broken(why: str) -> ResponseLostError:
    return ResponseLostError(f"the connection broke before the response was complete: {why}")


def _timed_out(why: str) -> ResponseLostError:
    return ResponseLostError(f"no complete response: {why}", "timeout")


def _cut_short() -> ResponseLostError:
    return ResponseLostError("the response was cut short", "bad_response")


def _not_http(what: str) -> ResponseLostError:
    return ResponseLostError(f"the response is not HTTP/1.1: {what}", "bad_response")
