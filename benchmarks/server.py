"""A small HTTP server with a latency that records the arrival and response time of each request.

Usage: `python server.py LATENCY_S [PAGES]`. The server first prints its port. When standard input ends, it
prints the times of all requests except sign-ins as JSON, [[arrived, responded], ...], in nanoseconds, and
ends. PAGES is a folder with the pages of `GET /v2/devices` (see `work.write_pages`).

Each connection has a thread that sleeps for the latency; the times are accurate to 0.1 ms.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

TOKEN = b'{"access_token":"token","expires_in":3600,"token_type":"Bearer"}'


class Server:
    """Serves each connection in a thread; `times` has (arrival, response) in nanoseconds of each request."""

    def __init__(self, latency_s: float, pages: Path | None) -> None:
        self._latency_s = latency_s
        self._pages = {p.name: p.read_bytes() for p in pages.iterdir()} if pages else {}
        self.times: list[tuple[int, int]] = []

    def accept(self, listening: socket.socket) -> None:
        """Accept connections and serve each in a thread, without end."""
        while True:
            connection, _ = listening.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader:
            while line := reader.readline():
                arrived = time.monotonic_ns()
                length = 0
                while (header := reader.readline().strip()) != b"":
                    name, _, value = header.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                reader.read(length)
                target = line.split()[1].decode()
                if target == "/ws/oauth/token":
                    connection.sendall(_ok(TOKEN))
                    continue
                answer = self._answer(target)
                if self._latency_s:
                    time.sleep(max(0.0, self._latency_s - (time.monotonic_ns() - arrived) / 1e9))
                connection.sendall(answer)
                self.times.append((arrived, time.monotonic_ns()))

    def _answer(self, target: str) -> bytes:
        parts = urlsplit(target)
        if parts.path != "/v2/devices":
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        return _ok(self._pages[f"after-{parse_qs(parts.query).get('after', [''])[0]}.json"])


def _ok(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def main() -> None:
    """Serve until standard input ends, and print the recorded times."""
    latency_s, *pages = sys.argv[1:]
    server = Server(float(latency_s), Path(pages[0]) if pages else None)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        print(listening.getsockname()[1], flush=True)
        threading.Thread(target=server.accept, args=(listening,), daemon=True).start()
        sys.stdin.read()
        print(json.dumps(server.times), flush=True)


if __name__ == "__main__":
    main()
