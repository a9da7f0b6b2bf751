"""The bearer token of a connection: requested when needed, renewed before it expires, saved between runs.

A sign-in is not an API request: it is neither paced nor counted. Only one thread or process signs in at a
time. The token is saved in a file that only the user can read, or in a database.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from connector.catalog.service import Service
from connector.client.grants import ClientCredentials, Grant, RefreshTokenStore
from connector.client.saved_tokens import SavedToken, TokenStore
from connector.client.token_endpoint import TokenEndpoint, TokenResponse
from connector.common.clock import Clock
from connector.common.redaction import Redactor
from connector.common.user_folders import digest_name, state_folder
from connector.connections.connection import Connection
from connector.errors import AuthError, NotSentError, RowError
from connector.http.messages import Transport

logger = logging.getLogger(__name__)

RENEW_BEFORE_S = 60.0
"""A token is renewed when less than this many seconds, or less than a tenth of its lifetime, are left."""
TRIES = 3
"""The maximum number of sign-in attempts, for failures that a retry can solve."""


class Auth:
    """The bearer token of a connection. Safe for threads and processes.

    `tokens` keeps the token between runs; with None, the token is kept in memory only.
    `scopes` are the scopes of the latest token, as reported by the sign-in; empty if they are not known.
    """

    def __init__(
        self,
        service: Service,
        connection: Connection,
        transport: Transport,
        clock: Clock,
        redactor: Redactor,
        tokens: TokenStore | None = None,
        refresh_token: RefreshTokenStore | None = None,
    ) -> None:
        self._clock, self._redactor, self._tokens = clock, redactor, tokens
        endpoint = TokenEndpoint(service, connection, transport, redactor)
        self._label = connection.label
        self._grant: Grant | None
        if connection.refresh_token:
            from connector.client.refresh_grant import Refresh  # imported only if it is used
            from connector.connections.refresh_tokens import RefreshToken

            self._grant = Refresh(endpoint, refresh_token or RefreshToken(connection), redactor)
        elif connection.access_token:
            self._grant = None
        else:
            self._grant = ClientCredentials(endpoint, connection, tokens)
        self.scopes: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._token = "" if self._grant else connection.access_token
        self._until = 0.0 if self._grant else float("inf")
        self._refused: RowError | None = None
        self._last_read = ""

    def token(self) -> str:
        """Return a valid token, signing in if necessary.

        Raises AuthError: `auth_failed` if the sign-in is refused (later calls then raise it without a
        request, since the response would be the same), or `network_error`, `timeout`, `bad_response`,
        `rate_limited`.
        """
        if self._clock.now() < self._until:
            return self._token
        return self._one_at_a_time(lambda: self._clock.now() < self._until)

    def renew(self, dead: str) -> str:
        """Return a token other than `dead`, which the API refuses. Raises AuthError as `token` does."""
        return self._one_at_a_time(lambda: self._token != dead and self._clock.now() < self._until, dead)

    def forget(self) -> None:
        """Delete the saved token, so that the next run signs in again; this run continues to use it."""
        if self._tokens:
            self._tokens.forget()

    def _one_at_a_time(self, is_done: Callable[[], bool], dead: str = "") -> str:
        grant = self._grant
        if grant is None:
            raise AuthError("auth_failed", "the API refuses the connection's access_token: get a new one")
        with self._lock:
            if is_done():
                return self._token
            if dead:
                logger.info("%s: the API refuses the access token; getting another one", self._label)
            elif self._token:
                logger.info("%s: the access token expires; getting another one", self._label)
            if self._refused is not None:
                raise AuthError("auth_failed", str(self._refused), status=self._refused.status)
            # Read before the lock, too: a process that was suspended while it signed in keeps the lock.
            if not self._use_saved(grant, dead):
                with grant.held():
                    if not self._use_saved(grant, dead):
                        self._take(self._patiently(grant.ask))
                        self._save(grant)
            return self._token

    def _patiently(self, ask: Callable[[], TokenResponse]) -> TokenResponse:
        for attempt in range(1, TRIES):
            try:
                return self._noting_refusals(ask)
            except RowError as error:
                if error.code == "auth_failed" or error.lasting or isinstance(error.__cause__, NotSentError):
                    raise
                wait_s = 2.0 ** (attempt - 1)
                said = (self._label, wait_s, attempt + 1, TRIES)
                logger.warning("%s: signing in again in %.1f s, try %d of %d", *said)
                self._clock.sleep(wait_s)
        return self._noting_refusals(ask)

    def _noting_refusals(self, ask: Callable[[], TokenResponse]) -> TokenResponse:
        try:
            return ask()
        except RowError as error:
            logger.warning("%s: sign-in failed: %s", self._label, self._redactor.said(str(error)))
            # Do not remember a local failure, such as a locked keyring, because it can be temporary.
            if error.code == "auth_failed" and error.status:
                self._refused = error
            raise

    def _take(self, granted: TokenResponse) -> None:
        self._token, self.scopes = granted.access_token, granted.scopes
        self._until = self._clock.now() + granted.life_s - min(RENEW_BEFORE_S, granted.life_s / 10)
        scopes = " ".join(self.scopes) or "not stated"
        logger.info("%s: signed in, expires in %.0f s, scopes: %s", self._label, granted.life_s, scopes)

    def _use_saved(self, grant: Grant, dead: str) -> bool:
        """Use the saved token if it is valid and not `dead`, a rejected one; return whether it was used."""
        saved = self._tokens.read() if self._tokens else None
        self._last_read = saved.token if saved else ""
        if saved is None or saved.token in ("", dead) or self._clock.now() >= saved.until:
            return False
        if saved.came_with != grant.binding():
            return False
        self._redactor.add(saved.token)
        self._token, self._until, self.scopes = saved.token, saved.until, saved.scopes
        left_s = saved.until - self._clock.now()
        said = (self._label, left_s, " ".join(map(str, saved.scopes)) or "not stated")
        logger.info("%s: using the saved access token, valid for %.0f s, scopes: %s", *said)
        return True

    def _save(self, grant: Grant) -> None:
        """Save the token, unless another process that did not wait for this one has saved its own.

        If it cannot be saved, the next run signs in again.
        """
        if self._tokens:
            with suppress(RowError):
                token = SavedToken(self._token, self._until, self.scopes, grant.binding())
                self._tokens.write(token, instead_of=self._last_read)


def token_file(connection: Connection) -> Path | None:
    """Return the path of the file for a connection's saved token; None if no token is requested."""
    if connection.access_token and not connection.refresh_token:
        return None
    refresh_token = ""
    if connection.refresh_token:
        from connector.connections.refresh_tokens import RefreshToken  # imported only if it is used

        refresh_token = RefreshToken(connection).key
    return state_folder() / f"token-{token_name(connection, refresh_token)}"


def token_name(connection: Connection, refresh_token: str) -> str:
    """Return a digest of everything that a connection's token depends on.

    `refresh_token` is a key for its refresh token, which changes with each sign-in; it is empty without one.
    """
    grant = ("refresh_token", refresh_token) if refresh_token else ("client_credentials", "")
    settings = (f"{name}={value}" for name, value in sorted(connection.settings.items()))
    identity = (
        connection.base_url,
        connection.client_id,
        connection.client_secret,
        connection.scope,
        *settings,
    )
    return digest_name("\n".join((*grant, *identity)))
