"""The client apps of the sandbox, one of each kind, and the checks of their token requests."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from connector.sandbox.ninjaone.errors import application_error, auth_error
from connector.sandbox.token_request import TokenRequest

SCOPES = ("monitoring", "management", "control")
"""The scopes that every app can request. An app that signs in without a user gets all by default."""
OFFLINE_SCOPE = "offline_access"
"""The scope that requests a refresh token. Only apps that sign in users can request it."""
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105  a public test value
REDIRECT_URI = "http://127.0.0.1:28765/"
"""The default redirect URIs of the apps that sign in users."""


@dataclass(frozen=True)
class ClientApp:
    """A client app. An app without a `secret` is public: no secret is needed for signing in."""

    client_id: str
    secret: str
    grants: tuple[str, ...]
    scopes: tuple[str, ...]

    @property
    def is_for_users(self) -> bool:
        """Whether users can sign in with the app."""
        return "authorization_code" in self.grants


_FOR_USERS = ("authorization_code", "refresh_token")
MACHINE = ClientApp(CLIENT_ID, CLIENT_SECRET, ("client_credentials",), SCOPES)
WEB = ClientApp("sandbox-web", "sandbox-web-secret", _FOR_USERS, (*SCOPES, OFFLINE_SCOPE))
NATIVE = ClientApp("sandbox-native", "", _FOR_USERS, (*SCOPES, OFFLINE_SCOPE))
APPS = {app.client_id: app for app in (MACHINE, WEB, NATIVE)}


def app_of(request: TokenRequest) -> ClientApp:
    """Return the client app. Raises HttpError if the secret is wrong or the app cannot use the grant."""
    known = {grant for app in APPS.values() for grant in app.grants}
    if request.grant_type not in known:
        raise auth_error(400, "unauthorized_client" if request.grant_type else "invalid_grant")
    if request.client_id not in APPS:
        raise application_error(404, "Client app not exist")
    app = APPS[request.client_id]
    if not secrets.compare_digest(request.secret.encode(), app.secret.encode()):
        raise auth_error(401 if request.is_basic else 400, "invalid_client")
    if request.grant_type not in app.grants:
        raise auth_error(400, "unauthorized_client")
    return app


def scopes_of(request: TokenRequest, app: ClientApp) -> tuple[str, ...]:
    """Return the requested scopes (default: all of the app). Raises HttpError for other scopes."""
    wanted = tuple(request.scope.split()) or app.scopes
    if not set(wanted) <= set(app.scopes):
        raise auth_error(400, "invalid_scope")
    return wanted
