"""Declares endpoints with a decorator: operation, method, path, and types of the query and body.

    ENDPOINTS = Endpoints()

    @ENDPOINTS.declare("PATCH", "/device/{id}", "updateDevice", body=Object({"displayName": TEXT}))
    def update_device(call: OperationCall[State], id: int) -> None: ...

The path is the one in the API document, with placeholders. A placeholder is an int32 unless `path_types` has
another type, and an argument of the function in snake case (`{scan-group-id}` -> `scan_group_id`). The
function returns the JSON value to send with 200, None for an empty response, or a `ServerResponse`. It runs
while the lock of the data is held.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import unquote

from connector.sandbox.errors import HttpError
from connector.sandbox.messages import ServerRequest, ServerResponse, json_response
from connector.sandbox.multipart import MultipartPart, parse_multipart
from connector.sandbox.types import INTEGER, Scalar, Type

MULTIPART = "multipart/form-data"


class LockedState(Protocol):
    """The data of a mock server. `lock` is held while an operation is executed and its result is encoded."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """The lock, which is reentrant."""


StateT = TypeVar("StateT", bound=LockedState)


@dataclass(frozen=True)
class OperationCall(Generic[StateT]):
    """A checked request: `query` has the given values, `body` the JSON, `parts` the multipart parts."""

    state: StateT
    base_url: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    parts: tuple[MultipartPart, ...] = ()


EndpointHandler = Callable[..., Any]
EndpointHandlerT = TypeVar("EndpointHandlerT", bound=EndpointHandler)


@dataclass(frozen=True, eq=False)
class Endpoint:
    """An operation, named by its `operationId`, and the function that executes it.

    `media_type` is the required media type of a body, `*/*` for any; `multipart/form-data` fills
    `call.parts`. `empty_status` is the HTTP status of a response without a result. `undeclared` has query
    parameters that the API document lacks.
    """

    method: str
    path: str
    operation: str
    handler: EndpointHandler
    path_types: Mapping[str, Scalar] = field(default_factory=dict)
    query: Mapping[str, Scalar] = field(default_factory=dict)
    body: Type | None = None
    body_required: bool = True
    media_type: str = "application/json"
    empty_status: int = 204
    undeclared: Mapping[str, Scalar] = field(default_factory=dict)

    def respond(
        self, request: ServerRequest, path_values: Mapping[str, str], state: LockedState
    ) -> ServerResponse:
        """Check the request, execute it, and return the response.

        Raises HttpError and InvalidValueError.
        """
        arguments = self.arguments(path_values)
        call = OperationCall(
            state,
            request.base_url,
            self.read_query(request.query),
            self._json_body(request),
            self._parts(request),
        )
        with state.lock:
            result = self.handler(call, **arguments)
            if isinstance(result, ServerResponse):
                return result
            return ServerResponse(self.empty_status) if result is None else json_response(200, result)

    def arguments(self, path_values: Mapping[str, str]) -> dict[str, Any]:
        """Return the values in the path, unescaped and checked, keyed by the function's argument names."""
        return {
            path_argument(name): self.path_types.get(name, INTEGER).read(
                unquote(path_values[path_argument(name)]), name
            )
            for name in re.findall(r"\{([^}]+)\}", self.path)
        }

    def read_query(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return the values of the declared query parameters; others are ignored."""
        known = {**self.query, **self.undeclared}
        return {name: kind.read(query[name], name) for name, kind in known.items() if query.get(name)}

    def _json_body(self, request: ServerRequest) -> Any:
        if self.body is None:
            return None
        if not request.body and not self.body_required:
            return None
        if request.body and self.media_type not in ("*/*", request.media_type):
            raise HttpError(415)
        try:
            value = json.loads(request.body.decode(), parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise HttpError(400) from None
        self.body.check(value, "body")
        return value

    def _parts(self, request: ServerRequest) -> tuple[MultipartPart, ...]:
        if self.media_type != MULTIPART:
            return ()
        if request.media_type != MULTIPART:
            raise HttpError(415)
        try:
            return tuple(parse_multipart(request.content_type, request.body))
        except ValueError:
            raise HttpError(400) from None


class Endpoints:
    """The endpoints of a service, in the order in which they were declared."""

    def __init__(self) -> None:
        self.declared: list[Endpoint] = []

    def add(self, endpoint: Endpoint) -> None:
        """Add an endpoint."""
        self.declared.append(endpoint)

    def declare(
        self,
        method: str,
        path: str,
        operation: str,
        *,
        path_types: Mapping[str, Scalar] | None = None,
        query: Mapping[str, Scalar] | None = None,
        body: Type | None = None,
        body_required: bool = True,
        media_type: str = "application/json",
        undeclared: Mapping[str, Scalar] | None = None,
    ) -> Callable[[EndpointHandlerT], EndpointHandlerT]:
        """Return a decorator that adds its function as an endpoint with these properties."""

        def decorate(handler: EndpointHandlerT) -> EndpointHandlerT:
            known = (path_types or {}, query or {}, body, body_required, media_type)
            self.add(Endpoint(method, path, operation, handler, *known, undeclared=undeclared or {}))
            return handler

        return decorate


def path_argument(name: str) -> str:
    """Return the name of the function's argument for a path parameter."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower()


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
