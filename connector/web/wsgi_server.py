"""A WSGI server for one user, with limits for the number and duration of connections."""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
"""The maximum number of open connections; each one has a thread."""
HEAD_S, REQUEST_S = 10.0, 120.0
"""The time limits for receiving a request's headers, and the complete request, in seconds."""


class BoundedServer(ThreadedWSGIServer):
    """A WSGI server that closes connections without a request in time.

    If there are too many connections, it closes the one that has waited longest.
    """

    head_s, request_s = HEAD_S, REQUEST_S

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._lock = threading.Lock()
        self._opened: dict[Any, float] = {}
        # connections whose request headers have not arrived, oldest first
        self._waiting: dict[Any, None] = {}

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start the thread of a connection.

        If there are too many connections, close the one that has waited longest for a request.
        """
        with self._lock:
            is_full = len(self._opened) >= MAX_CONNECTIONS
            oldest = next(iter(self._waiting), None) if is_full else None
            if oldest is not None:
                self._forget(oldest)
                _stop(oldest, socket.SHUT_RDWR)
            is_accepted = not is_full or oldest is not None
            if is_accepted:
                self._opened[request] = time.monotonic()
                self._waiting[request] = None
        if is_accepted:
            super().process_request(request, client_address)
        else:
            super().shutdown_request(request)

    def head_received(self, request: Any) -> None:
        """Record that a connection's request headers have arrived and it is being processed."""
        with self._lock:
            self._waiting.pop(request, None)

    def service_actions(self) -> None:
        """Stop reading from connections whose request did not arrive in time.

        The server calls this regularly.
        """
        now = time.monotonic()
        with self._lock:
            for connection, opened in self._opened.items():
                if now - opened > (self.head_s if connection in self._waiting else self.request_s):
                    _stop(connection, socket.SHUT_RD)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._lock:
            self._forget(request)
        super().shutdown_request(request)

    def _forget(self, request: Any) -> None:
        self._opened.pop(request, None)
        self._waiting.pop(request, None)


def _stop(connection: socket.socket, how: int) -> None:
    with suppress(OSError):  # the client has already closed it
        connection.shutdown(how)


class QuietHandler(WSGIRequestHandler):
    """A request handler that does not log requests, because the first URL contains the token.

    It also hides the server's version.
    """

    server: BoundedServer

    def run_wsgi(self) -> None:
        """Process a request whose headers have arrived."""
        self.server.head_received(self.request)
        super().run_wsgi()

    def version_string(self) -> str:
        """Return the server's name."""
        return "catalog"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Log at debug level only."""
        logger.debug(message, *args)
