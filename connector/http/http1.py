"""HTTP/1.1 over one connected socket: a request is written at once, its answer is read whole (RFC 9112).

Strict where it is decided how far an answer goes, so that what was cut short never passes for a whole one.
"""

from __future__ import annotations

import re
import select
import socket
import sys
from collections.abc import Callable, Mapping

from connector.errors import InputError, ResponseLostError
from connector.http.content_encoding import LARGEST_BODY, decoded
from connector.http.messages import Response

BLOCK = 1 << 16
"""How many bytes are sent or received at once. The timeout counts for each block, not for a large file."""
LONGEST_HEAD = 1 << 16
"""How many bytes the status line and headers of an answer may have; its trailers, too."""
MOST_HEADERS = 200
MOST_INTERIM_ANSWERS = 100
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


class HttpConnection:
    """A connected socket, its timeout set, for one exchange after the other.

    `reusable` says after an exchange whether there can be another one.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._is_readable = _readable_check(connected)
        self.reusable = True

    def is_stale(self) -> bool:
        """Tell whether the server has closed it since the last answer, or sent what nobody asked for."""
        return self._is_readable()

    def exchange(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        leaving: Callable[[], None] | None = None,
    ) -> Response:
        """Send one request and read its whole answer; `leaving` is called just before it is sent.

        Raises InputError (`input_invalid`) for a request that cannot be written, of which nothing was sent,
        and ResponseLostError where no whole answer came.
        """
        head = write_head(method, target, headers, body)
        self.reusable = False
        if leaving is not None:
            leaving()
        try:
            is_sent = self._send(head, body or b"")
            response, may_be_followed = read_answer(self._socket.recv, method)
        except TimeoutError as error:
            raise ResponseLostError(
                f"no whole answer within {self._socket.gettimeout()} s", "timeout"
            ) from error
        except OSError as error:
            raise _broken(str(error) or type(error).__name__) from error
        self.reusable = is_sent and may_be_followed
        return response

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _send(self, head: bytes, body: bytes) -> bool:
        """Send a request; tell whether the server took all of it."""
        try:
            if len(body) <= BLOCK:
                self._socket.sendall(head + body)
            else:
                self._socket.sendall(head)
                for start in range(0, len(body), BLOCK):
                    self._socket.sendall(body[start : start + BLOCK])
        except ConnectionError:
            # It may have answered and hung up before it had all: too large a body, say. That answer counts.
            return False
        return True


def _readable_check(connected: socket.socket) -> Callable[[], bool]:
    """Make a function that tells, without waiting, whether there is something to read (or the end)."""
    if sys.platform != "win32" and hasattr(select, "poll"):
        poll = select.poll()
        poll.register(connected.fileno(), select.POLLIN)
        return lambda: bool(poll.poll(0))
    return lambda: bool(select.select([connected], [], [], 0)[0])


def write_head(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """Write a request's first line and its headers, the length of its body among them.

    Raises InputError (`input_invalid`) for whatever could end a line before its time.
    """
    if not _TARGET.fullmatch(target):
        raise InputError("input_invalid", f"no request can go to {target[:200]!r}")
    # All names at once, and all values: nearly every time there is nothing to be found.
    names, values = method + "".join(headers), "".join(headers.values())
    if not (_SENT_NAME.fullmatch(names) and _SENT_VALUE.fullmatch(values)) or "" in headers:
        raise InputError("input_invalid", f"no request can carry {_unfit(headers)}")
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if body is not None or method in _WITH_A_BODY:
        lines += f"content-length: {len(body or b'')}\r\n"
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


def _unfit(headers: Mapping[str, str]) -> str:
    """Name what cannot be sent. A header's value is not shown: it may be a secret."""
    for name, value in headers.items():
        if not _SENT_NAME.fullmatch(name):
            return f"a header named {name[:60]!r}"
        if not _SENT_VALUE.fullmatch(value):
            return f'the value of the header "{name}"'
    return "this method"


def read_answer(receive: Callable[[int], bytes], method: str) -> tuple[Response, bool]:
    """Read one whole answer, and tell whether another may follow on the same connection.

    `receive` gives up to so many bytes, and none where the connection ends; what it raises goes through.
    Raises ResponseLostError for an answer that is cut short, and for what is none.
    """
    return _Answer(receive).read(method)


