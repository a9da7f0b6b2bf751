"""HTTP/1.1 for the WSGI application: connections that stay open, and ones that are broken on purpose.

Werkzeug's own handler closes the connection after every response; a mock server must support keep-alive, so
the part that runs the application is replaced here. Head and body are sent in one write and Nagle's algorithm
is off: a small response never waits for a delayed acknowledgment.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, cast

from werkzeug.serving import WSGIRequestHandler

logger = logging.getLogger(__name__)

BODILESS = (204, 304)
HANG_UP = "connector.sandbox.hang_up"
"""Set in a request's environment by the application: close the connection after the response, unannounced."""


class ResetConnectionError(Exception):
    """Raised by the application: break the connection instead of responding."""


class OpenConnections:
    """The open connections, so that a stopping server can end them."""

    def __init__(self) -> None:
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._ending = False

    def add(self, connection: socket.socket) -> None:
        """Register a new connection; end it if the server is stopping."""
        with self._changed:
            self._open.add(connection)
            if self._ending:
                _hang_up(connection)

    def remove(self, connection: socket.socket) -> None:
        """Forget a connection that ended."""
        with self._changed:
            self._open.discard(connection)
            self._changed.notify_all()

    def end_all(self, timeout_s: float) -> None:
        """Stop reading from connections and wait until all have ended; responses in progress are sent."""
        with self._changed:
            self._ending = True
            for connection in self._open:
                _hang_up(connection)
            self._changed.wait_for(lambda: not self._open, timeout_s)

    def begin(self) -> None:
        """Accept connections, also after `stop`."""
        with self._changed:
            self._ending = False


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # The client has already closed the connection.
        connection.shutdown(socket.SHUT_RD)


class Application(Protocol):
    """The WSGI application, which also keeps the list of connections."""

    connections: OpenConnections

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI."""


class KeepAliveHandler(WSGIRequestHandler):
    """One connection: reads requests, runs the application, writes responses."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def _application(self) -> Application:
        return cast(Application, self.server.app)

    def setup(self) -> None:
        """Register the connection."""
        super().setup()
        self._application.connections.add(self.connection)

    def finish(self) -> None:
        """Forget the connection."""
        try:
            super().finish()
        finally:
            self._application.connections.remove(self.connection)

    def run_wsgi(self) -> None:
        """Serve one request; its body is read when the application asks, or else before the response."""
        environ = self.make_environ()
        environ["wsgi.input"] = body = _Body(self, environ)
        started: list[Any] = []
        try:
            chunks = self._application(
                environ, lambda status, headers, exc_info=None: started.extend((status, headers))
            )
            body.read()
            self._write(started[0], started[1], b"".join(chunks))
        except ResetConnectionError:
            self._reset()
        if environ.get(HANG_UP):
            self.close_connection = True

    def read_body(self) -> bytes:
        """Read a body that is not chunked. Raises ConnectionError if the client disconnects early."""
        announced = self.headers.get("Content-Length") or "0"
        if not announced.isdecimal():
            raise ConnectionError("the client sent a Content-Length that is not a number")
        length = int(announced)
        body = self.rfile.read(length) if length > 0 else b""
        if len(body) < length:
            raise ConnectionError("the client closed the connection before the end of its request")
        return body

    def _write(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        names = {name.lower(): value.lower() for name, value in headers}
        lines = [f"HTTP/1.1 {status}"]
        if "date" not in names:
            lines.append(f"Date: {self.date_time_string()}")
        lines += [f"{name}: {value}" for name, value in headers]
        if int(status[:3]) in BODILESS:
            body = b""
        elif "content-length" not in names:
            lines.append(f"Content-Length: {len(body)}")
        if names.get("connection") == "close":
            self.close_connection = True
        elif self.close_connection:
            lines.append("Connection: close")
        if self.command == "HEAD":
            body = b""
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def _reset(self) -> None:
        # with a linger time of zero, closing sends RST instead of FIN; the descriptor itself is closed,
        # because the socket object stays open as long as the handler's files hold on to it
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def log(self, type: str, message: str, *args: Any) -> None:
        """Print nothing, because logging each request would be slow."""
        logger.debug(message, *args)


class _Body:
    """The body of one request as a WSGI input, which is read completely, and only once."""

    def __init__(self, handler: KeepAliveHandler, environ: Mapping[str, Any]) -> None:
        self._chunked = environ["wsgi.input"] if environ.get("wsgi.input_terminated") else None
        self._handler = handler
        self._left = True

    def read(self) -> bytes:
        """Return the complete body, and nothing after that."""
        if not self._left:
            return b""
        self._left = False
        return cast(bytes, self._chunked.read()) if self._chunked else self._handler.read_body()
