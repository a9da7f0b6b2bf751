"""Creates the client of a connection, and signs in."""

from __future__ import annotations

import logging

from connector.catalog.service import Service
from connector.client import account_limit, pacing
from connector.client.account_limit import AccountLimit
from connector.client.audit import Audit
from connector.client.auth import Auth, token_file
from connector.client.client import Client
from connector.client.pacing import Pacer
from connector.client.shared_times import FileTimes
from connector.client.transport import open_transport
from connector.common.clock import Clock, SystemClock
from connector.common.redaction import Redactor
from connector.common.user_folders import state_file
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
) -> Client:
    """Return the client of a connection. All processes of this user share its delay and token.

    With `min_delay_ms`, the delay adapts to the service: it is `delay_ms` at first, and at least this one.
    """
    clock = clock or SystemClock()
    read_only = ", read-only" if connection.read_only else ""
    origin = connection.origin or connection.label
    logger.info("connection: %s, %s%s", origin, connection.base_url, read_only)
    redactor = Redactor(connection.secrets, service.secrets)
    transport = open_transport(connection)
    auth = Auth(service, connection, transport, clock, redactor, token_file(connection))
    limit = None
    if service.throttling.waits_s or service.throttling.says:
        path = state_file("limit", connection.account)
        limit = AccountLimit(service.title, clock, FileTimes(path, clock, account_limit.FRESH))
    times = FileTimes(state_file("pacing", connection.account), clock, pacing.FRESH)
    if min_delay_ms is None:
        pacer = Pacer(delay_ms, clock, times, limit)
    else:
        from connector.client import adaptive_pacer  # imported only if it is used

        path = state_file(f"pace-{adaptive_pacer.LAYOUT}", connection.account)
        pace_times = FileTimes(path, clock, adaptive_pacer.FRESH, adaptive_pacer.LASTING)
        pacer = adaptive_pacer.AdaptivePacer(delay_ms, min_delay_ms, clock, times, pace_times, limit)
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
