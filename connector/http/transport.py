"""Sends HTTP requests to one host over persistent connections, from any number of threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from weakref import finalize

from connector.http.connect import connect_settings
from connector.http.content_encoding import MAX_BODY_BYTES
from connector.http.http1 import HttpConnection, ResponseLimits
from connector.http.messages import Response


def default_total_timeout_s(timeout_s: float) -> float:
    """Return the default of `total_timeout_s`, in seconds, for this `timeout_s`."""
    return max(120.0, 10 * timeout_s)


class HttpTransport:
    """Sends requests to one host. The open connections are reused, and as many stay open as threads used.

    A connection that the server closed while it was idle is replaced before a request is sent; a process that
    was forked replaces those of its parent. `timeout_s` is the maximum wait for the first byte of a response
    and for each following one, `total_timeout_s` for the complete response (default:
    `default_total_timeout_s`); `largest_body` is the maximum size of its body in bytes.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float = 60.0,
        total_timeout_s: float | None = None,
        largest_body: int = MAX_BODY_BYTES,
        verify_tls: bool = True,
        ca_file: str | None = None,
        proxy: str | None = None,
    ) -> None:
        total_s = default_total_timeout_s(timeout_s) if total_timeout_s is None else total_timeout_s
        self._limits = ResponseLimits(timeout_s, total_s, largest_body)
        self._route = connect_settings(
            base_url, timeout_s, verify_tls=verify_tls, ca_file=ca_file, proxy=proxy
        )
        # The most recently used connection is taken first. A list needs no lock: append and pop are atomic.
        self._idle: list[HttpConnection] = []
        self._process = os.getpid()
        self._is_closed = False
        finalize(self, _close_all, self._idle)  # closes the sockets of a transport that is garbage-collected

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        leaving: Callable[[], bool] | None = None,
        *,
        is_file: bool = False,
    ) -> Response:
        """Send one request to `target` (path and query below the base URL); return the complete response.

        `leaving` is called just before the request is sent, and returns whether it has waited. A download
        (`is_file`) may take longer than the total timeout as long as it makes progress.

        Raises NotSentError if no connection could be opened, or the server has closed it while `leaving`
        waited, ResponseLostError for an incomplete response, and RowError (`input_invalid`) for a request
        with invalid characters.
        """
        connection = self._kept() or HttpConnection(self._route.connect(), self._limits)
        try:
            merged = {**self._route.headers, **headers}
            return connection.exchange(
                method, self._route.prefix + target, merged, body, leaving, is_file=is_file
            )
        finally:
            if connection.reusable:
                self._idle.append(connection)
            else:
                connection.close()
            if self._is_closed:
                self.close()

    def close(self) -> None:
        """Close the idle connections now, and those in use after their responses."""
        self._is_closed = True
        _close_all(self._idle)

    def _kept(self) -> HttpConnection | None:
        """Return an idle connection that can still be used, or None."""
        if self._process != os.getpid():  # two processes on one connection would read each other's responses
            _close_all(self._idle)
            self._process = os.getpid()
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
