"""The names of this machine, and sockets on which servers listen."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"
"""The default address of servers, which only programs of this machine reach."""
LOOPBACK_NAMES = (LOOPBACK, "localhost", "::1")
"""The hosts that only programs of this machine reach."""


def in_url(host: str) -> str:
    """Return a host as it is written in a URL and in a Host header: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


LOOPBACK_HOSTS = tuple(map(in_url, LOOPBACK_NAMES))
"""`LOOPBACK_NAMES` as they are written in a URL and in a Host header."""


def netloc(host: str, port: int) -> str:
    """Return a host and a port as they are written in a URL."""
    return f"{in_url(host)}:{port}"


def bound(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address; port 0 selects a free port. Raises OSError."""
    found = None
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except (OSError, OverflowError, ValueError) as error:
        if found is not None:
            found.close()
        raise error if isinstance(error, OSError) else OSError(str(error)) from error
    return found
