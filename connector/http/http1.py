"""An HTTP/1.1 client for one connected socket (RFC 9112): it writes requests, and receives in time.

A library reads the responses: `httptools` if it is installed, otherwise `http.client`.
"""

from __future__ import annotations

import re
import select
import socket
import sys
from collections.abc import Callable, Mapping
from functools import cache
from time import monotonic
from typing import NamedTuple

from connector.errors import InputError, NotSentError, ResponseLostError
from connector.http.content_encoding import MAX_BODY_BYTES
from connector.http.framing import BLOCK, ReadResponse, broken
from connector.http.messages import Response

MIN_BYTES_PER_S = 1024
"""The minimum speed of a download, averaged over `total_timeout_s`; a slower one fails."""

_NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_SENT_NAME, _SENT_VALUE = re.compile(_NAME), re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(r"[\x21-\x7e]+")
_WITH_A_BODY = ("POST", "PUT", "PATCH")


class ResponseLimits(NamedTuple):
    """The limits of a response: its duration in seconds, and the size of its body in bytes.

    `timeout_s` is the maximum wait for the first byte and for each following one, and `total_timeout_s` for
    the complete response.
    """

    timeout_s: float = 60.0
    total_timeout_s: float = 600.0
    largest_body: int = MAX_BODY_BYTES


_DEFAULT_LIMITS = ResponseLimits()


class HttpConnection:
    """An HTTP/1.1 connection on a connected socket, for one request after the other.

    `reusable` is false after a request if the connection cannot be used for another. The socket's timeout
    must be that of `limits`.
    """

    def __init__(self, connected: socket.socket, limits: ResponseLimits = _DEFAULT_LIMITS) -> None:
        self._socket, self._limits = connected, limits
        self._is_readable = _readable_check(connected)
        self._latest: tuple[str, Mapping[str, str]] | None = None
        self._lines = ""
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
        leaving: Callable[[], bool] | None = None,
        *,
        is_file: bool = False,
    ) -> Response:
        """Send one request, and return its complete response.

        `leaving` is called just before sending, and returns whether it has waited. Raises NotSentError if the
        server has closed the connection in the meantime.

        A download (`is_file`) may take longer than `total_timeout_s` if it is not slower than
        `MIN_BYTES_PER_S`. Raises InputError (`input_invalid`) if the request has invalid characters (then
        nothing was sent), and ResponseLostError if no complete response was received.
        """
        if (method, headers) != self._latest:  # they are usually the same for all rows
            self._lines = header_lines(method, headers)
            self._latest = method, {**headers}
        head = write_head(method, target, self._lines, body)
        self.reusable = False
        if leaving is not None and leaving() and self.is_stale():
            raise NotSentError("the server closed the connection before the request was sent")
        try:
            is_sent = self._send(head, body or b"")
            receiver = _Receiver(self._socket, self._limits, is_file)
            read_response = response_reader()
            response, may_be_followed = read_response(receiver.receive, method, self._limits.largest_body)
            receiver.finish()
        except OSError as error:
            raise broken(str(error) or type(error).__name__) from error
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


@cache
def response_reader() -> ReadResponse:
    """Return the function that reads responses, from the fastest library that is installed."""
    # imported when the first response is read, because the import of `http.client` takes 10 ms
    try:
        from connector.http.httptools_reader import read_response
    except ImportError:  # without the extra `fast`
        from connector.http.http_client_reader import read_response
    return read_response


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
            if self._bytes < MIN_BYTES_PER_S * self._limits.total_timeout_s:
                raise self._too_slow()
            self._bytes, self._end = 0, monotonic() + self._limits.total_timeout_s

    def _too_slow(self) -> ResponseLostError:
        total = f"{self._limits.total_timeout_s:g} s"
        if self._is_file:
            return _timed_out(f"the download had less than {MIN_BYTES_PER_S} bytes per second over {total}")
        return _timed_out(f"it was not complete within {total}")


def _readable_check(connected: socket.socket) -> Callable[[], bool]:
    """Return a function that checks without waiting whether the socket has data, or its end, to read."""
    if sys.platform != "win32" and hasattr(select, "poll"):
        poll = select.poll()
        poll.register(connected.fileno(), select.POLLIN)
        return lambda: bool(poll.poll(0))
    return lambda: bool(select.select([connected], [], [], 0)[0])


def write_head(method: str, target: str, lines: str, body: bytes | None) -> bytes:
    """Return a request's first line and headers, including Content-Length; `lines` is from `header_lines`.

    Raises InputError (`input_invalid`) if the target has an invalid character, such as a line break.
    """
    if not _TARGET.fullmatch(target):
        raise InputError(
            "input_invalid",
            f"a request cannot be sent to {target[:200]!r}: only printable ASCII characters without spaces "
            "are valid",
        )
    if body is not None or method in _WITH_A_BODY:
        lines += f"content-length: {len(body or b'')}\r\n"
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


def header_lines(method: str, headers: Mapping[str, str]) -> str:
    """Return the lines of a request's headers, without Content-Length.

    Raises InputError (`input_invalid`) if the method, a name or a value has an invalid character.
    """
    # Check all names, and all values, in one search each, which is faster; they are almost always valid.
    names, values = method + "".join(headers), "".join(headers.values())
    if not (_SENT_NAME.fullmatch(names) and _SENT_VALUE.fullmatch(values)) or "" in headers:
        raise InputError("input_invalid", f"a request cannot have {_unfit(headers)}")
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])


def _unfit(headers: Mapping[str, str]) -> str:
    """Describe the header that is not valid, without its value, which may be a secret."""
    for name, value in headers.items():
        if not _SENT_NAME.fullmatch(name):
            return f"a header named {name[:60]!r}"
        if not _SENT_VALUE.fullmatch(value):
            return f'the value of the header "{name}"'
    return "this method"


def _timed_out(why: str) -> ResponseLostError:
    return ResponseLostError(f"no complete response: {why}", "timeout")
