"""A small HTTP server with a latency that records the arrival and response time of each request.

Usage: `python server.py LATENCY_S BODY [PAGES]`. The server first prints its port. When standard input ends,
it prints a JSON object and ends: `times` has [arrived, responded, target] of all requests except sign-ins, in
nanoseconds of the real-time clock; `by_kernel` says whether the kernel recorded the arrivals. BODY is that of
the responses (empty: 204). PAGES is a folder with the pages of `GET /v2/devices` (see `work.write_pages`).

On Linux, the kernel stamps each segment as it is received (SO_TIMESTAMPNS), however late a thread of this
process reads it. Elsewhere, the time at which the thread reads it is recorded.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

TOKEN = b'{"access_token":"token","expires_in":3600,"token_type":"Bearer"}'
SO_TIMESTAMPNS = 35
"""The number of the option on Linux, where Python has no name for it. The stamp is two C longs: s and ns."""
_STAMP = struct.Struct("@ll")


def ask_for_stamps(listening: socket.socket) -> None:
    """Have the kernel stamp what the connections of a socket receive, if it can."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            listening.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


@dataclass(frozen=True)
class Received:
    """A request: when it arrived, in nanoseconds, whether the kernel recorded that, and its target."""

    arrived: int
    by_kernel: bool
    target: str


class Requests:
    """Reads the requests of one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._read = b""

    def next(self) -> Received | None:
        """Return the next request; None if the connection is closed.

        A request in several segments arrived with the first of them, unless they were read at once.
        """
        first: tuple[int, bool] | None = None
        while b"\r\n\r\n" not in self._read:
            if not (at := self._receive()):
                return None
            first = first or at
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        line, *headers = head.split(b"\r\n")
        length = int(dict(header.lower().split(b":", 1) for header in headers).get(b"content-length", b"0"))
        while len(self._read) < length:
            if not self._receive():
                return None
        self._read = self._read[length:]
        arrived, by_kernel = first or (time.time_ns(), False)
        return Received(arrived, by_kernel, line.split()[1].decode())

    def _receive(self) -> tuple[int, bool] | None:
        """Read what has arrived; return when, in nanoseconds, and whether the kernel recorded that.

        Return None if the connection is closed.
        """
        data, ancillary, _, _ = self._connection.recvmsg(65536, socket.CMSG_SPACE(_STAMP.size))
        now = time.time_ns()
        self._read += data
        for _, kind, stamp in ancillary if data else ():
            if kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = _STAMP.unpack(stamp)
                return seconds * 10**9 + nanoseconds, True
        return (now, False) if data else None


class Server:
    """Serves each connection in a thread; `times` has (arrival, response, target) of each request.

    Times are in nanoseconds. `by_kernel` says whether the kernel recorded all these arrivals.
    """

    def __init__(self, latency_s: float, body: bytes = b"", pages: Path | None = None) -> None:
        self._latency_s = latency_s
        self._body = body
        self._pages = {p.name: p.read_bytes() for p in pages.iterdir()} if pages else {}
        self.times: list[tuple[int, int, str]] = []
        self.by_kernel = True

    def accept(self, listening: socket.socket) -> None:
        """Accept connections and serve each in a thread, without end."""
        while True:
            connection, _ = listening.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        requests = Requests(connection)
        with connection:
            while request := requests.next():
                if request.target == "/ws/oauth/token":
                    connection.sendall(_ok(TOKEN))
                    continue
                answer = self._answer(request.target)
                if self._latency_s:
                    time.sleep(max(0.0, self._latency_s - (time.time_ns() - request.arrived) / 1e9))
                # Recorded before it is sent: a client that has the last response may stop the server.
                self.by_kernel = self.by_kernel and request.by_kernel
                self.times.append((request.arrived, time.time_ns(), request.target))
                connection.sendall(answer)

    def _answer(self, target: str) -> bytes:
        parts = urlsplit(target)
        if parts.path.startswith("/v2/devices"):
            return _ok(self._pages[f"after-{parse_qs(parts.query).get('after', [''])[0]}.json"])
        return _ok(self._body) if self._body else b"HTTP/1.1 204 No Content\r\n\r\n"


def _ok(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def main() -> None:
    """Serve until standard input ends, and print the recorded times."""
    latency_s, body, *pages = sys.argv[1:]
    server = Server(float(latency_s), body.encode(), Path(pages[0]) if pages else None)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        ask_for_stamps(listening)
        print(listening.getsockname()[1], flush=True)
        threading.Thread(target=server.accept, args=(listening,), daemon=True).start()
        sys.stdin.read()
        print(json.dumps({"by_kernel": server.by_kernel, "times": server.times}), flush=True)


if __name__ == "__main__":
    main()
