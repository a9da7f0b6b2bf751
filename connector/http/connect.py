"""Connections to a host, direct or through the proxy that the user has configured.

Proxies, `no_proxy` and CA bundles have the same meaning as in `requests`, which is imported only if a proxy
may be configured, because that takes 100 ms.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from connector.errors import ConnectionSetupError, NotSentError
from connector.http.messages import escape_target

if TYPE_CHECKING:
    import ssl

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class ConnectSettings:
    """The route of requests to a host.

    `connect` returns a connected socket, with TLS where required, or raises NotSentError. `prefix` precedes
    the target of every request, which also carries `headers`.
    """

    connect: Callable[[], socket.socket]
    prefix: str
    headers: Mapping[str, str] = field(repr=False)


def connect_settings(
    base_url: str, timeout_s: float, *, verify_tls: bool, ca_file: str | None, proxy: str | None
) -> ConnectSettings:
    """Return the settings of connections to `base_url`. Raises ConnectionSetupError for invalid ones."""
    try:
        parts = urlsplit(base_url)
        host, port = _host(parts), parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise ConnectionSetupError(f"{base_url}: not a valid URL") from None
    name = f"[{host}]" if ":" in host else host
    name = name if port == _PORTS[parts.scheme] else f"{name}:{port}"
    prefix, headers = escape_target(parts.path), {"host": name}
    verify: bool | str = (ca_file or True) if verify_tls else False
    connect_timeout_s = min(CONNECT_TIMEOUT_S, timeout_s)
    if proxy or _may_have_a_proxy():
        from connector.http.proxies import find_proxy

        if found := find_proxy(base_url, connect_timeout_s, timeout_s, verify, proxy):
            if not found.forwards:
                return ConnectSettings(found.connect, prefix, headers)
            return ConnectSettings(
                found.connect, f"{parts.scheme}://{name}{prefix}", {**headers, **found.headers}
            )
    context = _tls_context(base_url, verify) if parts.scheme == "https" else None
    return ConnectSettings(
        lambda: _connect((host, port), connect_timeout_s, timeout_s, context), prefix, headers
    )


def _host(parts: SplitResult) -> str:
    if not parts.hostname:
        raise ValueError("it contains no host")
    return parts.hostname.encode("idna").decode("ascii")


def _may_have_a_proxy() -> bool:
    """Return whether the environment, or the settings of the operating system, may name a proxy."""
    if any(name.lower().endswith("_proxy") for name in os.environ):
        return True
    if sys.platform == "win32" or sys.platform == "darwin":
        from urllib.request import getproxies

        return bool(getproxies())
    else:
        return False


def _tls_context(base_url: str, verify: bool | str) -> ssl.SSLContext:
    """Return the TLS settings that all connections share: reading the CA certificates takes 20 ms."""
    import ssl

    if verify is False:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        authorities = verify if isinstance(verify, str) else _authorities()
        is_folder = os.path.isdir(authorities)
        try:
            context = ssl.create_default_context(
                cafile=None if is_folder else authorities, capath=authorities if is_folder else None
            )
        except OSError as error:
            raise ConnectionSetupError(
                f"{base_url}: the CA certificate bundle {authorities} cannot be read: {error}"
            ) from None
    context.set_alpn_protocols(["http/1.1"])
    return context


def _authorities() -> str:
    """Return the path of the CA certificates that `requests` trusts."""
    import certifi

    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or certifi.where()


def _connect(
    address: tuple[str, int], connect_timeout_s: float, timeout_s: float, context: ssl.SSLContext | None
) -> socket.socket:
    connected = None
    try:
        connected = socket.create_connection(address, connect_timeout_s)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            connected = context.wrap_socket(connected, server_hostname=address[0])
    except OSError as error:
        if connected is not None:
            connected.close()
        if isinstance(error, TimeoutError):
            raise NotSentError(f"no connection within {connect_timeout_s} s", "timeout") from error
        raise NotSentError(f"no connection: {error}") from error
    connected.settimeout(timeout_s)
    logger.debug("connected to %s, port %d", *address)
    return connected
