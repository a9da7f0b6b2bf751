"""`MockService`, the interface between a mock server and the service that it simulates."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from connector.sandbox.messages import ServerRequest, ServerResponse
from connector.sandbox.token_request import TokenRequest


class MockService(Protocol):
    """An account of a simulated service: its sign-in, its operations and the format of its errors.

    Every method except `error_body` and `response_headers` can raise HttpError.
    """

    token_paths: Collection[str]
    authorize_path: str

    def read_token_request(self, request: ServerRequest) -> TokenRequest:
        """Return the token request in a request to one of `token_paths`; its credentials are not checked."""

    def issue_token(self, asked: TokenRequest) -> Mapping[str, Any]:
        """Return the JSON body of the response to a token request."""

    def authorize(self, request: ServerRequest) -> ServerResponse:
        """Return the response at `authorize_path` to the browser of a user who signs in."""

    def drop_token(self, request: ServerRequest) -> None:
        """Invalidate the request's access token, as if it had expired."""

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Check the token, execute an API request, and return the response.

        Never raises InvalidValueError.
        """

    def error_body(self, status: int) -> Mapping[str, Any]:
        """Return the JSON body of an error response that has no information except its HTTP status."""

    def response_headers(self) -> Mapping[str, str]:
        """Return additional headers for every response to an API request."""
