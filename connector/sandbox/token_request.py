"""Parses requests to an OAuth 2.0 token endpoint (RFC 6749, sections 2.3.1 and 4)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from connector.sandbox.errors import HttpError
from connector.sandbox.messages import ServerRequest

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class TokenRequest:
    """A request for an access token. `secret` and `form` are never shown."""

    grant_type: str
    client_id: str
    secret: str = field(repr=False)
    scope: str
    is_basic: bool
    form: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, request: ServerRequest) -> TokenRequest:
        """Return the form that was posted, with the credentials of a basic authorization header if present.

        Raises HttpError 405 or 415 if no form was posted, and ValueError if the header is not valid.
        """
        if request.method != "POST":
            raise HttpError(405, headers={"Allow": "POST"})
        if request.media_type != FORM:
            raise HttpError(415)
        form = dict(parse_qsl(request.body.decode(errors="replace")))
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        authorization = request.authorization or ""
        is_basic = authorization.lower().startswith("basic ")
        if is_basic:
            client_id, secret = _basic(authorization[6:])
        return cls(form.get("grant_type", ""), client_id, secret, form.get("scope", ""), is_basic, form)

    def describe(self) -> dict[str, Any]:
        """Return the token request for the log of sign-ins."""
        return {
            "grant_type": self.grant_type,
            "client_id": self.client_id,
            "scope": self.scope,
            "via": "basic" if self.is_basic else "form",
        }


def _basic(credentials: str) -> tuple[str, str]:
    try:
        client_id, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError("the basic authorization header is not valid") from None
    return client_id, secret
