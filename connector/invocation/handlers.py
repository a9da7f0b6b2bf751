"""Handlers: turn an action's typed inputs into requests, and the responses into a result.

A handler is a generator: it yields a `Request`, receives the `Response`, can yield a `Page` of a list, and
returns the result. It performs no input or output itself. Most actions use `http_handler`; others have a
Python file next to the declaration, with a function `handle(inputs: Inputs) -> Steps`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from functools import cache, wraps
from pathlib import Path
from typing import Any, NamedTuple

from connector.catalog.action import Action
from connector.catalog.inputs import Input
from connector.catalog.service import Service
from connector.common.absent import ABSENT
from connector.common.json_text import Json
from connector.errors import DeclarationError, RowError
from connector.http.messages import MultipartPart, Request, Response, build_path, query_text
from connector.http.uploads import find
from connector.invocation.lookups import Lookups
from connector.invocation.notes import Note
from connector.invocation.pagination import Page, PagedResult, walk

__all__ = [
    "Download",
    "Inputs",
    "Note",
    "Page",
    "PagedResult",
    "Request",
    "Response",
    "Steps",
    "http_handler",
    "lookup",
    "request",
]


class Download(NamedTuple):
    """A handler's result whose content is the body of a response, which is saved as a file."""

    response: Response


Steps = Generator[Request | Page | Note, Response, Any]


class Inputs:
    """An action's typed input values: `inputs.name` returns a value, or None if it was not given.

    `"name" in inputs` is true for a JSON null and false for an absent value.
    """

    def __init__(
        self,
        action: Action,
        service: Service,
        values: Mapping[str, Json],
        uploads: Path,
        lookups: Lookups | None = None,
    ) -> None:
        self._action, self._service, self._values, self._uploads = action, service, values, uploads
        self._lookups = lookups or Lookups()

    def __getattr__(self, name: str) -> Json:
        if name.startswith("_") or name not in self._action.inputs:
            raise AttributeError(f"the action {self._action.name} has no input {name!r}")
        return self._values.get(name)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def with_values(self, **values: Json) -> Inputs:
        """Return a copy with other values for these inputs."""
        for name in values:
            self.__getattr__(name)  # raises AttributeError for an unknown input
        return Inputs(self._action, self._service, {**self._values, **values}, self._uploads, self._lookups)

    @property
    def action(self) -> Action:
        """The action."""
        return self._action

    @property
    def service(self) -> Service:
        """The action's service, for example for its pagers and its words for values."""
        return self._service

    @property
    def has_body(self) -> bool:
        """Whether any input with a value is a member of the body."""
        given = (self._action.inputs[name] for name in self._values)
        return any(i.place in ("body", "part") for i in given)

    def request(self) -> Request:
        """Return the request that the action's declaration describes.

        Raises RowError for a value that is not valid in its part of the request (path, query, header or
        body).
        """
        action = self._action
        path: dict[str, Json] = {}
        query: list[tuple[str, str]] = []
        headers: dict[str, str] = {}
        parts: list[MultipartPart] = []
        body: Json = {} if action.takes_members else ABSENT
        values = self._values
        for name, given in action.inputs.items():
            if name not in values:
                continue
            value, place, target = values[name], given.place, given.target
            if place == "body" and len(target) == 1:
                body[target[0]] = value
            elif place == "body" and target:
                _put(body, target, value)
            elif place == "body":
                body = value
            elif place == "path":
                path[target[0]] = value
            elif place == "query":
                many = value if isinstance(value, list) else [value]
                query += [(target[0], query_text(item)) for item in many]
            elif place == "header":
                headers[target[0]] = _header_text(given, value)
            elif place == "part":
                self._add_part(parts, given, value)
        if self._service.wrap and action.method == "POST" and isinstance(body, dict):
            body = [body]
        return Request(
            method=action.method,
            path=build_path(action.path, path),
            query=tuple(query),
            headers=headers,
            body=body,
            parts=tuple(parts),
            effect=action.effect,
            idempotent=action.idempotent,
            redirects=action.redirects,
            binary=action.returns_file,
            result=action.result,
            template=action.path,
        )

    def _add_part(self, parts: list[MultipartPart], given: Input, value: Json) -> None:
        """Add an input to the parts; inputs with the same prefix `part.NAME.` fill one JSON object."""
        name, *member = given.target
        declared = self._action.parts[name]
        if member:
            begun = next((p for p in parts if p.name == name), None)
            if begun is None:
                begun = MultipartPart(name, declared.media_type, {})
                parts.append(begun)
            _put(begun.value, member, value)
        elif declared.file:
            names = value if isinstance(value, list) else [value]
            for file in names:
                path = find(self._uploads, str(file), given.name)
                parts.append(MultipartPart(name, declared.media_type, path=path, folder=self._uploads))
        else:
            parts.append(MultipartPart(name, declared.media_type, value))