class _Answer:
    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._data, self._at = b"", 0  # what has come, and how far it is read
        self._has_head = False

    def read(self, method: str) -> tuple[Response, bool]:
        minor, status, headers = self._final_head()
        self._has_head = True
        if method == "HEAD" or status in (204, 304):
            body, has_end = b"", status != 204 or _announces_nothing(headers)
        else:
            body, has_end = self._body(headers)
        wishes = headers.get("connection", "").lower()
        # What HTTP/1.0 knows nothing of may have passed through something that did not know it, either.
        lasts = (
            "close" not in wishes if minor else "keep-alive" in wishes and "transfer-encoding" not in headers
        )
        may_be_followed = has_end and lasts and self._at == len(self._data)
        if body and "content-encoding" in headers:
            body = decoded(body, headers["content-encoding"])
        return Response(status, headers, body), may_be_followed

    def _final_head(self) -> tuple[int, int, dict[str, str]]:
        """Read the head; the interim answers (1xx) before it only say that the server is still at it."""
        for _ in range(MOST_INTERIM_ANSWERS):
            while len(self._data) - self._at < len(_BEGINNING):
                self._more()
            if not self._data.startswith(_BEGINNING, self._at):
                raise _not_http("it does not begin as one")
            minor, status, headers = read_head(self._until(_HEAD_END, LONGEST_HEAD).rstrip(b"\r"))
            if status >= 200:
                return minor, status, headers
            if status == 101:
                raise _not_http("it changes to another protocol")
        raise _not_http(f"it has {MOST_INTERIM_ANSWERS} interim answers")

    def _body(self, headers: Mapping[str, str]) -> tuple[bytes, bool]:
        """Read the body; tell whether it had an end of its own, as otherwise only closing shows it."""
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is None:
            return (self._rest(), False) if length is None else (self._exactly(_body_length(length)), True)
        if length is not None:
            raise _not_http("it says in two ways how long it is")
        if coding.lower() != "chunked":
            raise _not_http(f"its transfer encoding is {coding[:60]!r}")
        return self._chunks(), True

    def _chunks(self) -> bytes:
        chunks, whole = [], 0
        while size := self._chunk_size():
            whole += size
            _check_size(whole)
            chunks.append(self._exactly(size))
            if self._until(_LINE_END, _LONGEST_CHUNK_LINE):
                raise _cut_short()
        allowed = LONGEST_HEAD
        while trailer := self._until(_LINE_END, allowed):
            allowed -= len(trailer)
        return b"".join(chunks)

    def _chunk_size(self) -> int:
        line = _CHUNK_LINE.fullmatch(self._until(_LINE_END, _LONGEST_CHUNK_LINE))
        if line is None:
            raise _cut_short()
        return int(line[1], 16)

    def _until(self, end: re.Pattern[bytes], longest: int) -> bytes:
        """Read past `end`; return what precedes it. Raises ResponseLostError after `longest` bytes."""
        start = self._at
        # Two bytes more than `longest` may be there: of the end, which has up to three.
        while (found := end.search(self._data, start)) is None and len(self._data) - self._at <= longest + 2:
            start = max(0, len(self._data) - self._at - 2)
            self._more()
        if found is None or found.start() - self._at > longest:
            raise _not_http(f"what should have {longest} bytes at most has more")
        before = self._data[self._at : found.start()]
        self._at = found.end()
        return before

    def _exactly(self, size: int) -> bytes:
        _check_size(size)
        parts = []
        while size > len(self._data) - self._at:
            parts.append(self._data[self._at :])
            size -= len(parts[-1])
            self._data, self._at = self._received(), 0
        parts.append(self._data[self._at : self._at + size])
        self._at += size
        return b"".join(parts)

    def _rest(self) -> bytes:
        parts = [self._data[self._at :]]
        whole = len(parts[0])
        while data := self._receive(BLOCK):
            whole += len(data)
            _check_size(whole)
            parts.append(data)
        return b"".join(parts)

    def _more(self) -> None:
        self._data, self._at = self._data[self._at :] + self._received(), 0

    def _received(self) -> bytes:
        data = self._receive(BLOCK)
        if not data:
            raise _cut_short() if self._has_head else _broken("the server closed it")
        return data


def read_head(head: bytes) -> tuple[int, int, dict[str, str]]:
    """Read the head of an answer: the minor version, the status, and the headers by lower-case name.

    Headers that come more than once are joined by commas. Raises ResponseLostError for what is no such head.
    """
    text = head.decode("latin-1").replace("\r\n", "\n")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    first, *lines = text.split("\n")
    status_line = _STATUS_LINE.fullmatch(first)
    if status_line is None:
        raise _not_http("its first line is no status")
    if len(lines) > MOST_HEADERS:
        raise _not_http(f"it has {len(lines)} headers")
    headers: dict[str, str] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise _not_http("a line among its headers is none")
        name, value = header[1].lower(), header[2].strip("\t ")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return int(status_line[1]), int(status_line[2]), headers


def _announces_nothing(headers: Mapping[str, str]) -> bool:
    """Tell whether no body is announced. Where none is due, one may be sent all the same, and too late."""
    return "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"


def _body_length(text: str) -> int:
    """Read a Content-Length, which may be there more than once as long as it is the same."""
    length, *others = (part.strip("\t ") for part in text.split(","))
    if any(other != length for other in others) or not _LENGTH.fullmatch(length):
        raise _not_http(f"its length is {text[:60]!r}")
    return int(length)


def _check_size(size: int) -> None:
    if size > LARGEST_BODY:
        raise ResponseLostError(f"the answer has more than {LARGEST_BODY:,} bytes", "bad_response")


def _broken(why: str) -> ResponseLostError:
    return ResponseLostError(f"the connection broke before the whole answer came: {why}")


def _cut_short() -> ResponseLostError:
    return ResponseLostError("the answer was cut short", "bad_response")


def _not_http(what: str) -> ResponseLostError:
    return ResponseLostError(f"the answer is not HTTP/1.1: {what}", "bad_response")
