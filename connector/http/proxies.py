"""Finds the proxy for a host by the rules of `requests`, and connects through it with urllib3.

urllib3 only opens the connection: with a tunnel if the host requires TLS, and with SOCKS if PySocks is
installed.
"""

from __future__ import annotations

import re
import socket
import traceback
from collections.abc import Mapping
from contextlib import suppress
from threading import Timer
from time import monotonic
from typing import Any, NoReturn

import requests
import urllib3
from requests.utils import select_proxy
from urllib3 import exceptions as http

from connector.errors import ConnectionSetupError, NotSentError
from connector.http.tls import Authorities, connect_error, tls_context

_PHASES = 3
"""The number of steps in connecting (to the proxy, the tunnel, TLS to the host); each has the connection
timeout."""


class Proxy:
    """Connects to one host through a proxy.

    `forwards` is true if the proxy reads the requests and passes them on; they must then have the complete
    URL and `headers`. Otherwise they are sent through a tunnel.
    """

    def __init__(
        self, pool: Any, connect_timeout_s: float, timeout_s: float, authorities: Authorities | None
    ) -> None:
        self._pool, self._connect_timeout_s, self._timeout_s = pool, connect_timeout_s, timeout_s
        self._authorities = authorities
        self._total_s = _PHASES * connect_timeout_s
        pool.ConnectionCls = _handing_over(pool.ConnectionCls, self._total_s)
        self.forwards: bool = pool.scheme == "http" and pool.proxy is not None
        self.headers: Mapping[str, str] = pool.proxy_headers

    def connect(self) -> socket.socket:
        """Return a connected socket. Raises NotSentError."""
        start = monotonic()
        try:
            timeouts = urllib3.Timeout(connect=self._connect_timeout_s, read=self._timeout_s)
            self._pool.urlopen("GET", "/", retries=False, timeout=timeouts)
        except _Connected as created:
            created.socket.settimeout(self._timeout_s)
            return created.socket
        except http.HTTPError as error:
            # The timer of `_handing_over` has shut down the socket, which can raise any error.
            if monotonic() - start >= self._total_s:
                raise NotSentError(f"no connection within {self._total_s:g} s", "timeout") from error
            if _timed_out(error):
                raise NotSentError(
                    f"no connection within {self._connect_timeout_s:g} s", "timeout"
                ) from error
            raise connect_error(_innermost(error), _reason(error), self._authorities) from error
        raise AssertionError("the pool sent a request unexpectedly")


def find_proxy(
    base_url: str,
    connect_timeout_s: float,
    timeout_s: float,
    authorities: Authorities | None,
    proxy: str | None,
) -> Proxy | None:
    """Return the proxy for `base_url`: `proxy`, else the one of the environment, else None.

    Without `authorities`, no certificate is verified. Raises ConnectionSetupError if the proxy cannot be
    used.
    """
    given = {"http": proxy, "https": proxy} if proxy else {}
    session = requests.Session()
    adapter: Any = session.get_adapter(base_url)
    is_system = authorities is not None and authorities.is_system
    verify = True if is_system else authorities.path if authorities else False
    try:
        settings = session.merge_environment_settings(base_url, given, False, verify, None)
        if not select_proxy(base_url, settings["proxies"]):
            return None
        pool = adapter.get_connection_with_tls_context(
            requests.Request("GET", base_url).prepare(), settings["verify"], proxies=settings["proxies"]
        )
        adapter.cert_verify(pool, base_url, settings["verify"], None)
        if authorities:
            pool.ca_certs, pool.ca_cert_dir = authorities.file, authorities.folders
        if is_system and pool.scheme == "https":
            pool.conn_kw["ssl_context"] = tls_context(base_url, authorities)
    except (OSError, ValueError, TypeError) as error:
        raise ConnectionSetupError(f"{base_url}: {_unusable(error)}") from None
    return Proxy(pool, connect_timeout_s, timeout_s, authorities)


class _Connected(Exception):
    """Carries a connected socket out of urllib3, before urllib3 sends a request."""

    def __init__(self, connected: socket.socket) -> None:
        super().__init__()
        self.socket = connected


def _handing_over(connection: Any, total_s: float) -> Any:
    """Return a subclass that connects within `total_s`, then raises `_Connected` with its socket.

    urllib3 limits each read of a proxy's response, but not the sum: a proxy that sends one byte at a time
    would never time out.
    """

    def _new_conn(self: Any) -> socket.socket:
        connected: socket.socket = connection._new_conn(self)
        self.watchdog = Timer(total_s, _shut_down, [connected.dup()])
        self.watchdog.daemon = True
        self.watchdog.start()
        return connected

    def connect(self: Any) -> None:
        self.watchdog = None
        try:
            connection.connect(self)
        except Exception as error:
            # If a proxy refuses a connection, Python 3.10 keeps the socket open in a frame of the exception.
            traceback.clear_frames(error.__traceback__)
            raise
        finally:
            if self.watchdog:
                self.watchdog.cancel()
                self.watchdog.args[0].close()

    def request(self: Any, *_: Any, **__: Any) -> NoReturn:
        if self.sock is None:
            self.connect()
        connected, self.sock = self.sock, None
        raise _Connected(connected)

    changed = {"_new_conn": _new_conn, "connect": connect, "request": request}
    return type(connection.__name__, (connection,), changed)


def _shut_down(connected: socket.socket) -> None:
    """Shut down a connection. `connected` is a duplicate, because TLS takes over the original socket."""
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RD)


def _unusable(error: Exception) -> str:
    """Return why a proxy cannot be used, without its URL, which can contain a password."""
    about_url = not isinstance(error, OSError) or isinstance(error, requests.RequestException)
    if about_url and not isinstance(error, requests.exceptions.InvalidSchema):
        return "this URL or the proxy's URL is not valid"
    return str(error)


def _timed_out(error: BaseException) -> bool:
    inner = _innermost(error)
    # A refused connection is a NewConnectionError. In some versions, that is a ConnectTimeoutError, too.
    return isinstance(inner, (TimeoutError, http.TimeoutError)) and not isinstance(
        inner, http.NewConnectionError
    )


def _reason(error: BaseException) -> str:
    """Return the innermost message of an error of urllib3, without the connection's name or address."""
    inner = _innermost(error)
    text = str(inner) or type(inner).__name__
    return re.sub(r"^(<[^>]*>|\w+\([^)]*\)): ", "", text)


def _innermost(error: BaseException) -> BaseException:
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    return error
