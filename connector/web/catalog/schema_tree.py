"""A JSON Schema as a readable tree: names, types, allowed values and members."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connector.common.json_text import Json
from connector.common.package_data import schema as load_schema

_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} members",
    "maxProperties": "at most {} members",
    "pattern": "matches {}",
}
"""Descriptions of JSON Schema keywords that restrict a value."""

_SIZES = ("int32", "int64", "float", "double")
"""The formats that are not shown, because the type says enough."""


@dataclass(frozen=True)
class Node:
    """One value in a schema: the member `name` of its object, or an item or the root if the name is empty.

    `options` are the allowed values, or the known values if `open` is true; `notes` are its restrictions.
    """

    name: str
    type: str
    required: bool = False
    title: str = ""
    options: Sequence[str] = ()
    open: bool = False
    notes: Sequence[str] = ()
    members: Sequence[Node] = field(default_factory=tuple)

    @property
    def size(self) -> int:
        """The number of nodes in this tree, including this one."""
        return 1 + sum(member.size for member in self.members)


def read_schema(schema: Any, name: str = "", required: bool = False, within: tuple[str, ...] = ()) -> Node:
    """Return a schema as a tree.

    `within` has the enclosing references, because a recursive one is not followed.
    """
    if not isinstance(schema, Mapping):
        return Node(name, "any" if schema is not False else "nothing", required)
    if isinstance(schema.get("$ref"), str):
        return _read_resource(schema["$ref"], name, required, within)
    options, known = schema.get("enum", ()), schema.get("x-enum", ())
    items = schema.get("items")
    node = read_schema(items, within=within) if isinstance(items, Mapping) else None
    if node and not (options or known):
        options, known = (node.options, ()) if not node.open else ((), node.options)
    return Node(
        name,
        type_words(schema),
        required,
        node.title if node else "",
        [_shown(option) for option in (options or known)],
        bool(known and not options),
        [*bounds(schema), *(node.notes if node else ())],
        _once([*(node.members if node else ()), *_members(schema, within)]),
    )


def _read_resource(reference: str, name: str, required: bool, within: tuple[str, ...]) -> Node:
    """Return the schema with this reference, which is relative to the folder of the enclosing schema."""
    folder, _, file = reference.rpartition("/")
    folder = folder or (within[-1].rpartition("/")[0] if within else "")
    path, title = f"{folder}/{file}" if folder else file, file.removesuffix(".json")
    if path in within:
        return Node(name, f"{title}, as above", required)
    return replace(read_schema(load_schema(path), name, required, (*within, path)), title=title)


def _once(members: Sequence[Node]) -> list[Node]:
    """Return members without duplicates: a value can be an object or an array of such objects."""
    return list({member.name: member for member in members}.values())


def _members(schema: Mapping[str, Any], within: tuple[str, ...]) -> Iterator[Node]:
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        yield read_schema(member, name, name in required, within)
    more = schema.get("additionalProperties")
    if isinstance(more, Mapping) and more:
        yield read_schema(more, "any other name", within=within)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(keyword, ()):
            yield from read_schema(part, within=within).members


def type_words(schema: Mapping[str, Any]) -> str:
    """Return a schema's type as text, such as `array of integer` or `string or null`."""
    if "$ref" in schema:
        return "object"
    types = schema.get("type", schema.get("x-type"))
    names = [types] if isinstance(types, str) else list(types or ())
    if not names:
        alternatives = [type_words(part) for key in ("anyOf", "oneOf") for part in schema.get(key, ())]
        names = list(dict.fromkeys(alternatives))
        if not names and ("properties" in schema or "allOf" in schema):
            names = ["object"]
        if not names and "enum" in schema:
            names = ["string"]
    items = schema.get("items")
    of = f" of {type_words(items)}" if isinstance(items, Mapping) else ""
    words = [name + of if name == "array" else name for name in names]
    return " or ".join(words) or "any"


def bounds(schema: Mapping[str, Any]) -> list[str]:
    """Return the restrictions on a value as texts, without its type and its options."""
    notes = [text.format(_shown(schema[key])) for key, text in _BOUNDS.items() if key in schema]
    if schema.get("uniqueItems"):
        notes.append("unique items")
    if schema.get("format") not in (None, *_SIZES):
        notes.insert(0, schema["format"])
    return notes


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
