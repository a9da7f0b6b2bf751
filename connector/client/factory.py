"""Creates the client of a connection, and signs in."""

from __future__ import annotations

import logging

from connector.catalog.service import Service
from connector.client.audit import Audit
from connector.client.auth import Auth, token_file
from connector.client.client import Client
from connector.client.open_pacer import open_pacer
from connector.client.transport import open_transport
from connector.common.clock import Clock, SystemClock
from connector.common.redaction import Redactor
from connector.connections.connection import Connection
from connector.errors import ConnectionSetupError, RowError

logger = logging.getLogger(__name__)


def open_client(
    service: Service,
    connection: Connection,
    delay_ms: float,
    *,
    min_delay_ms: float | None = None,
    clock: Clock | None = None,
    state: str = "",
) -> Client:
    """Return the client of a connection. All processes of this user share its delay and token.

    With `min_delay_ms`, the delay adapts to the service: it is `delay_ms` at first, and at least this one.
    With `state`, the URL of a database, all processes that use this database share the delay and token.
    """
    clock = clock or SystemClock()
    read_only = ", read-only" if connection.read_only else ""
    origin = connection.origin or connection.label
    logger.info("connection: %s, %s%s", origin, connection.base_url, read_only)
    redactor = Redactor(connection.secrets, service.secrets)
    transport = open_transport(connection)
    auth = Auth(service, connection, transport, clock, redactor, token_file(connection))
    pacer = open_pacer(service, connection.account, delay_ms, min_delay_ms, clock, state)
    audit = Audit(connection.audit, connection.label, redactor) if connection.audit else None
    return Client(service, connection, transport, auth, pacer, clock, redactor, audit)


def sign_in(client: Client) -> None:
    """Sign in. Raises ConnectionSetupError if the sign-in fails."""
    try:
        client.sign_in()
    except RowError as error:
        failure = ConnectionSetupError(client.redactor.said(str(error)))
        failure.transient = may_pass(error)
        raise failure from error


def may_pass(error: RowError) -> bool:
    """Return whether a sign-in that failed can succeed later: it had no response, or 429 or 5xx."""
    passes = error.code in ("rate_limited", "timeout", "network_error") or (error.status or 0) >= 500
    return passes and not error.lasting
