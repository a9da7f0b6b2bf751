"""Storage of refresh tokens. Services can replace a refresh token each time it is used.

The refresh token of a saved connection is one of its stored secrets. A connection from a file or environment
variables has the first refresh token there; its replacements are saved in a file that only the user can read,
and are used until the connection has another first one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connector.common.user_folders import digest_name, lasting_folder
from connector.connections.connection import Connection
from connector.connections.secret_store import SecretStore
from connector.errors import ConnectionSetupError

_FIELD = "refresh_token"


class RefreshToken:
    """The refresh token of one connection. Safe for threads and processes.

    Methods raise ConnectionSetupError, without secrets, if the token cannot be read or saved.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        if connection.name:
            self._store, self._name = SecretStore(), connection.name
        else:
            # The name depends on the given token, so that connection files with the same token share its
            # replacement.
            given = (connection.base_url, connection.client_id, connection.refresh_token)
            self._store = SecretStore(lasting_folder() / "unsaved-connections")
            self._name = digest_name("\n".join(given))

    @property
    def key(self) -> str:
        """A key for the connection that does not reveal the token, and stays the same if it is replaced."""
        return str(self._store.path(self._name))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Return a context in which no other thread or process can use or replace the token."""
        with self._store.held(self._name):
            yield

    def current(self) -> str:
        """Return the token to use next."""
        kept = self._store.get(self._name, _FIELD)
        if kept is None and self._connection.name:
            raise ConnectionSetupError(
                f'the connection "{self._name}" no longer has a refresh token: it was edited or removed'
            )
        return kept or self._connection.refresh_token

    def require_room(self) -> None:
        """Raise ConnectionSetupError if a new token could not be saved now, for example on a full disk."""
        self._store.require_room()

    def keep(self, token: str, used: str) -> None:
        """Replace the token `used` by `token`; it is durable when this returns.

        `used` is the current token, because a process that is paused keeps the lock.
        """
        self._store.set(self._name, _FIELD, token, None if self._connection.name else "file")

    @property
    def how_to_renew(self) -> str:
        """A sentence for messages on how to get a new refresh token."""
        if self._connection.name:
            return f"Sign in again: `ninjaone connection edit {self._name} --browser`"
        return (
            f"Set a new refresh_token in {self._connection.origin or 'the connection'}, or sign in with "
            "`ninjaone connection add NAME --browser`, which stores it for you"
        )
