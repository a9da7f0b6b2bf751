"""Connects to a host, directly or through the proxy that the user has configured.

Proxies and `no_proxy` have the same meaning as in `requests`, which is imported only if a proxy may be
configured, because the import takes 100 ms.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from connector.errors import ConnectionSetupError, NotSentError
from connector.http.messages import escape_target
from connector.http.tls import Authorities, connect_error, find_authorities, tls_context

if TYPE_CHECKING:
    import ssl

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, eq=False, repr=False)
class ConnectSettings:
    """How to send requests to a host.

    `connect` returns a connected socket, with TLS if the host requires it, or raises NotSentError. `prefix`
    is put before the target of every request, and `headers` are added to it.
    """

    connect: Callable[[], socket.socket]
    prefix: str
    headers: Mapping[str, str]


def connect_settings(
    base_url: str, timeout_s: float, *, verify_tls: bool, ca_file: str | None, proxy: str | None
) -> ConnectSettings:
    """Return how to connect to `base_url`. Raises ConnectionSetupError if a setting is not valid."""
    try:
        parts = urlsplit(base_url)
        host, port = _host(parts), parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise ConnectionSetupError(f"{base_url}: not a valid URL") from None
    name = f"[{host}]" if ":" in host else host
    name = name if port == _PORTS[parts.scheme] else f"{name}:{port}"
    prefix, headers = escape_target(parts.path), {"host": name}
    authorities = find_authorities(ca_file) if verify_tls and parts.scheme == "https" else None
    connect_timeout_s = min(CONNECT_TIMEOUT_S, timeout_s)
    if proxy or _may_have_a_proxy():
        from connector.http.proxies import find_proxy

        if found := find_proxy(base_url, connect_timeout_s, timeout_s, authorities, proxy):
            if not found.forwards:
                return ConnectSettings(found.connect, prefix, headers)
            return ConnectSettings(
                found.connect, f"{parts.scheme}://{name}{prefix}", {**headers, **found.headers}
            )
    context = tls_context(base_url, authorities) if parts.scheme == "https" else None
    return ConnectSettings(
        lambda: _connect((host, port), connect_timeout_s, timeout_s, context, authorities), prefix, headers
    )


def _host(parts: SplitResult) -> str:
    if not parts.hostname:
        raise ValueError("the URL contains no host")
    host = parts.hostname
    if not host.isascii():
        return host.encode("idna").decode("ascii")
    # The codec, which is slow to import, changes nothing in an ASCII name, but checks its labels.
    if not all(0 < len(label) < 64 for label in host.removesuffix(".").split(".")):
        raise ValueError("a label of the host is empty or too long")
    return host


def _may_have_a_proxy() -> bool:
    """Return whether an environment variable or a setting of the operating system may name a proxy."""
    if any(name.lower().endswith("_proxy") for name in os.environ):
        return True
    if sys.platform == "win32" or sys.platform == "darwin":
        from urllib.request import getproxies

        return bool(getproxies())
    else:
        return False


def _connect(
    address: tuple[str, int],
    connect_timeout_s: float,
    timeout_s: float,
    context: ssl.SSLContext | None,
    authorities: Authorities | None,
) -> socket.socket:
    connected = None
    try:
        host: Any = address[0].encode("ascii")  # not text, for which Python imports the codec of IDNA
        connected = socket.create_connection((host, address[1]), connect_timeout_s)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            from ssl import SSLContext  # imported with the context

            # A subclass, such as that of truststore, may require text.
            name = host if type(context) is SSLContext else address[0]
            connected = context.wrap_socket(connected, server_hostname=name)
    except OSError as error:
        if connected is not None:
            connected.close()
        if isinstance(error, TimeoutError):
            what = "TLS handshake" if connected is not None else "connection"
            raise NotSentError(f"no {what} within {connect_timeout_s:g} s", "timeout") from error
        raise connect_error(error, str(error), authorities) from error
    connected.settimeout(timeout_s)
    logger.debug("connected to %s, port %d", *address)
    return connected
