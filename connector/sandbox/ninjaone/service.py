"""The mock NinjaOne service: sign-in, check of tokens and scopes, and operations."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from email.utils import formatdate
from typing import Any

from connector.sandbox.errors import HttpError, InvalidValueError
from connector.sandbox.messages import ServerRequest, ServerResponse
from connector.sandbox.ninjaone.areas import PREFIXES, router
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import auth_error, failure, invalid
from connector.sandbox.ninjaone.oauth.authorize import Authorizations
from connector.sandbox.ninjaone.oauth.tokens import Tokens
from connector.sandbox.token_request import TokenRequest

TOKEN_PATH = "/ws/oauth/token"  # noqa: S105  a path, no secret
OLD_TOKEN_PATH = "/oauth/token"  # noqa: S105  a path, no secret
API_PREFIXES = tuple(f"{prefix}/v2/" for prefix in PREFIXES)


class NinjaOneService:
    """A NinjaOne account.

    The operations of `user_context` refuse the token of an app that signed in without a user. With
    `old_token_path`, `/oauth/token` is another address of the token endpoint, as older clients expect.
    """

    authorize_path = "/ws/oauth/authorize"

    def __init__(
        self,
        state: State,
        *,
        token_lifetime_s: float,
        user_context: Collection[str],
        redirect_uris: Collection[str],
        old_token_path: bool = False,
    ) -> None:
        self.state = state
        self.token_paths: Collection[str] = (TOKEN_PATH, OLD_TOKEN_PATH) if old_token_path else (TOKEN_PATH,)
        self.authorizations = Authorizations(redirect_uris)
        self.tokens = Tokens(token_lifetime_s, self.authorizations)
        self._user_context = frozenset(user_context)
        self._router = router()

    def read_token_request(self, request: ServerRequest) -> TokenRequest:
        """Return the token request in a request; its credentials are not checked."""
        try:
            return TokenRequest.read(request)
        except ValueError:
            raise auth_error(400, "invalid_header", 1) from None

    def issue_token(self, asked: TokenRequest) -> dict[str, Any]:
        """Return the JSON body of the response to a token request. Raises HttpError if it is refused."""
        return self.tokens.sign_in(asked)

    def authorize(self, request: ServerRequest) -> ServerResponse:
        """Return the response to the browser of a user who signs in."""
        if request.method != "GET":
            raise HttpError(405, headers={"Allow": "GET"})
        location = self.authorizations.authorize(request.query)
        return ServerResponse(302, {"Location": location, "Cache-Control": "no-store"})

    def drop_token(self, request: ServerRequest) -> None:
        """Invalidate the request's access token, as if it had expired."""
        self.tokens.drop(request.authorization)

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Check the token, execute an API request, and return the response. Raises HttpError."""
        if not request.path.startswith(API_PREFIXES):
            raise HttpError(404)
        self.tokens.check(request.authorization, request.method)
        found, path_values = self._router.find(request.method, request.path)
        if found.operation in self._user_context:
            self.tokens.check_user(request.authorization)
        with self.state.lock:
            self.state.orders.advance()
        try:
            return found.respond(request, path_values, self.state)
        except InvalidValueError as error:
            raise invalid(error.field, error.expected) from None

    def error_body(self, status: int) -> dict[str, Any]:
        """Return the JSON body of an error response that has no information except its HTTP status."""
        return failure(status).body or {}

    def response_headers(self) -> dict[str, str]:
        """Return additional headers for every response to an API request."""
        date = formatdate(self.state.clock(), usegmt=True)
        return {"x-nj-request-id": secrets.token_hex(8), "Date": date}
