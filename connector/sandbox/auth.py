"""Sign-in and bearer tokens (FACTS.md A): `POST /ws/oauth/token` and the check of `Authorization`."""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.sandbox.errors import ApiError, application_error, auth_error, failure

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105  a fake, known to everyone
REFRESH_TOKEN = "sandbox-refresh"  # noqa: S105  a fake, too
SCOPES = ("monitoring", "management", "control")
"""What the sandbox's one client app was granted; a sign-in that names no scope gets all of it."""


@dataclass(frozen=True)
class SignIn:
    """What a sign-in request said; `secret` never leaves this object."""

    grant_type: str
    client_id: str
    secret: str
    scope: str
    refresh_token: str
    basic: bool

    @classmethod
    def read(cls, form: Mapping[str, str], authorization: str | None) -> SignIn:
        """Client credentials come as form fields or as a basic header; the header wins."""
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        basic = authorization is not None and authorization.lower().startswith("basic ")
        if basic and authorization is not None:
            try:
                client_id, _, secret = (
                    base64.b64decode(authorization[6:], validate=True).decode().partition(":")
                )
            except (binascii.Error, UnicodeDecodeError):
                raise auth_error(400, "invalid_header", 1) from None
        return cls(
            form.get("grant_type", ""),
            client_id,
            secret,
            form.get("scope", ""),
            form.get("refresh_token", ""),
            basic,
        )


class Tokens:
    """The tokens in force. Times are on the monotonic clock, so a changed wall clock expires nothing."""

    def __init__(self, lifetime_s: float) -> None:
        self._lifetime_s = lifetime_s
        self._lock = threading.Lock()
        self._live: dict[str, tuple[float, frozenset[str]]] = {}
        self._of_users: set[str] = set()
        self._refresh_token = REFRESH_TOKEN

    def sign_in(self, request: SignIn) -> dict[str, Any]:
        """The token endpoint's answer, or its error."""
        if request.grant_type not in ("client_credentials", "refresh_token"):
            raise auth_error(400, "unauthorized_client" if request.grant_type else "invalid_grant")
        if request.client_id != CLIENT_ID:
            raise application_error(404, "Client app not exist")
        if not secrets.compare_digest(request.secret.encode(), CLIENT_SECRET.encode()):
            raise auth_error(401 if request.basic else 400, "invalid_client")
        scopes = request.scope.split() or list(SCOPES)
        if not set(scopes) <= set(SCOPES):
            raise auth_error(400, "invalid_scope")
        if request.grant_type == "refresh_token":
            rotated = self._rotate(request.refresh_token)
            issued = self._issue(scopes)
            self._of_users.add(issued["access_token"])
            return issued | {"refresh_token": rotated}
        return self._issue(scopes)

    def _issue(self, scopes: list[str]) -> dict[str, Any]:
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

    def _rotate(self, presented: str) -> str:
        """Each use kills the refresh token that was used."""
        with self._lock:
            if not secrets.compare_digest(presented.encode(), self._refresh_token.encode()):
                raise auth_error(400, "invalid_grant")
            self._refresh_token = f"{REFRESH_TOKEN}-{secrets.token_urlsafe(9)}"
            return self._refresh_token

    def drop(self, authorization: str | None) -> None:
        """Forget the presented token, as if it had expired."""
        with self._lock:
            self._live.pop((authorization or "")[7:], None)

    def check(self, authorization: str | None, method: str) -> None:
        """Raise unless the header carries a live token whose scopes allow `method`."""
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
        """Raise unless the token is a user's own: only user flows give refresh tokens (FACTS.md A)."""
        if (authorization or "")[7:].strip() not in self._of_users:
            raise auth_error(403, "user_context_required", 5, "This operation requires a user context")


def wrong_method() -> ApiError:
    """The token endpoint takes POST alone."""
    return failure(405, {"Allow": "POST"})
