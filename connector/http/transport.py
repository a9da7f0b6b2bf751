"""HTTP to one host over kept connections, for any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from weakref import finalize

from connector.http.connect import connect_settings
from connector.http.http1 import HttpConnection
from connector.http.messages import Response


class HttpTransport:
    """Sends requests to one host. As many connections are kept as were in use at once.

    One that the server closed while nobody used it is replaced before anything is sent on it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float = 60.0,
        verify_tls: bool = True,
        ca_file: str | None = None,
        proxy: str | None = None,
    ) -> None:
        self._route = connect_settings(
            base_url, timeout_s, verify_tls=verify_tls, ca_file=ca_file, proxy=proxy
        )
        # The one used last is taken first. A list needs no lock: its append and pop are indivisible.
        self._idle: list[HttpConnection] = []
        self._is_closed = False
        finalize(self, _close_all, self._idle)  # a transport that nobody uses any more keeps no sockets open

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        leaving: Callable[[], None] | None = None,
    ) -> Response:
        """Send one request to `target` (path and query below the base URL) and read the whole answer.

        `leaving` is called just before it is sent.

        Raises NotSentError without a connection, ResponseLostError for an incomplete response, and
        RowError (`input_invalid`) for a request that cannot be written.
        """
        connection = self._kept() or HttpConnection(self._route.connect())
        try:
            return connection.exchange(
                method, self._route.prefix + target, {**self._route.headers, **headers}, body, leaving
            )
        finally:
            if connection.reusable:
                self._idle.append(connection)
            else:
                connection.close()
            if self._is_closed:
                self.close()

    def close(self) -> None:
        """Close the kept connections, and those in use once their answers are there."""
        self._is_closed = True
        _close_all(self._idle)

    def _kept(self) -> HttpConnection | None:
        """Take a kept connection that is still good."""
        while connection := _latest(self._idle):
            if not connection.is_stale():
                return connection
            connection.close()
        return None


def _latest(idle: list[HttpConnection]) -> HttpConnection | None:
    try:
        return idle.pop()
    except IndexError:
        return None


def _close_all(idle: list[HttpConnection]) -> None:
    while connection := _latest(idle):
        connection.close()
