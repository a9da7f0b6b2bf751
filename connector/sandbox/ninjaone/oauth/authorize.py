"""Signs in users: `GET /ws/oauth/authorize`, codes with PKCE (RFC 7636), and refresh tokens that rotate.

The sandbox has one user, who is always signed in, and grants the requested scopes unless `user_refuses` is
set. The browser is redirected immediately, without a page.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from connector.sandbox.errors import HttpError
from connector.sandbox.ninjaone.errors import application_error, auth_error
from connector.sandbox.ninjaone.oauth.client_apps import APPS, OFFLINE_SCOPE, WEB, ClientApp

REFRESH_TOKEN = "sandbox-refresh"  # noqa: S105  a fake: the web app's, as if its user had signed in before
CODE_LIFETIME_S = 60.0
"""The time for which an authorization code is valid, in seconds."""


@dataclass(frozen=True)
class _Code:
    """The request for which an authorization code was issued."""

    app: ClientApp
    redirect_uri: str
    challenge: str
    scopes: tuple[str, ...]
    expires: float


class Authorizations:
    """The valid authorization codes and refresh tokens of users."""

    def __init__(self, redirect_uris: Collection[str]) -> None:
        self._redirect_uris = frozenset(redirect_uris)
        self._lock = threading.Lock()
        self._codes: dict[str, _Code] = {}
        self._refresh = {REFRESH_TOKEN: (WEB, WEB.scopes)}
        self.code_lifetime_s = CODE_LIFETIME_S
        self.user_refuses = False

    def authorize(self, query: Mapping[str, str]) -> str:
        """Return the URL to which the browser is redirected, with a code or an error.

        Raises HttpError if the client app or its redirect URI is not valid.
        """
        app = APPS.get(query.get("client_id", ""))
        if app is None:
            raise application_error(404, "Client app not exist")
        if not app.is_for_users:
            raise HttpError(404)
        redirect_uri = query.get("redirect_uri", "")
        if redirect_uri not in self._redirect_uris:
            raise auth_error(400, "invalid_request", description="redirect_uri is not registered")
        answer = self._decide(app, redirect_uri, query)
        if "state" in query:
            answer["state"] = query["state"]
        return f"{redirect_uri}?{urlencode(answer)}"

    def _decide(self, app: ClientApp, redirect_uri: str, query: Mapping[str, str]) -> dict[str, str]:
        scopes = tuple(query.get("scope", "").split())
        challenge = query.get("code_challenge", "")
        if query.get("response_type") != "code":
            return {"error": "unsupported_response_type"}
        if query.get("code_challenge_method") != "S256" or len(challenge) != 43:
            return {"error": "invalid_request", "error_description": "a code_challenge of S256 is needed"}
        if not scopes or not set(scopes) <= set(app.scopes):
            return {"error": "invalid_scope"}
        if self.user_refuses:
            return {"error": "access_denied", "error_description": "The user did not allow it"}
        code = secrets.token_urlsafe(24)
        with self._lock:
            expires = time.monotonic() + self.code_lifetime_s
            self._codes[code] = _Code(app, redirect_uri, challenge, scopes, expires)
        return {"code": code}

    def redeem(self, app: ClientApp, form: Mapping[str, str]) -> tuple[tuple[str, ...], str | None]:
        """Return the scopes of an authorization code, and a refresh token or None.

        A code can be used once.
        """
        with self._lock:
            code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.app != app or code.expires <= time.monotonic():
            raise auth_error(400, "invalid_grant")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if form.get("redirect_uri") != code.redirect_uri or challenge != code.challenge:
            raise auth_error(400, "invalid_grant")
        return code.scopes, self.new_refresh_token(app, code.scopes) if OFFLINE_SCOPE in code.scopes else None

    def rotate(self, app: ClientApp, presented: str) -> tuple[tuple[str, ...], str]:
        """Return the scopes of a refresh token and its replacement. Each token can be used once."""
        with self._lock:
            owner, scopes = self._refresh.get(presented, (None, ()))
            if owner != app:
                raise auth_error(400, "invalid_grant")
            del self._refresh[presented]
        return scopes, self.new_refresh_token(app, scopes)

    def new_refresh_token(self, app: ClientApp = WEB, scopes: tuple[str, ...] = WEB.scopes) -> str:
        """Return a refresh token, as if the user had just signed in."""
        token = f"refresh-{secrets.token_urlsafe(24)}"
        with self._lock:
            self._refresh[token] = (app, scopes)
        return token
