"""The client apps of the sandbox, one of each kind (FACTS.md A), and what a sign-in must show of them."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from connector.sandbox.errors import application_error, auth_error

SCOPES = ("monitoring", "management", "control")
"""What every app was granted; a sign-in for the app itself that names no scope gets all of it."""
OFFLINE_SCOPE = "offline_access"
"""What gives a refresh token; only apps through which users sign in have it."""
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105  a fake, known to everyone
REDIRECT_URI = "http://127.0.0.1:28765/"
"""Where the apps for users send the browser back to, unless the sandbox is told otherwise."""


@dataclass(frozen=True)
class ClientApp:
    """A client app. One without a `secret` is public: whoever has its id may use it."""

    client_id: str
    secret: str
    grants: tuple[str, ...]
    scopes: tuple[str, ...]

    @property
    def is_for_users(self) -> bool:
        """Whether users sign in through it."""
        return "authorization_code" in self.grants


_FOR_USERS = ("authorization_code", "refresh_token")
MACHINE = ClientApp(CLIENT_ID, CLIENT_SECRET, ("client_credentials",), SCOPES)
WEB = ClientApp("sandbox-web", "sandbox-web-secret", _FOR_USERS, (*SCOPES, OFFLINE_SCOPE))
NATIVE = ClientApp("sandbox-native", "", _FOR_USERS, (*SCOPES, OFFLINE_SCOPE))
APPS = {app.client_id: app for app in (MACHINE, WEB, NATIVE)}


@dataclass(frozen=True)
class SignIn:
    """What a request to the token endpoint said; `secret` and `fields` never leave this object."""

    grant_type: str
    client_id: str
    secret: str
    scope: str
    basic: bool
    fields: Mapping[str, str]

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
        return cls(form.get("grant_type", ""), client_id, secret, form.get("scope", ""), basic, form)

    def app(self) -> ClientApp:
        """The app that asks, which must have shown its secret and may use this grant; else ApiError."""
        known = {grant for app in APPS.values() for grant in app.grants}
        if self.grant_type not in known:
            raise auth_error(400, "unauthorized_client" if self.grant_type else "invalid_grant")
        if self.client_id not in APPS:
            raise application_error(404, "Client app not exist")
        app = APPS[self.client_id]
        if not secrets.compare_digest(self.secret.encode(), app.secret.encode()):
            raise auth_error(401 if self.basic else 400, "invalid_client")
        if self.grant_type not in app.grants:
            raise auth_error(400, "unauthorized_client")
        return app

    def scopes(self, app: ClientApp) -> tuple[str, ...]:
        """The scopes that are asked for, or else all that the app was granted; ApiError for any other."""
        wanted = tuple(self.scope.split()) or app.scopes
        if not set(wanted) <= set(app.scopes):
            raise auth_error(400, "invalid_scope")
        return wanted
