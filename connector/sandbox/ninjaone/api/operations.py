"""Creates endpoints and types from the API document's operations (`schemas/ninjaone/operations.json`).

    @operation("createContact")
    def create_contact(call: ApiCall) -> JSON: ...

Method, path, parameters and body are those in the document, so that an endpoint cannot differ from it. Bodies
with undeclared members are rejected, so that misspelled names are found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from connector.common.package_data import schema
from connector.sandbox.endpoints import MULTIPART, Endpoint, EndpointHandler, EndpointHandlerT
from connector.sandbox.errors import HttpError
from connector.sandbox.multipart import MultipartPart
from connector.sandbox.ninjaone.api.endpoints import ENDPOINTS
from connector.sandbox.ninjaone.errors import invalid
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

OpenApiFacts = Mapping[str, Any]


@cache
def operations() -> dict[str, OpenApiFacts]:
    """Return the declaration of each operation, keyed by its operationId."""
    found: dict[str, OpenApiFacts] = schema("ninjaone/operations.json")["operations"]
    return found


def operation(name: str) -> Callable[[EndpointHandlerT], EndpointHandlerT]:
    """Return a decorator that makes its function the endpoint of an operation."""

    def decorate(handler: EndpointHandlerT) -> EndpointHandlerT:
        ENDPOINTS.add(endpoint_of(name, handler))
        return handler

    return decorate


def endpoint_of(name: str, handler: EndpointHandler) -> Endpoint:
    """Return the endpoint of an operation, with the declared path, parameters and body."""
    facts = operations()[name]
    media_type, body = next(iter(facts["body"].items()), ("application/json", None))
    scalars: dict[str, dict[str, Scalar]] = {"path": {}, "query": {}}
    for parameter, fact in facts["parameters"].items():
        # the parameter is declared as one value, but accepts several
        joined = "," in str(fact.get("enum", [""])[0])
        scalars[fact["in"]][parameter] = TEXT if joined else scalar(fact)
    return Endpoint(
        facts["method"],
        facts["path"],
        name,
        handler,
        scalars["path"],
        scalars["query"],
        None if body is None or media_type == MULTIPART else type_of(body),
        True,
        media_type,
    )


def empty_status(name: str) -> int:
    """Return the HTTP status of an operation's empty response: 204, unless only another 2xx is declared."""
    declared = operations()[name]["statuses"] if name in operations() else ()
    successes = [int(status) for status in declared if status.startswith("2")]
    return 204 if 204 in successes or not successes else successes[0]


def type_of(fact: OpenApiFacts) -> Type:
    """Return the type for a declared schema. Null is not part of the type: `Object` accepts it anyway."""
    kind = json_type(fact)
    if kind == "object":
        if "properties" in fact:
            fields = {name: type_of(member) for name, member in fact["properties"].items()}
            return Object(fields, tuple(fact.get("required", ())), closed=True)
        values = fact.get("additionalProperties")
        # the vendor's document declares values that can be any JSON as `object` without members
        if isinstance(values, dict) and values not in ({}, {"type": "object"}):
            return Map(type_of(values))
        return Object()
    if kind == "array":
        return Array(type_of(fact.get("items", {})), fact.get("maxItems"))
    return scalar(fact) if kind else Anything()


def scalar(fact: OpenApiFacts) -> Scalar:
    """Return the type of a single value for a declared schema."""
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


def json_type(fact: OpenApiFacts) -> str:
    """Return the JSON type of a declared schema other than null, or an empty string."""
    kinds = fact.get("type", "object" if "properties" in fact else "")
    return str(kinds if isinstance(kinds, str) else next(kind for kind in kinds if kind != "null"))


def check_parts(facts: OpenApiFacts, given: Iterable[MultipartPart]) -> None:
    """Raise HttpError 400 if a multipart part is unknown, missing or of the wrong type.

    Parts that are files are required, unless they are nullable.
    """
    declared = facts["body"].get(MULTIPART, {}).get("properties", {})
    if not declared:
        return
    for part in given:
        if part.name not in declared:
            raise invalid(part.name, "a known part")
        fact = declared[part.name]
        if not _is_file(fact):
            scalar(fact).read(_text(part), part.name)
    names = {part.name for part in given}
    for name, fact in declared.items():
        if name not in names and _is_file(fact) and not _is_optional(fact):
            raise invalid(name, "a part")


def _is_file(fact: OpenApiFacts) -> bool:
    found = fact["items"] if json_type(fact) == "array" else fact
    return bool(found.get("format") == "binary")


def _is_optional(fact: OpenApiFacts) -> bool:
    """Return whether a multipart part is optional, which it is if its type is nullable."""
    return "null" in fact.get("items", fact).get("type", ())


def _text(part: MultipartPart) -> str:
    try:
        return part.data.decode()
    except UnicodeDecodeError:
        raise HttpError(400) from None
