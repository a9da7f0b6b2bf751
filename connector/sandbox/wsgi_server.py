"""An HTTP/1.1 server for a WSGI application, with keep-alive and connections broken on purpose.

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
"""The key that the application sets in a request's environment to close the connection after the response
without a `Connection: close` header."""


class ResetConnectionError(Exception):
    """Raised by the application to reset the connection instead of sending a response."""


class OpenConnections:
    """The open connections, which `stop` ends."""

    def __init__(self) -> None:
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._ending = False

    def add(self, connection: socket.socket) -> None:
        """Add a new connection; end it at once if the server is stopping."""
        with self._changed:
            self._open.add(connection)
            if self._ending:
                _hang_up(connection)

    def remove(self, connection: socket.socket) -> None:
        """Remove a connection that has ended."""
        with self._changed:
            self._open.discard(connection)
            self._changed.notify_all()

    def end_all(self, timeout_s: float) -> None:
        """Stop reading requests, send the responses in progress, and wait until connections have ended."""
        with self._changed:
            self._ending = True
            for connection in self._open:
                _hang_up(connection)
            self._changed.wait_for(lambda: not self._open, timeout_s)

    def begin(self) -> None:
        """Accept connections again after `stop`."""
        with self._changed:
            self._ending = False


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the client has already closed the connection
        connection.shutdown(socket.SHUT_RD)


class Application(Protocol):
    """A WSGI application with a list of its open connections."""

    connections: OpenConnections

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Handle one request, as WSGI defines it."""


class KeepAliveHandler(WSGIRequestHandler):
    """Serves one connection: reads requests, calls the application, writes responses."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def _application(self) -> Application:
        return cast(Application, self.server.app)

    def setup(self) -> None:
        """Add the connection to the list of open ones."""
        super().setup()
        self._application.connections.add(self.connection)

    def finish(self) -> None:
        """Remove the connection from the list of open ones."""
        try:
            super().finish()
        finally:
            self._application.connections.remove(self.connection)

    def run_wsgi(self) -> None:
        """Serve one request. Its body is read when the application asks for it, or before the response."""
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
        """Return a body that is not chunked. Raises ConnectionError if the client disconnects early."""
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
        """Log at the level DEBUG only, because printing each request would be slow."""
        logger.debug(message, *args)


class _Body:
    """The body of a request as a WSGI input stream, which is read completely and only once."""

    def __init__(self, handler: KeepAliveHandler, environ: Mapping[str, Any]) -> None:
        self._chunked = environ["wsgi.input"] if environ.get("wsgi.input_terminated") else None
        self._handler = handler
        self._left = True

    def read(self) -> bytes:
        """Return the complete body; further calls return an empty value."""
        if not self._left:
            return b""
        self._left = False
        return cast(bytes, self._chunked.read()) if self._chunked else self._handler.read_body()
