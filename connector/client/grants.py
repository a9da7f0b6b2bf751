"""The OAuth grants for access tokens: the client app's credentials, or a user's refresh token."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from connector.client.saved_tokens import TokenStore
from connector.client.token_endpoint import TokenEndpoint, TokenResponse
from connector.common.redaction import Redactor
from connector.common.user_folders import digest_name
from connector.connections.connection import Connection
from connector.errors import AuthError, ConnectionSetupError, NotSentError, RowError

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


@dataclass(frozen=True, eq=False)
class _Use:
    """A refresh token that was used, and the response."""

    token: str = field(repr=False)
    granted: TokenResponse


class Refresh:
    """The refresh token grant, for a user who has signed in before.

    Each use can return a new refresh token. It is saved before the access token is used, so that a valid one
    is saved even if the process is killed. If a response is lost, the same refresh token is tried again; if
    the service has already invalidated it, the user has to sign in again. No scope is sent, because the user
    has already granted it.
    """

    def __init__(self, endpoint: TokenEndpoint, token: RefreshTokenStore, redactor: Redactor) -> None:
        self._endpoint, self._token, self._redactor = endpoint, token, redactor
        self._not_kept: _Use | None = None
        self._in_doubt = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Return a context that holds the lock, because a service refuses a token that is used twice."""
        with _as_row_errors(), self._token.held():
            yield

    def binding(self) -> str:
        """Return a digest of the refresh token that is used next."""
        return digest_name(self._current())

    def ask(self) -> TokenResponse:
        """Use the refresh token, and save the new one before anything else.

        If the new token cannot be saved, it stays in memory and the next call tries to save it again, unless
        the user has signed in again in the meantime.
        """
        with _as_row_errors():
            self._token.require_room()
        current = self._current()
        use = self._not_kept
        if use is None or use.token != current:
            use = self._use(current)
        if use.granted.refresh_token:
            self._not_kept = use
            self._keep(use.granted.refresh_token, use.token)
        self._not_kept, self._in_doubt = None, False
        return use.granted

    def _current(self) -> str:
        with _as_row_errors():
            current = self._token.current()
        self._redactor.add(current)
        return current

    def _use(self, token: str) -> _Use:
        try:
            return _Use(token, self._endpoint.ask("refresh_token", refresh_token=token))
        except RowError as error:
            if error.vendor_code == "invalid_grant":
                current = self._current()
                # The token was replaced by a process without the lock, for example on another machine.
                if current != token:
                    return self._use(current)
                raise self._refused(error) from error
            was_refused = error.code in ("auth_failed", "rate_limited")
            if not was_refused and not isinstance(error.__cause__, NotSentError):
                self._in_doubt = True
            raise

    def _refused(self, error: RowError) -> AuthError:
        lost = (
            ". The response to an earlier sign-in was lost; it had the token that replaces this one"
            if self._in_doubt
            else ""
        )
        message = f"{error}{lost}. {self._token.how_to_renew}"
        return AuthError(error.code, message, status=error.status, vendor_code=error.vendor_code)

    def _keep(self, token: str, used: str) -> None:
        try:
            self._token.keep(token, used)
        except ConnectionSetupError as error:
            raise AuthError(
                "auth_failed",
                f"signed in, but the new refresh token cannot be saved: {error}. The previous one is no "
                f"longer valid. Fix this first. {self._token.how_to_renew}",
            ) from error


@contextmanager
def _as_row_errors() -> Iterator[None]:
    try:
        yield
    except ConnectionSetupError as error:
        raise AuthError("auth_failed", f"signing in: {error}") from error
