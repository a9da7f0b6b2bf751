"""Servers on loopback that send exactly the bytes that a test specifies."""

from __future__ import annotations

import contextlib
import secrets
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType

from connector.http.messages import Response, Transport

DATA = Path(__file__).parent / "data"
CERTIFICATE = DATA / "loopback.pem"
"""A self-signed certificate for 127.0.0.1 and localhost, good for a hundred years; its key is beside it."""
PATIENCE_S = 120.0
"""How long a server waits for a client that has died; no test that succeeds waits for it."""


@dataclass
class Received:
    """One request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]


class Talk:
    """The server's side of one connection."""

    def __init__(self, connection: socket.socket, server: Server) -> None:
        self.connection, self.server = connection, server
        self._stream = connection.makefile("rb")

    def read(self) -> Received | None:
        """Read one request, or None when the client has hung up."""
        head = self.read_head()
        if head is None:
            return None
        head.body = self._stream.read(int(head.headers.get("content-length", "0")))
        self.server.received.append(head)
        return head

    def read_head(self) -> Received | None:
        line = self._stream.readline().decode().strip()
        if not line:
            return None
        headers: dict[str, str] = {}
        while text := self._stream.readline().decode("latin-1").strip():
            name, _, value = text.partition(": ")
            headers[name.lower()] = value
        return Received(line, headers, b"")

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def answer(self, body: bytes = b"{}", status: str = "200 OK", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        self.send("\r\n".join([*lines, *headers, "", ""]).encode() + body)

    def reset(self) -> None:
        """Break the connection."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._stream.close()
        self.connection.close()


def answering(talk: Talk) -> None:
    """Answer every request with `{}`."""
    while talk.read():
        talk.answer()


@dataclass
class Server:
    """Hands its first connection to the first of `talks`, and so on; the last one takes all that remain."""

    talks: tuple[Callable[[Talk], None], ...]
    tls: bool = False
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.2)
        self.port: int = self._listener.getsockname()[1]
        self.base_url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"
        self.done = threading.Event()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Server:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.done.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def _accept(self) -> None:
        while not self.done.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            talk = self.talks[min(self.connections, len(self.talks) - 1)]
            self.connections += 1
            connection.settimeout(PATIENCE_S)
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection, talk))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, talk: Callable[[Talk], None]) -> None:
        with connection, contextlib.suppress(OSError):
            if self.tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(CERTIFICATE, CERTIFICATE.with_suffix(".key"))
                connection = context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            with connection:
                one = Talk(connection, self)
                try:
                    talk(one)
                finally:
                    one._stream.close()


def read_only(talk: Talk) -> None:
    """Read a request and say nothing."""
    talk.read()
    talk.server.done.wait(PATIENCE_S)


def hang_up(talk: Talk) -> None:
    """Read a request and close the connection."""
    talk.read()


def reset_unanswered(talk: Talk) -> None:
    """Read a request and break the connection."""
    talk.read()
    talk.reset()


def free_port() -> int:
    """A port on which a server can listen, also after it was killed.

    It is none of those that the system gives to the servers and clients of other tests in the meantime.
    """
    while True:
        port = 20_000 + secrets.randbelow(8_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@cache
def closed_port() -> int:
    """A port that refuses connections until this process ends: it is bound, and nobody listens on it."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    _BOUND.append(bound)
    return int(bound.getsockname()[1])


_BOUND: list[socket.socket] = []
"""The sockets of `closed_port`, which keep it from other processes."""


def get(transport: Transport, target: str = "/v2/x") -> Response:
    """Send a request such as most tests need."""
    return transport.send("GET", target, {"authorization": "Bearer a-token"}, None)
