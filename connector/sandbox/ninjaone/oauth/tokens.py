"""The token endpoint `POST /ws/oauth/token`, and the check of access tokens."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Collection
from typing import Any

from connector.sandbox.ninjaone.errors import auth_error
from connector.sandbox.ninjaone.oauth.authorize import Authorizations
from connector.sandbox.ninjaone.oauth.client_apps import app_of, scopes_of
from connector.sandbox.token_request import TokenRequest


class Tokens:
    """The valid access tokens. They expire by the monotonic clock, which is not affected by time changes."""

    def __init__(self, lifetime_s: float, authorizations: Authorizations) -> None:
        self._lifetime_s = lifetime_s
        self._authorizations = authorizations
        self._lock = threading.Lock()
        self._live: dict[str, tuple[float, frozenset[str]]] = {}
        self._of_users: set[str] = set()

    def sign_in(self, request: TokenRequest) -> dict[str, Any]:
        """Return the body of the response to a token request. Raises HttpError if the request is refused."""
        app = app_of(request)
        if request.grant_type == "client_credentials":
            return self._issue(scopes_of(request, app))
        if request.grant_type == "authorization_code":
            scopes, refresh_token = self._authorizations.redeem(app, request.form)
        else:
            scopes_of(request, app)
            scopes, refresh_token = self._authorizations.rotate(app, request.form.get("refresh_token", ""))
        issued = self._issue(scopes)
        self._of_users.add(issued["access_token"])
        return issued | ({"refresh_token": refresh_token} if refresh_token else {})

    def _issue(self, scopes: Collection[str]) -> dict[str, Any]:
        token = secrets.token_urlsafe(24)
        now = time.monotonic()
        with self._lock:
            self._live = {known: entry for known, entry in self._live.items() if entry[0] > now}
            self._live[token] = (now + self._lifetime_s, frozenset(scopes))
        return {
            "access_token": token,
            "expires_in": int(self._lifetime_s),
            "scope": " ".join(scopes),
            "token_type": "Bearer",
        }

    def drop(self, authorization: str | None) -> None:
        """Invalidate the access token of a request, as if it had expired."""
        with self._lock:
            self._live.pop((authorization or "")[7:], None)

    def check(self, authorization: str | None, method: str) -> None:
        """Raise HttpError unless the header has a valid access token whose scopes allow `method`."""
        if not authorization:
            raise auth_error(400, "missing_header", 2, "Missing required header")
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise auth_error(400, "invalid_header", 1)
        with self._lock:
            expires, scopes = self._live.get(token, (0.0, frozenset()))
            if expires <= time.monotonic():
                self._live.pop(token, None)
                raise auth_error(401, "not_authenticated", 10, "Invalid credentials")
        if ("monitoring" if method in ("GET", "HEAD") else "management") not in scopes:
            raise auth_error(401, "insufficient_privileges")

    def check_user(self, authorization: str | None) -> None:
        """Raise HttpError unless a user signed in to get the access token."""
        if (authorization or "")[7:].strip() not in self._of_users:
            raise auth_error(403, "user_context_required", 5, "This operation requires a user context")
