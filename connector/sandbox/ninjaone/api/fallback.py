"""Serves operations of the API document that no area implements, with generated responses.

There are no such operations now; those of a newer document are served this way until an area implements them.
Nothing is stored. Items in the path must exist if the sandbox stores their kind (a device, an organization,
...). A response has the ids of the path, the values of the body, and otherwise generated values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from connector.sandbox.endpoints import Endpoint, path_argument
from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.api.operations import OpenApiFacts, check_parts, endpoint_of, operations
from connector.sandbox.ninjaone.data.generated import make, members
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import invalid

LISTED = 3
"""The number of items in a generated list."""

OWNERS: dict[str, Callable[[State, Any], Any]] = {
    "/v2/device/{id}/": State.device,
    "/v2/organization/{id}/": lambda state, value: state.organization(_number(value)),
    "/v2/organization/{organizationId}/": State.organization,
    "/v2/policies/{policy_id}/": State.policy,
    "/v2/ticketing/ticket/{ticketId}/": State.ticket,
}
"""Functions that return the record in a path, keyed by the start of the path. They raise HttpError 404."""


def missing_endpoints(declared: Iterable[Endpoint]) -> list[Endpoint]:
    """Return an endpoint for each operation of the API document that no area implements."""
    known = {entry.operation for entry in declared}
    return [
        endpoint_of(name, partial(_answer, facts))
        for name, facts in operations().items()
        if name not in known
    ]


def check_owners(state: State, path: str, arguments: dict[str, Any]) -> None:
    """Raise HttpError 404 if a record in the path does not exist."""
    for beginning, find in OWNERS.items():
        if path.startswith(beginning):
            find(state, arguments[path_argument(beginning[beginning.index("{") + 1 : -2])])
    if "{locationId}" in path and "id" in arguments:
        state.location(arguments["id"], arguments["location_id"])


def _number(value: Any) -> int:
    """Return an id that the API document declares as text. Raises HttpError 400."""
    try:
        return int(value)
    except ValueError:
        raise invalid("id", "an id") from None


def _answer(facts: OpenApiFacts, call: ApiCall, **arguments: Any) -> Any:
    check_parts(facts, call.parts)
    check_owners(call.state, facts["path"], arguments)
    named = {name: arguments[path_argument(name)] for name in facts["parameters"] if in_path(facts, name)}
    given = call.body if isinstance(call.body, dict) else {}
    return _result(facts["result"], named, given, call)


def in_path(facts: OpenApiFacts, name: str) -> bool:
    """Return whether a parameter is in the path."""
    return bool(facts["parameters"][name]["in"] == "path")


def _result(result: Any, named: dict[str, Any], given: dict[str, Any], call: ApiCall) -> Any:
    if result == "none" or result is None:
        return None
    if "$ref" in result:
        return _instance(result["$ref"], named, given, call)
    if result.get("type") == "array":
        return _list(result.get("items", {}), named, call)
    if result.get("type") == "string":
        return {f"content-{call.state.seed}": "https://files.example.com/content?signature=example"}
    return {**given, **named}


def _instance(
    resource: str, named: dict[str, Any], given: dict[str, Any], call: ApiCall, number: int | None = None
) -> Any:
    known = members(resource)
    last = list(named.values())[-1] if named else 1
    found = make(resource, number or (last if isinstance(last, int) else 1))
    if isinstance(found, dict):
        shared = {**given, **named}
        found |= {
            name: value for name, value in shared.items() if name != "id" and _fits(known.get(name), value)
        }
        if "results" in known and (call.query.get("cursor") or call.query.get("cursorName")):
            found["results"] = []
    return found


def _fits(schema: Any, value: Any) -> bool:
    return schema is not None and isinstance(value, _KINDS.get(schema.get("type"), ()))


_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def _list(items: Any, named: dict[str, Any], call: ApiCall) -> list[Any]:
    if "$ref" not in items:
        return [1, 2, 3] if items.get("type") == "integer" else []
    return [_instance(items["$ref"], named, {}, call, number) for number in range(1, LISTED + 1)]
