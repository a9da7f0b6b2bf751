"""The OAuth grant with a user's refresh token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from connector.client.grants import RefreshTokenStore
from connector.client.token_endpoint import TokenEndpoint, TokenResponse
from connector.common.redaction import Redactor
from connector.common.user_folders import digest_name
from connector.errors import AuthError, ConnectionSetupError, NotSentError, RowError


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
