"""Creates the client of a connection, and signs in."""

from __future__ import annotations

import logging

from connector.catalog.service import Service
from connector.client.client import Client
from connector.client.open_auth import open_auth
from connector.client.open_pacer import open_pacer
from connector.client.shared_state import find_database
from connector.client.transport import open_transport
from connector.common.clock import Clock, SystemClock
from connector.common.redaction import Redactor
from connector.connections.connection import Connection
from connector.errors import ConnectionSetupError, RowError, RunInterruptedError, RunStoppedError

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
    With a database, all processes that use it share the delay and token: `state` is its URL, else the
    connection's setting, else that of the environment. Raises RunError if it cannot be used.
    """
    clock = clock or SystemClock()
    read_only = ", read-only" if connection.read_only else ""
    origin = connection.origin or connection.label
    logger.info("connection: %s, %s%s", origin, connection.base_url, read_only)
    redactor = Redactor(connection.secrets, service.secrets)
    transport = open_transport(connection)
    database = find_database(state, connection.state)
    auth = open_auth(service, connection, transport, clock, redactor, database)
    pacer = open_pacer(service, connection.account, delay_ms, min_delay_ms, clock, database)
    audit = None
    if connection.audit:
        from connector.client.audit import Audit  # imported only if there is an audit log

        audit = Audit(connection.audit, connection.label, redactor)
    return Client(service, connection, transport, auth, pacer, clock, redactor, audit)


def sign_in(client: Client) -> None:
    """Sign in. Raises ConnectionSetupError if the sign-in fails, or the database of its token is lost."""
    try:
        client.sign_in()
    except RunInterruptedError:
        raise
    except RunStoppedError as error:
        lost = ConnectionSetupError(str(error))
        lost.transient = True
        raise lost from error
    except RowError as error:
        failure = ConnectionSetupError(client.redactor.said(str(error)))
        failure.transient = may_pass(error)
        raise failure from error


def may_pass(error: RowError) -> bool:
    """Return whether a sign-in that failed can succeed later: it had no response, or 429 or 5xx."""
    passes = error.code in ("rate_limited", "timeout", "network_error") or (error.status or 0) >= 500
    return passes and not error.lasting
