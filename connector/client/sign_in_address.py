"""The address for token requests: on the connection's own host, or as reported by the instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from connector.catalog.service import Discovery, SignIn
from connector.connections.connection import Connection, checked_url
from connector.errors import AuthError, ConnectionSetupError, shorten


class SignInAddress(NamedTuple):
    """The base URL for token requests, and their target (path and query) below it."""

    base_url: str
    target: str


def own_address(about: SignIn, connection: Connection) -> SignInAddress:
    """Return the address for token requests on the connection's own host."""
    return SignInAddress(connection.base_url, about.token_path + _query(about, connection.settings))


def told_address(
    about: SignIn, discovery: Discovery, connection: Connection, body: Mapping[str, object]
) -> SignInAddress:
    """Return the address for token requests in the instance's response.

    Raises AuthError if the response has none, or if it is not safe to send secrets to it.
    """
    where = f"{connection.base_url}{discovery.path}"
    url = body.get(discovery.url)
    if not isinstance(url, str) or not url:
        raise AuthError(
            "bad_response", f'{where}: the response contains no sign-in address ("{discovery.url}")'
        )
    try:
        url = checked_url(url, where, discovery.url)
    except ConnectionSetupError as error:
        raise AuthError("auth_failed", f"signing in: {error}", status=200) from error
    # A base URL without TLS is on this machine. Only then may the sign-in address be without TLS, too.
    if urlsplit(url).scheme == "http" and urlsplit(connection.base_url).scheme != "http":
        said = f"{where}: the sign-in address {shorten(url, 120)} would send secrets unencrypted"
        raise AuthError("auth_failed", said, status=200)
    told = {name: str(body[member]) for name, member in discovery.settings.items() if body.get(member)}
    return SignInAddress(url, discovery.token_path + _query(about, {**told, **connection.settings}))


def _query(about: SignIn, settings: Mapping[str, str]) -> str:
    """Return the query of the token request. Parameters without a value are omitted."""
    values = {name: settings[setting] for name, setting in about.query.items() if settings.get(setting)}
    return f"?{urlencode(values, quote_via=quote)}" if values else ""
