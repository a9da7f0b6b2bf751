"""The published facts of every operation (`schemas/ninjaone/operations.json`), as routes and types.

    @operation("createContact")
    def create_contact(call: Call) -> JSON: ...

Method, path, parameters and body come from the facts, so that such a route cannot differ from what is
published. Bodies are closed: a member that is not published is refused, as a misspelt one should be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, TypeVar

from connector.common.package_data import schema
from connector.sandbox.errors import failure, invalid
from connector.sandbox.multipart import Part
from connector.sandbox.routing import Handle, Route, declare
from connector.sandbox.types import (
    BOOLEAN,
    INTEGER,
    LONG,
    NUMBER,
    TEXT,
    UUID,
    Anything,
    Array,
    Map,
    Object,
    Scalar,
    Type,
    one_of,
)

Published = Mapping[str, Any]
_Handle = TypeVar("_Handle", bound=Handle)

MULTIPART = "multipart/form-data"


@cache
def operations() -> dict[str, Published]:
    """The facts of each operation, by its published name."""
    found: dict[str, Published] = schema("ninjaone/operations.json")["operations"]
    return found


def operation(name: str) -> Callable[[_Handle], _Handle]:
    """Declare the function as the answer to an operation, with everything else taken from the facts."""

    def decorate(handle: _Handle) -> _Handle:
        declare(route_of(name, handle))
        return handle

    return decorate


def route_of(name: str, handle: Handle) -> Route:
    """The operation's route."""
    facts = operations()[name]
    media_type, body = next(iter(facts["body"].items()), ("application/json", None))
    scalars: dict[str, dict[str, Scalar]] = {"path": {}, "query": {}}
    for parameter, fact in facts["parameters"].items():
        joined = "," in str(
            fact.get("enum", [""])[0]
        )  # several values, published as a single one (FACTS.md H)
        scalars[fact["in"]][parameter] = TEXT if joined else scalar(fact)
    return Route(
        facts["method"],
        facts["path"],
        name,
        handle,
        scalars["path"],
        scalars["query"],
        None if body is None or media_type == MULTIPART else type_of(body),
        True,
        media_type,
    )


def type_of(fact: Published) -> Type:
    """What a JSON value must be to agree with a published schema; null is left to the object around it."""
    kind = json_type(fact)
    if kind == "object":
        if "properties" in fact:
            fields = {name: type_of(member) for name, member in fact["properties"].items()}
            return Object(fields, tuple(fact.get("required", ())), closed=True)
        values = fact.get("additionalProperties")
        # a bare object as a map's value is how the vendor's document writes "anything"
        if isinstance(values, dict) and values not in ({}, {"type": "object"}):
            return Map(type_of(values))
        return Object()
    if kind == "array":
        return Array(type_of(fact.get("items", {})), fact.get("maxItems"))
    return scalar(fact) if kind else Anything()


def scalar(fact: Published) -> Scalar:
    """The single value that a published schema describes."""
    if "enum" in fact:
        return one_of(*(value for value in fact["enum"] if value is not None))
    kind, form = json_type(fact), fact.get("format")
    if kind == "integer":
        found = LONG if form == "int64" else INTEGER
    else:
        found = {"number": NUMBER, "boolean": BOOLEAN}.get(kind, UUID if form == "uuid" else TEXT)
    low, high = fact.get("minimum"), fact.get("maximum")
    shortest, longest = fact.get("minLength"), fact.get("maxLength")
    if low is not None or high is not None:
        return _narrowed(found, f"from {low} to {high}", lambda value: _between(value, low, high))
    if shortest is not None or longest is not None:
        expected = f"of {shortest or 0} to {longest} characters"
        return _narrowed(found, expected, lambda value: _between(len(value), shortest, longest))
    return found


def _narrowed(found: Scalar, expected: str, test: Callable[[Any], bool]) -> Scalar:
    return Scalar(
        f"{found.expected} {expected}", lambda value: found.accepts(value) and test(value), found.from_text
    )


def _between(number: float, low: float | None, high: float | None) -> bool:
    return (low is None or number >= low) and (high is None or number <= high)


def json_type(fact: Published) -> str:
    """The JSON type of a published schema, null left out; empty when it says none."""
    kinds = fact.get("type", "object" if "properties" in fact else "")
    return str(kinds if isinstance(kinds, str) else next(kind for kind in kinds if kind != "null"))


def check_parts(facts: Published, given: Iterable[Part]) -> None:
    """Raise the 400 of a part that is unknown, missing or of the wrong type; files must be there."""
    published = facts["body"].get(MULTIPART, {}).get("properties", {})
    if not published:
        return
    for part in given:
        if part.name not in published:
            raise invalid(part.name, "a known part")
        fact = published[part.name]
        if not _is_file(fact):
            scalar(fact).read(_text(part), part.name)
    names = {part.name for part in given}
    for name, fact in published.items():
        if name not in names and _is_file(fact) and not _is_optional(fact):
            raise invalid(name, "a part")


def _is_file(fact: Published) -> bool:
    found = fact["items"] if json_type(fact) == "array" else fact
    return bool(found.get("format") == "binary")


def _is_optional(fact: Published) -> bool:
    """Files that may be null need not be there."""
    return "null" in fact.get("items", fact).get("type", ())


def _text(part: Part) -> str:
    try:
        return part.data.decode()
    except UnicodeDecodeError:
        raise failure(400) from None
