"""The proxy on the way to a host, as `requests` finds it, and connections through it, as urllib3 makes them.

urllib3 makes the connection and no more: with a tunnel where TLS is due, by SOCKS where that is installed.
"""

from __future__ import annotations

import re
import socket
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn

import requests
import urllib3
from requests.utils import select_proxy
from urllib3 import exceptions as http

from connector.errors import ConnectionSetupError, NotSentError


class Proxy:
    """Connects to one host through a proxy.

    `forwards` says that the proxy reads the requests and passes them on, so that they name the host and
    carry `headers`; else they go through a tunnel that it made.
    """

    def __init__(self, pool: Any, timeouts: urllib3.Timeout) -> None:
        self._pool, self._timeouts = pool, timeouts
        pool.ConnectionCls = _handing_over(pool.ConnectionCls)
        self.forwards: bool = pool.scheme == "http" and pool.proxy is not None
        self.headers: Mapping[str, str] = pool.proxy_headers

    def connect(self) -> socket.socket:
        """Give a connected socket. Raises NotSentError."""
        try:
            self._pool.urlopen("GET", "/", retries=False, timeout=self._timeouts)
        except _Connected as made:
            made.socket.settimeout(self._timeouts.read_timeout)
            return made.socket
        except http.HTTPError as error:
            if _timed_out(error):
                raise NotSentError(
                    f"no connection within {self._timeouts.connect_timeout} s", "timeout"
                ) from error
            raise NotSentError(f"no connection: {_reason(error)}") from error
        raise AssertionError("the pool sent a request by itself")


def find_proxy(
    base_url: str, connect_timeout_s: float, timeout_s: float, verify: bool | str, proxy: str | None
) -> Proxy | None:
    """Find the proxy to `base_url`: `proxy`, else the environment's, else none.

    Raises ConnectionSetupError for one that cannot be used.
    """
    given = {"http": proxy, "https": proxy} if proxy else {}
    session = requests.Session()
    adapter: Any = session.get_adapter(base_url)
    try:
        settings = session.merge_environment_settings(base_url, given, False, verify, None)
        if not select_proxy(base_url, settings["proxies"]):
            return None
        pool = adapter.get_connection_with_tls_context(
            requests.Request("GET", base_url).prepare(), settings["verify"], proxies=settings["proxies"]
        )
        adapter.cert_verify(pool, base_url, settings["verify"], None)
    except (OSError, ValueError, TypeError) as error:
        raise ConnectionSetupError(f"{base_url}: {_unusable(error)}") from None
    return Proxy(pool, urllib3.Timeout(connect=connect_timeout_s, read=timeout_s))


class _Connected(Exception):
    """Carries a connected socket out of urllib3, in place of the request that would now be sent."""

    def __init__(self, connected: socket.socket) -> None:
        super().__init__()
        self.socket = connected


def _handing_over(connection: Any) -> Any:
    """Make a connection class that connects and then hands over its socket, where it would send."""

    def connect(self: Any) -> None:
        try:
            connection.connect(self)
        except Exception as error:
            # Python 3.10 leaves a proxy's refusal open, in a local variable of a frame that the error holds.
            traceback.clear_frames(error.__traceback__)
            raise

    def request(self: Any, *_: Any, **__: Any) -> NoReturn:
        if self.sock is None:
            self.connect()
        connected, self.sock = self.sock, None
        raise _Connected(connected)

    return type(connection.__name__, (connection,), {"connect": connect, "request": request})


def _unusable(error: Exception) -> str:
    """Say why there is no proxy, without its URL: there may be a password in it."""
    about_url = not isinstance(error, OSError) or isinstance(error, requests.RequestException)
    if about_url and not isinstance(error, requests.exceptions.InvalidSchema):
        return "it, or the proxy on the way to it, has a URL that cannot be read"
    return str(error)


def _timed_out(error: BaseException) -> bool:
    inner = _innermost(error)
    # A refused connection is a NewConnectionError, which some versions derive from ConnectTimeoutError.
    return isinstance(inner, (TimeoutError, http.TimeoutError)) and not isinstance(
        inner, http.NewConnectionError
    )


def _reason(error: BaseException) -> str:
    """Give the innermost reason of urllib3's error, without the connection's name or address."""
    inner = _innermost(error)
    text = str(inner) or type(inner).__name__
    return re.sub(r"^(<[^>]*>|\w+\([^)]*\)): ", "", text)


def _innermost(error: BaseException) -> BaseException:
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    return error
