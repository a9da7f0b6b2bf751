"""The interface between a mock server and the service that it simulates."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from connector.sandbox.messages import ServerRequest, ServerResponse
from connector.sandbox.token_request import TokenRequest


class MockService(Protocol):
    """One account of a service: its sign-in, its operations and the form of its errors.

    Every method but `error_body` and `response_headers` may raise HttpError.
    """

    token_paths: Collection[str]
    authorize_path: str

    def read_token_request(self, request: ServerRequest) -> TokenRequest:
        """Parse a request to one of `token_paths`. Its credentials are not checked yet."""

    def issue_token(self, asked: TokenRequest) -> Mapping[str, Any]:
        """Return the JSON body of the token endpoint's response."""

    def authorize(self, request: ServerRequest) -> ServerResponse:
        """Return the response to the browser of a user who signs in, at `authorize_path`."""

    def drop_token(self, request: ServerRequest) -> None:
        """Remove the request's token, as if it had expired."""

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Check the token and execute one API request; never raises InvalidValueError."""

    def error_body(self, status: int) -> Mapping[str, Any]:
        """Return the JSON body of an error that has no more information than its HTTP status."""

    def response_headers(self) -> Mapping[str, str]:
        """Return additional headers for every response to an API request."""
