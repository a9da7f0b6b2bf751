"""The OAuth grants for access tokens, and the grant with the client app's credentials."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from connector.client.saved_tokens import TokenStore
from connector.client.token_endpoint import TokenEndpoint, TokenResponse
from connector.connections.connection import Connection

logger = logging.getLogger(__name__)


class Grant(Protocol):
    """An OAuth grant, which is a way to get an access token. Methods raise AuthError."""

    def held(self) -> AbstractContextManager[None]:
        """Return a context in which no other thread or process can sign in."""

    def binding(self) -> str:
        """Return a text to store with a token.

        A saved token is used only if it was stored with the same text.
        """

    def ask(self) -> TokenResponse:
        """Request a token once. Called while `held`."""


class RefreshTokenStore(Protocol):
    """The refresh token of a connection, as `RefreshToken`. Methods raise ConnectionSetupError."""

    def held(self) -> AbstractContextManager[None]:
        """Return a context in which no other thread or process can use or replace the token."""

    def current(self) -> str:
        """Return the token to use next."""

    def require_room(self) -> None:
        """Raise ConnectionSetupError if a new token could not be saved now."""

    def keep(self, token: str, used: str) -> None:
        """Replace the token `used` by `token`; it is durable when this returns.

        If another process has replaced `used` in the meantime, its token stays.
        """

    @property
    def how_to_renew(self) -> str:
        """A sentence for messages on how to get a new refresh token."""


class ClientCredentials:
    """The client credentials grant. `tokens` is None if tokens are not shared with other processes."""

    def __init__(self, endpoint: TokenEndpoint, connection: Connection, tokens: TokenStore | None) -> None:
        self._endpoint, self._connection, self._tokens = endpoint, connection, tokens

    def held(self) -> AbstractContextManager[None]:
        """Return a context that holds the lock of the saved token."""
        return self._tokens.held(self._connection.label) if self._tokens else nullcontext()

    def binding(self) -> str:
        """Return an empty string, because the name of the token's file depends on all credentials."""
        return ""

    def ask(self) -> TokenResponse:
        """Request a token once."""
        scope = self._connection.scope or self._endpoint.default_scope
        return self._endpoint.ask("client_credentials", **({"scope": scope} if scope else {}))
