"""The token endpoint `POST /auth/token?tenant=...`, and the check of access tokens."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Any

from connector.sandbox.errors import HttpError
from connector.sandbox.halopsa.areas.instance import TENANT
from connector.sandbox.halopsa.traps import Traps
from connector.sandbox.token_request import TokenRequest

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105  a public test value


class Tokens:
    """The valid access tokens. They expire by the monotonic clock, which is not affected by time changes."""

    def __init__(self, traps: Traps, lifetime_s: float) -> None:
        self._traps = traps
        self._lifetime_s = lifetime_s
        self._lock = threading.Lock()
        self._live: dict[str, tuple[float, str]] = {}

    def sign_in(self, asked: TokenRequest) -> dict[str, Any]:
        """Return the body of the response to a token request. `form` also has `tenant` from the query."""
        if asked.grant_type != "client_credentials":
            raise _refused("unsupported_grant_type", "The grant type is not supported.")
        tenant = asked.form.get("tenant", "")
        if tenant != TENANT and (tenant or self._traps.is_on("tenant", "needed")):
            raise _refused("invalid_request", "The tenant is missing or unknown.")
        known = asked.client_id == CLIENT_ID
        if not known or not secrets.compare_digest(asked.secret.encode(), CLIENT_SECRET.encode()):
            raise HttpError(
                401, {"error": "invalid_client", "error_description": "Unknown client or secret."}
            )
        if not asked.scope and self._traps.is_on("scope", "needed"):
            raise _refused("invalid_scope", "A scope is needed.")
        return self._issue(asked.scope or "all")

    def _issue(self, scope: str) -> dict[str, Any]:
        token, now = secrets.token_urlsafe(24), time.monotonic()
        with self._lock:
            self._live = {known: entry for known, entry in self._live.items() if entry[0] > now}
            self._live[token] = (now + self._lifetime_s, scope)
        return {
            "scope": scope,
            "token_type": "Bearer",
            "access_token": token,
            "expires_in": int(self._lifetime_s),
        }

    def drop(self, authorization: str | None) -> None:
        """Invalidate the access token of a request, as if it had expired."""
        with self._lock:
            self._live.pop((authorization or "")[7:], None)

    def drop_all(self) -> None:
        """Invalidate all access tokens, as if they had expired."""
        with self._lock:
            self._live.clear()

    def scopes(self, authorization: str | None) -> list[str]:
        """Return the scopes of a valid access token. Raises HttpError 401 with an empty body."""
        kind, _, token = (authorization or "").partition(" ")
        with self._lock:
            expires, scope = self._live.get(token, (0.0, ""))
        if kind.lower() != "bearer" or expires <= time.monotonic():
            raise HttpError(401, headers={"WWW-Authenticate": "Bearer"}, text="")
        return scope.split()


def _refused(error: str, description: str) -> HttpError:
    return HttpError(400, {"error": error, "error_description": description})
