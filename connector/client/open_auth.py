"""Opens the sign-in of a connection, with the tokens that its processes share: in files, or in a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.catalog.service import Service
from connector.client.auth import Auth, token_file, token_name
from connector.client.grants import RefreshTokenStore
from connector.client.saved_tokens import FileTokens, TokenStore
from connector.common.clock import Clock, SystemClock
from connector.common.redaction import Redactor
from connector.connections.connection import Connection
from connector.http.messages import Transport

if TYPE_CHECKING:
    from connector.state.database import Database


def open_auth(
    service: Service,
    connection: Connection,
    transport: Transport,
    clock: Clock,
    redactor: Redactor,
    database: Database | None = None,
    *,
    is_saved: bool = True,
) -> Auth:
    """Return the sign-in of a connection, whose tokens are in the database if there is one.

    The access token is saved unless `is_saved` is false; a refresh token always is.
    """
    tokens = saved_token(connection, database, clock) if is_saved else None
    refresh_token = _refresh_token(connection, database)
    return Auth(service, connection, transport, clock, redactor, tokens, refresh_token)


def saved_token(
    connection: Connection, database: Database | None, clock: Clock | None = None
) -> TokenStore | None:
    """Return the saved access token of a connection; None if no token is requested."""
    if database is None or _is_local(connection):
        path = token_file(connection)
        return FileTokens(path) if path else None
    from connector.client.database_tokens import DatabaseRefreshToken, DatabaseTokens

    refresh_token = DatabaseRefreshToken(database, connection).name if connection.refresh_token else ""
    return DatabaseTokens(database, token_name(connection, refresh_token), clock or SystemClock())


def _refresh_token(connection: Connection, database: Database | None) -> RefreshTokenStore | None:
    """Return the connection's refresh token in the database; None if it is elsewhere, or there is none."""
    if database is None or not connection.refresh_token or _is_local(connection):
        return None
    from connector.client.database_tokens import DatabaseRefreshToken

    return DatabaseRefreshToken(database, connection)


def _is_local(connection: Connection) -> bool:
    """Return whether the tokens of a connection are never in a database.

    The refresh token of a saved connection stays where it is saved, so that it works without the database.
    """
    return bool(connection.name if connection.refresh_token else connection.access_token)
