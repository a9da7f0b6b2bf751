"""Declared routes: operation, method, path, query and body types, in one decorator.

    @route("PATCH", "/v2/device/{id}", "updateDevice", body=Object({"displayName": TEXT}))
    def update_device(call: Call, id: int) -> None: ...

The path is the published one, placeholders included; each is an int32 unless `path_types` says otherwise,
and is handed to the function in snake case (`{scan-group-id}` -> `scan_group_id`). Every route is served
under `/v2` and `/api/v2` (FACTS.md A). The function returns the JSON value to answer with 200, None for an
empty 204, or an `Answer`; it runs under the state's lock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, unquote

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter, Map, Rule

from connector.sandbox.errors import failure
from connector.sandbox.types import INTEGER, Object, Scalar, Type

if TYPE_CHECKING:
    from connector.sandbox.multipart import Part
    from connector.sandbox.ninjaone.data.state import State


@dataclass(frozen=True)
class Answer:
    """An answer that is neither plain JSON nor empty."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Call:
    """A checked request: `query` holds the values given, `body` the JSON, `parts` the multipart parts."""

    state: State
    base_url: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    parts: tuple[Part, ...] = ()


Handle = Callable[..., Any]
_Handle = TypeVar("_Handle", bound=Handle)


@dataclass(frozen=True, eq=False)
class Route:
    """One operation of the published API and the function that answers it."""

    method: str
    path: str
    operation: str
    handle: Handle
    path_types: Mapping[str, Scalar]
    query: Mapping[str, Scalar]
    body: Type | None
    body_required: bool
    media_type: str

    def arguments(self, raw: Mapping[str, str]) -> dict[str, Any]:
        """The path's values, checked, under their snake-case names."""
        return {
            path_argument(name): self.path_types.get(name, INTEGER).read(
                unquote(raw[path_argument(name)]), name
            )
            for name in _placeholders(self.path)
        }

    def read_query(self, query: Mapping[str, str]) -> dict[str, Any]:
        """The declared query parameters that were given; the vendor ignores others (FACTS.md E), so do we."""
        return {name: kind.read(query[name], name) for name, kind in self.query.items() if query.get(name)}


ROUTES: list[Route] = []
"""Every declared route, filled as the area modules (`organizations`, `devices`, ...) are imported."""


def route(
    method: str,
    path: str,
    operation: str,
    *,
    path_types: Mapping[str, Scalar] | None = None,
    query: Mapping[str, Scalar] | None = None,
    body: Type | None = None,
    body_required: bool = True,
    media_type: str = "application/json",
) -> Callable[[_Handle], _Handle]:
    """Declare the function as the answer to one operation (its published `operationId`).

    `media_type` is what a body must be sent as, `*/*` for anything; `multipart/form-data` fills `call.parts`.
    """

    def decorate(handle: _Handle) -> _Handle:
        declare(
            Route(
                method,
                path,
                operation,
                handle,
                path_types or {},
                query or {},
                body,
                body_required,
                media_type,
            )
        )
        return handle

    return decorate


def declare(entry: Route) -> None:
    """Add a route."""
    ROUTES.append(entry)


class Router:
    """Finds the route of a request by its escaped path."""

    def __init__(self, routes: list[Route]) -> None:
        self.routes = tuple(routes)
        rules = [
            Rule(prefix + _rule(entry.path), methods=[entry.method], endpoint=entry)
            for entry in routes
            for prefix in ("", "/api")
        ]
        # paths are matched as they are: the vendor neither redirects to nor from a trailing slash
        self._paths = Map(
            rules,
            converters={"segment": Segment},
            strict_slashes=True,
            merge_slashes=False,
            redirect_defaults=False,
        ).bind("sandbox")

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]]:
        """The route and its still escaped path values; the generic 404 or 405 otherwise."""
        try:
            found, values = self._paths.match(normalised(raw_path), method)
        except NotFound:
            raise failure(404) from None
        except MethodNotAllowed as wrong:
            raise failure(405, {"Allow": ", ".join(sorted(wrong.valid_methods or ()))}) from None
        if not isinstance(found, Route):
            raise failure(404)
        return found, dict(values)


class Segment(BaseConverter):
    """One path segment, left escaped: an escaped slash inside a value does not end the segment."""

    regex = "[^/]+"


def normalised(raw_path: str) -> str:
    """The path with each segment escaped one way, whatever way the client chose."""
    return "/".join(quote(unquote(segment), safe="") for segment in raw_path.split("/"))


def _placeholders(path: str) -> list[str]:
    return re.findall(r"\{([^}]+)\}", path)


def _rule(path: str) -> str:
    return re.sub(r"\{([^}]+)\}", lambda match: f"<segment:{path_argument(match[1])}>", path)


def path_argument(name: str) -> str:
    """The name under which a route's function gets a path value."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower()


EMPTY = Object()
"""A body that may hold anything, or nothing."""
