"""Creates the HTTP transport of a connection."""

from __future__ import annotations

from connector.connections.connection import Connection
from connector.http.transport import HttpTransport


def open_transport(connection: Connection, base_url: str = "") -> HttpTransport:
    """Return the transport to `base_url`, by default that of the connection, with its settings.

    Raises ConnectionSetupError if a setting is not valid.
    """
    return HttpTransport(
        base_url or connection.base_url,
        timeout_s=connection.timeout_s,
        total_timeout_s=connection.total_timeout_s,
        largest_body=int(connection.largest_body_mb * (1 << 20)),
        verify_tls=connection.verify_tls,
        ca_file=connection.ca_file,
        proxy=connection.proxy,
    )
