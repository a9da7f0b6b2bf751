"""Requests access tokens from a service's token endpoint (OAuth 2.0, RFC 6749)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from connector.catalog.service import Discovery, Service, SignIn
from connector.client.sign_in_address import SignInAddress, own_address, told_address
from connector.client.transport import open_transport
from connector.common.redaction import Redactor
from connector.connections.connection import Connection, white_space_at
from connector.errors import AuthError, Code, RowError, TransportError, shorten
from connector.http.messages import USER_AGENT, Response, Transport

logger = logging.getLogger(__name__)

_HEADERS = {
    "content-type": "application/x-www-form-urlencoded",
    "accept": "application/json",
    "user-agent": USER_AGENT,
}


@dataclass(frozen=True, eq=False, repr=False)
class TokenResponse:
    """A successful response of a token endpoint. `life_s` is the access token's lifetime in seconds.

    `refresh_token` and `scopes` are empty if the response has none.
    """

    access_token: str
    refresh_token: str
    life_s: float
    scopes: tuple[str, ...]


class TokenEndpoint:
    """Sends requests to the token endpoint, on the connection's host or at the address it reports."""

    def __init__(
        self, service: Service, connection: Connection, transport: Transport, redactor: Redactor
    ) -> None:
        self._service, self._connection = service, connection
        self._transport, self._redactor = transport, redactor
        self._address: SignInAddress | None = None

    @property
    def default_scope(self) -> str:
        """The scope to request if the connection has none."""
        return self._service.sign_in.default_scope

    def ask(self, grant: str, **fields: str) -> TokenResponse:
        """Request a token once, with the client app's id, its secret if it has one, and `fields`.

        Raises AuthError: `auth_failed` if the request is refused, with the `vendor_code` of the refusal; else
        `rate_limited`, `bad_response`, `timeout` or `network_error`.
        """
        form = {"grant_type": grant, "client_id": self._connection.client_id}
        if self._connection.client_secret:
            form["client_secret"] = self._connection.client_secret
        body = urlencode({**form, **fields}).encode()
        address = self._find_address()
        said = (self._connection.label, address.base_url, grant, self._connection.client_id)
        logger.info("%s: signing in at %s (grant %s, client id %s)", *said)
        response = self._send(f"signing in at {address.base_url}", "POST", address, _HEADERS, body)
        return self._read(response, address)

    def _find_address(self) -> SignInAddress:
        """Return the address for token requests; an instance is asked for it only once. Raises AuthError."""
        if self._address is None:
            about, given = self._service.sign_in, self._connection.settings
            if about.discovery and not all(given.get(name) for name in about.discovery.settings):
                self._address = self._ask_instance(about, about.discovery)
            else:
                self._address = own_address(about, self._connection)
        return self._address

    def _ask_instance(self, about: SignIn, discovery: Discovery) -> SignInAddress:
        place = SignInAddress(self._connection.base_url, discovery.path)
        task = f"asking {place.base_url}{place.target} where to sign in"
        logger.info("%s: %s", self._connection.label, task)
        response = self._send(task, "GET", place, _HEADERS, None)
        body = _object(response)
        if response.status != 200 or not body:
            raise self._refusal(response, body, task)
        return told_address(about, discovery, self._connection, body)

    def _send(
        self, task: str, method: str, place: SignInAddress, headers: Mapping[str, str], body: bytes | None
    ) -> Response:
        is_own = place.base_url == self._connection.base_url
        transport = self._transport if is_own else open_transport(self._connection, place.base_url)
        try:
            return transport.send(method, place.target, headers, body)
        except TransportError as error:
            raise AuthError(error.code, f"{task}: {error}", lasting=error.lasting) from error

    def _read(self, response: Response, address: SignInAddress) -> TokenResponse:
        body = _object(response)
        token, refresh_token, life = (
            body.get(name) for name in ("access_token", "refresh_token", "expires_in")
        )
        if response.status != 200 or not isinstance(token, str) or not token:
            raise self._refusal(response, body, f"signing in at {address.base_url}")
        refresh_token = refresh_token if isinstance(refresh_token, str) else ""
        self._redactor.add(token)
        self._redactor.add(refresh_token)
        life_s = float(life) if isinstance(life, (int, float)) and life > 0 else 3600.0
        return TokenResponse(token, refresh_token, life_s, tuple(str(body.get("scope") or "").split()))

    def _refusal(self, response: Response, body: dict[str, object], task: str) -> AuthError:
        vendor_code = str(body.get("error") or body.get("resultCode") or "")
        said = (
            "an HTML page" if response.is_html else self._redactor.text(vendor_code or response.text.strip())
        )
        if 300 <= response.status < 400:
            said = f"a redirect to {self._redactor.text(response.headers.get('location', 'nowhere'))}"
        said = shorten(said or "nothing", 120)
        message = f"{task} failed: the server responded with {response.status} ({said})"
        if body.get("incidentId"):
            message += f", incident {shorten(self._redactor.text(str(body['incidentId'])))}"
        if response.status < 300:  # The response is an error with a successful status.
            final = vendor_code in self._service.sign_in.errors
        else:
            final = 400 <= response.status < 500 and response.status not in (408, 425, 429)
        reasons = [self._white_space() if final else "", self._reason(response, vendor_code)]
        reason = ". ".join(filter(None, reasons))
        message = f"{message}: {reason}" if reason else message
        code: Code = "auth_failed" if final else "rate_limited" if response.status == 429 else "bad_response"
        return AuthError(code, message, status=response.status, vendor_code=vendor_code)

    def _white_space(self) -> str:
        """Return a message on a credential with white space at its ends, or an empty string."""
        connection = self._connection
        place = f" of {connection.origin}" if connection.origin else ""
        for name in ("client_id", "client_secret"):
            if where := white_space_at(getattr(connection, name)):
                return f"the {name}{place} has white space {where}: remove it, and sign in again"
        return ""

    def _reason(self, response: Response, vendor_code: str) -> str:
        """Return the service's explanation of a refusal, or an empty string if it has none."""
        meaning = self._service.sign_in.errors
        known = meaning.get(vendor_code) or meaning.get(response.status)  # type: ignore[call-overload]
        if known:
            return str(known)
        page = response.text.lower()
        is_busy = any(word in page for word in self._service.throttling.html_words)
        is_elsewhere = 300 <= response.status < 400 or (
            response.is_html and response.status < 500 and not is_busy
        )
        return self._service.sign_in.elsewhere if is_elsewhere else ""


def _object(response: Response) -> dict[str, object]:
    try:
        body = response.json()
    except RowError:
        return {}
    return body if isinstance(body, dict) else {}
