"""Resolve the references of an OpenAPI document, and compare schemas with resolved references.

A reference to a schema and the same schema inline are equal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from connector.errors import RunError

Schema = Mapping[str, Any]
Place = tuple[str, ...]
"""The place of a schema inside another: a keyword, and a property name or an index if it has one."""

_Pair = tuple[int, int, frozenset[str]]

SITE_KEYWORDS = ("default", "deprecated", "nullable", "readOnly", "writeOnly")
"""The keywords that describe one use of a schema; inline schemas contain them, references do not."""
_KEPT = (
    *("required", "format", "pattern", "default", "deprecated", "readOnly", "writeOnly"),
    *("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "uniqueItems"),
)
_INSIDE = ("properties", "additionalProperties", "allOf")


def pointed(document: Any, reference: str) -> Any:
    """Return the target of a reference such as `#/components/schemas/Device`.

    Raises RunError if the target does not exist or is in another document.
    """
    if not reference.startswith("#/"):
        raise RunError(
            f'the document refers to "{reference}" in another document; bundle both documents into one'
        )
    found = document
    for name in reference[2:].split("/"):
        name = unquote(name).replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping):
        raise RunError(f'the document refers to "{reference}", which does not exist in the document')
    return found


class Resolver:
    """Resolves the references of one document. `find` returns the target of a reference."""

    def __init__(self, find: Callable[[str], Any]) -> None:
        self._find = find
        self._resolved: dict[int, tuple[Schema, Schema]] = {}

    def follow(self, value: Schema) -> Schema:
        """Return the target of an object with `$ref`; return other objects unchanged."""
        seen = set()
        while isinstance(value.get("$ref"), str):
            if value["$ref"] in seen:
                raise RunError(f'the document\'s reference "{value["$ref"]}" refers to itself')
            seen.add(value["$ref"])
            value = self._find(value["$ref"])
        return value

    def resolve(self, schema: Schema) -> Schema:
        """Return a schema with its `$ref` resolved and its `allOf` merged; nested schemas are unchanged.

        For the same schema, the same object is returned.
        """
        if id(schema) not in self._resolved:
            followed = self.follow(schema)
            # A schema that contains itself in `allOf` is ignored there.
            self._resolved[id(schema)] = schema, {}
            self._resolved[id(schema)] = schema, self._merged(followed) if "allOf" in followed else followed
        return self._resolved[id(schema)][1]

    def _merged(self, schema: Schema) -> Schema:
        merged: dict[str, Any] = {}
        own = {key: value for key, value in schema.items() if key != "allOf"}
        for part in [*map(self.resolve, schema["allOf"]), own]:
            properties = {**merged.get("properties", {}), **part.get("properties", {})}
            required = list(dict.fromkeys([*merged.get("required", ()), *part.get("required", ())]))
            merged |= part
            merged |= {"properties": properties} if properties else {}
            merged |= {"required": required} if required else {}
        return merged


def inner_schemas(schema: Schema) -> Iterator[tuple[Place, Schema]]:
    """Yield (place, schema) of the schemas directly inside a resolved schema."""
    for name, member in schema.get("properties", {}).items():
        yield ("properties", name), member
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), Mapping):
            yield (keyword,), schema[keyword]
    for keyword in ("allOf", "anyOf", "oneOf"):
        for number, part in enumerate(schema.get(keyword, ())):
            yield (keyword, str(number)), part


def put_inner(schema: dict[str, Any], place: Place, inner: Any) -> None:
    """Set the nested schema at a place; those of `allOf`, `anyOf` and `oneOf` must be set in order."""
    keyword, *name = place
    if keyword == "properties":
        schema.setdefault(keyword, {})[name[0]] = inner
    elif name:
        schema.setdefault(keyword, []).append(inner)
    else:
        schema[keyword] = inner


def keywords(schema: Schema) -> dict[str, Any]:
    """Return a schema's own keywords as JSON Schema, without descriptions and nested schemas."""
    kept = {key: schema[key] for key in _KEPT if key in schema}
    type_ = schema.get("type")
    if type_ == "object" and not any(key in schema for key in _INSIDE):
        return {**kept, "x-type": "object"}
    types = [type_] if isinstance(type_, str) else list(type_ or ())
    if types and schema.get("nullable") and "null" not in types:
        types.append("null")
    if types:
        kept["type"] = types if len(types) > 1 else types[0]
    for key, name in (("enum", "x-enum"), ("x-enum", "x-enum"), ("x-type", "x-type")):
        if key in schema:
            kept[name] = schema[key]
    if isinstance(schema.get("additionalProperties"), bool):
        kept["additionalProperties"] = schema["additionalProperties"]
    return kept


class Comparison:
    """Compares schemas of one or two documents; the schemas can be recursive."""

    def __init__(self, one: Resolver, other: Resolver) -> None:
        self._one, self._other = one, other
        self._same: set[_Pair] = set()

    def same(self, one: Schema, other: Schema, ignored: frozenset[str] = frozenset()) -> bool:
        """Return whether two schemas are equal, except for the top-level keywords in `ignored`."""
        assumed: set[_Pair] = set()
        same = self._compare(one, other, ignored, assumed)
        if same:
            self._same |= assumed
        return same

    def is_any(self, schema: Schema, outer: Iterable[Schema]) -> bool:
        """Return whether a schema is recursive: it equals one of the schemas `outer` that contain it."""
        has_members = next(inner_schemas(schema), None) is not None
        return has_members and any(self.same(schema, one) for one in outer)

    def _compare(self, one: Schema, other: Schema, ignored: frozenset[str], assumed: set[_Pair]) -> bool:
        if "$ref" in one or "$ref" in other:
            ignored |= set(SITE_KEYWORDS)
        one, other = self._one.resolve(one), self._other.resolve(other)
        pair = id(one), id(other), ignored
        # Schemas whose comparison is in progress count as equal, to end the recursion.
        if pair in assumed or pair in self._same:
            return True
        assumed.add(pair)
        if _comparable(one, ignored) != _comparable(other, ignored):
            return False
        inside = {place: found for place, found in inner_schemas(one) if place[0] not in ignored}
        inside_other = {place: found for place, found in inner_schemas(other) if place[0] not in ignored}
        return inside.keys() == inside_other.keys() and all(
            self._compare(inside[place], inside_other[place], frozenset(), assumed) for place in inside
        )


def _comparable(schema: Schema, ignored: frozenset[str]) -> dict[str, Any]:
    said = keywords({key: value for key, value in schema.items() if key not in ignored})
    return {
        key: sorted(map(json.dumps, value)) if isinstance(value, list) else json.dumps(value)
        for key, value in said.items()
    }