def _header_text(given: Input, value: Json) -> str:
    text = query_text(value)
    if any(not 32 <= ord(c) < 256 or ord(c) == 127 for c in text):
        raise RowError(
            "input_invalid",
            f"{given.name}: a header can contain Latin-1 characters only, and no control characters",
        )
    return text


def _put(body: dict[str, Json], target: Sequence[str], value: Json) -> None:
    """Set a member of a body that is being built; the last name in `target` is the member's name."""
    for holder in target[:-1]:
        body = body.setdefault(holder, {})
    body[target[-1]] = value


def request(
    method: str,
    path: str,
    values: Mapping[str, Json],
    *,
    body: Json = ABSENT,
    effect: Any = "write",
    idempotent: bool = False,
) -> Request:
    """Return a request other than the declared one, for a handler that sends several."""
    return Request(
        method, build_path(path, values), body=body, effect=effect, idempotent=idempotent, template=path
    )


def lookup(path: str, **query: Json) -> Request:
    """Return a GET request whose response is valid for the whole run, so that it is sent only once."""
    return Request("GET", path, tuple((n, query_text(v)) for n, v in query.items()), cached=True)


def http_handler(inputs: Inputs) -> Steps:
    """Send the declared request, and further pages if the action is paged."""
    action, service = inputs._action, inputs._service
    first = inputs.request()
    confirmed = None
    if action.confirmed_inputs:
        from connector.invocation.confirmation import confirmation  # imported only if it is used

        confirmed = confirmation(action, inputs._values)
    if action.paging:
        limit = inputs.limit if "limit" in action.inputs else None
        check = confirmed.check if confirmed else None
        result: Any = yield from walk(service.pagers[action.paging], first, limit, check)
    else:
        response = yield first
        result = read_result(action, response)
        if confirmed and isinstance(result, list):
            confirmed.check(result, response)
        if service.wrap and isinstance(result, list):
            result = _unwrapped(action, result)
    for text in confirmed.warnings if confirmed else ():
        yield Note(text)
    return result


def read_result(action: Action, response: Response) -> Json:
    """Return an action's result from a response: its JSON, its content, the target of a redirect, or None.

    Raises RowError (`bad_response`) for an empty response if JSON is expected.
    """
    if 300 <= response.status < 400:
        return {"url": response.headers.get("location")}
    if action.returns_file:
        return Download(response)
    if response.body.strip():
        return response.json() if action.returns_json else _undeclared(response)
    gone = (
        response.status == 204 and action.method == "DELETE"
    )  # This is also the result of a repeated deletion, whose record no longer exists.
    if action.returns_json and not action.redirects and not gone:
        raise response.bad(f"the API answered {response.status} with an empty body instead of JSON")
    return None


def _unwrapped(action: Action, result: list[Json]) -> Json:
    """Return the only object of an array, for a POST whose declared result is an object."""
    declared = action.result if isinstance(action.result, dict) else {}
    is_object = "$ref" in declared or declared.get("type") == "object"
    return result[0] if is_object and action.method == "POST" and len(result) == 1 else result


def _undeclared(response: Response) -> Json:
    """Return the body of a response that is not declared: parsed if it is valid JSON, else as text."""
    if "json" in response.headers.get("content-type", "").lower():
        with suppress(RowError):
            return response.json()
    return response.text


Handler = Callable[[Inputs], Steps]


def find_handler(action: Action) -> Handler:
    """Return the action's custom handler, or `http_handler`, which are given ids in place of names."""
    handle = load_handler(action.handler) if action.handler else http_handler
    return _given_ids(action, handle) if action.named_inputs else handle


def _given_ids(action: Action, handle: Handler) -> Handler:
    """Return a handler that looks up the names in the inputs first."""

    def look_up(inputs: Inputs) -> Steps:
        from connector.invocation.names import with_ids  # imported only for rows with names

        found = yield from with_ids(action, inputs._service, inputs._values, inputs._lookups)
        return (yield from handle(inputs.with_values(**found)))

    @wraps(handle)
    def given_ids(inputs: Inputs) -> Steps:
        return look_up(inputs) if action.has_names(inputs._values) else handle(inputs)

    return given_ids


@cache
def load_handler(path: Path) -> Handler:
    """Load `handle` from a Python file.

    Raises DeclarationError if the file has no `handle`, or imports something that does not exist.
    """
    spec = importlib.util.spec_from_file_location(f"connector_action_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise DeclarationError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        handle: Handler = module.handle
    except Exception as error:
        from connector.invocation.handler_imports import missing_imports  # imported only if it is used

        if isinstance(error, ImportError) and (missing := missing_imports(path)):
            raise DeclarationError(missing[0]) from error
        raise DeclarationError(f"{path}: the handler cannot be loaded: {error!r}") from error
    return handle
