"""What a mock server needs of the service that it plays."""

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
        """Return what a request to one of `token_paths` says, before the credentials are checked."""

    def issue_token(self, asked: TokenRequest) -> Mapping[str, Any]:
        """Return the JSON body of the token endpoint's response."""

    def authorize(self, request: ServerRequest) -> ServerResponse:
        """Answer the browser of a user who signs in, at `authorize_path`."""

    def drop_token(self, request: ServerRequest) -> None:
        """Forget the request's token, as if it had expired."""

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Check the token and carry out one API request; InvalidValueError never leaves it."""

    def error_body(self, status: int) -> Mapping[str, Any]:
        """Return the JSON body of an error that has no more information than its HTTP status."""

    def response_headers(self) -> Mapping[str, str]:
        """Return the headers that every response to an API request has besides its own."""
