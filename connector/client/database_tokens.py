"""Tokens that processes share, and the lock of their sign-ins: in a database.

Times are those of the database's clock, because those of machines differ.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from connector.client.saved_tokens import LOCK_WAIT_S, SavedToken, log_wait
from connector.common import json_text
from connector.common.clock import Clock
from connector.common.user_folders import digest_name
from connector.connections.connection import Connection
from connector.connections.refresh_tokens import RefreshToken
from connector.connections.secret_store import HELD_WAIT_S
from connector.errors import ConnectionSetupError, RunStoppedError
from connector.state.database import Database, DatabaseLostError
from connector.state.locks import locks_of

KEEP_S = 30.0
"""For how long saving a new refresh token is tried again, in seconds.

If it is lost, the user has to sign in again.
"""
_KEEP_AGAIN_S = 1.0


class DatabaseTokens:
    """The saved token of one sign-in in a database. `name` is a digest of what the token depends on.

    Methods raise RunStoppedError if the database cannot be used, except those after a sign-in.
    """

    def __init__(self, database: Database, name: str, clock: Clock) -> None:
        self._database, self._name, self._clock = database, name, clock

    @contextmanager
    def held(self, label: str) -> Iterator[None]:
        """Return a context that holds the lock, or begins without it after `LOCK_WAIT_S`."""
        locks, name = locks_of(self._database), f"token {self._name}"
        is_taken = locks.take(name)
        if not is_taken:
            log_wait(label)
            is_taken = locks.take(name, LOCK_WAIT_S)
        try:
            yield
        finally:
            if is_taken:
                with suppress(RunStoppedError):
                    locks.release(name)

    def read(self) -> SavedToken | None:
        """Return the token in the database; None if there is none."""
        rows = self._database.run(
            "SELECT token, scopes, came_with, extract(epoch FROM expires - clock_timestamp())::float8"
            " FROM connector_token WHERE name = %s",
            [self._name],
        )
        for token, scopes, came_with, left_s in rows:
            return SavedToken(token, self._clock.now() + left_s, tuple(scopes), came_with)
        return None

    def write(self, token: SavedToken, instead_of: str) -> None:
        """Save the token unless another process has, and delete some that have expired."""
        values = [token.token, json_text.dumps(token.scopes), token.came_with]
        with suppress(RunStoppedError):
            self._database.run(
                "WITH expired AS (DELETE FROM connector_token WHERE name IN (SELECT name FROM connector_token"
                " WHERE expires < now() - interval '1 day' LIMIT 100 FOR UPDATE SKIP LOCKED))"
                " INSERT INTO connector_token AS kept (name, token, scopes, came_with, expires)"
                " VALUES (%s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s))"
                " ON CONFLICT (name) DO UPDATE SET token = excluded.token, scopes = excluded.scopes,"
                " came_with = excluded.came_with, expires = excluded.expires WHERE kept.token = %s",
                [self._name, *values, token.until - self._clock.now(), instead_of],
            )

    def forget(self) -> None:
        """Delete the token."""
        with suppress(RunStoppedError):
            self._database.run("DELETE FROM connector_token WHERE name = %s", [self._name])


class DatabaseRefreshToken:
    """The refresh token of a connection from a file or the environment; its replacements are in a database.

    Its name depends on the given token, so that all connections with this token share its replacement.
    Methods raise ConnectionSetupError as `RefreshToken`, and RunStoppedError if the database cannot be used.
    """

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database, self._local = database, RefreshToken(connection)
        given = (connection.base_url, connection.client_id, connection.refresh_token)
        self.name = digest_name("\n".join(given))
        self._label = connection.label

    @contextmanager
    def held(self) -> Iterator[None]:
        """Return a context in which no other thread or process can use or replace the token."""
        locks, name = locks_of(self._database), f"refresh token {self.name}"
        if not locks.take(name):
            log_wait(self._label)
            if not locks.take(name, HELD_WAIT_S):
                raise ConnectionSetupError(f"{self._label}: another process has been signing in for too long")
        try:
            yield
        finally:
            with suppress(RunStoppedError):
                locks.release(name)

    def current(self) -> str:
        """Return the token to use next: the latest one in the database, else that of this machine."""
        rows = self._database.run("SELECT token FROM connector_refresh_token WHERE name = %s", [self.name])
        return rows[0][0] if rows and rows[0][0] else self._local.current()

    def require_room(self) -> None:
        """Write to the database, to check that it can save a token."""
        self._database.run(
            "INSERT INTO connector_refresh_token (name) VALUES (%s)"
            " ON CONFLICT (name) DO UPDATE SET changed = now()",
            [self.name],
        )

    def keep(self, token: str, used: str) -> None:
        """Replace the token `used` by `token`; it is on the database's disk when this returns.

        If `used` is no longer the current token, the current one stays: this process was paused during its
        sign-in and lost the lock, and another one has signed in since. If the database is lost, this is tried
        again for `KEEP_S`.
        """
        self._patiently(
            lambda: self._database.run(
                "INSERT INTO connector_refresh_token AS kept (name, token) VALUES (%s, %s)"
                " ON CONFLICT (name) DO UPDATE SET token = excluded.token, changed = now()"
                " WHERE kept.token IS NULL OR kept.token = %s",
                [self.name, token, used],
            )
        )

    @property
    def how_to_renew(self) -> str:
        """A sentence for messages on how to get a new refresh token."""
        return self._local.how_to_renew

    def _patiently(self, save: Callable[[], object]) -> None:
        end = time.monotonic() + KEEP_S
        while True:
            try:
                save()
                return
            except DatabaseLostError as error:
                if time.monotonic() > end:
                    raise ConnectionSetupError(str(error)) from error
                time.sleep(_KEEP_AGAIN_S)
