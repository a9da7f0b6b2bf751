"""The mock HaloPSA service: sign-in, rate limit, check of tokens, and operations."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from email.utils import formatdate
from typing import Any

from connector.sandbox.endpoints import Endpoint
from connector.sandbox.errors import HttpError, InvalidValueError
from connector.sandbox.halopsa.api.bodies import parameters
from connector.sandbox.halopsa.areas import PREFIX, router
from connector.sandbox.halopsa.areas.instance import PUBLIC
from connector.sandbox.halopsa.data.state import State
from connector.sandbox.halopsa.errors import (
    HTML,
    LOGIN_PAGE,
    InvalidRecordError,
    forbidden,
    gateway_timeout,
    invalid,
    plain,
)
from connector.sandbox.halopsa.tokens import Tokens
from connector.sandbox.halopsa.window import Window
from connector.sandbox.messages import ServerRequest, ServerResponse
from connector.sandbox.token_request import TokenRequest
from connector.sandbox.wsgi_server import ResetConnectionError

TOKEN_PATH = "/auth/token"  # noqa: S105  a path, no secret


class HaloService:
    """One HaloPSA instance. `clock` returns seconds, for the rate limit."""

    token_paths: Collection[str] = (TOKEN_PATH,)
    authorize_path = "/auth/authorize"

    def __init__(self, state: State, *, token_lifetime_s: float, clock: Callable[[], float]) -> None:
        self.state = state
        self.traps = state.traps
        self.tokens = Tokens(self.traps, token_lifetime_s)
        self.window = Window(self.traps, clock)
        self._router = router()

    def read_token_request(self, request: ServerRequest) -> TokenRequest:
        """Return the token request; `tenant` is copied from the query to the form."""
        self._check_user_agent(request)
        try:
            asked = TokenRequest.read(request)
        except ValueError:
            raise HttpError(400, {"error": "invalid_request"}) from None
        return replace(asked, form={**asked.form, "tenant": request.query.get("tenant", "")})

    def issue_token(self, asked: TokenRequest) -> dict[str, Any]:
        """Return the JSON body of the response to a token request. Raises HttpError if it is refused."""
        return self.tokens.sign_in(asked)

    def authorize(self, request: ServerRequest) -> ServerResponse:
        """Raise HttpError: the sandbox's only client app signs in without a user."""
        raise HttpError(404)

    def drop_token(self, request: ServerRequest) -> None:
        """Invalidate the request's access token, as if it had expired."""
        self.tokens.drop(request.authorization)

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Check the token, execute an API request, and return the response. Raises HttpError."""
        self._check_user_agent(request)
        if not request.path.startswith(f"{PREFIX}/"):
            raise HttpError(404)
        found, path_values = self._router.find(request.method, request.path)
        if found.operation not in PUBLIC:
            self._admit(request)
        if self.traps.once("html", "page"):
            raise HttpError(200, headers=HTML, text=LOGIN_PAGE)
        try:
            self._check_query(found, request)
            response = found.respond(request, path_values, self.state)
        except InvalidRecordError as error:
            raise invalid(self.traps, error) from None
        except InvalidValueError as error:
            raise invalid(
                self.traps, InvalidRecordError(error.field, f"Expected {error.expected}.")
            ) from None
        finally:
            self.state.run_after()
        if request.method != "GET":
            self._lose()
        return response

    def _check_user_agent(self, request: ServerRequest) -> None:
        if not request.header("USER_AGENT") and self.traps.is_on("user_agent", "needed"):
            raise forbidden(self.traps)

    def _admit(self, request: ServerRequest) -> None:
        """Raise HttpError for an invalid token, a missing scope for writing, or a reached rate limit."""
        scopes = self.tokens.scopes(request.authorization)
        self.window.check()
        may_write = any(scope in ("all", "admin") or scope.startswith("edit") for scope in scopes)
        if request.method != "GET" and not may_write:
            raise forbidden(self.traps)

    def _check_query(self, found: Endpoint, request: ServerRequest) -> None:
        """Raise InvalidRecordError for unknown query parameters, if `traps` has them refused."""
        if self.traps.is_on("unknown_parameters", "ignored"):
            return
        known = {*found.query, *parameters(found.path)}
        for name in request.query:
            if name not in known:
                raise InvalidRecordError(name, f"The parameter '{name}' is not known.")

    def _lose(self) -> None:
        """Drop the response to an executed write, with some values of `answers` (see `traps`)."""
        if self.traps.once("answers", "reset"):
            raise ResetConnectionError
        if self.traps.once("answers", "gateway"):
            raise gateway_timeout()

    def error_body(self, status: int) -> dict[str, Any]:
        """Return the JSON body of an error response that has no information except its HTTP status."""
        return plain(status)

    def response_headers(self) -> dict[str, str]:
        """Return the Date header, from the clock that also sets the times of tickets."""
        return {"Date": formatdate(self.state.clock(), usegmt=True)}
