"""Converts the JSON Schemas of inputs (2020-12) to the schemas of the OpenAPI versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connector.catalog.coercion import declared_types
from connector.catalog.json_schema import INTEGER_RANGES

Schema = dict[str, Any]
Convert = Callable[[Schema], Schema]


def for_3_1(schema: Mapping[str, Any]) -> Schema:
    """Return a schema for OpenAPI 3.1, which has the same dialect."""
    return _converted(schema, lambda one: one)


def for_3_0(schema: Mapping[str, Any]) -> Schema:
    """Return a schema for OpenAPI 3.0: one type at most, and `nullable`."""
    return _converted(schema, lambda one: _one_type(one, "nullable"))


def for_2_0(schema: Mapping[str, Any]) -> Schema:
    """Return a schema for Swagger 2.0, which has no unions, no null and no `writeOnly`."""

    def convert(one: Schema) -> Schema:
        one = _one_type(one, "x-nullable")
        one.pop("writeOnly", None)
        return one

    return _converted(schema, convert)


def _converted(schema: Mapping[str, Any], convert: Convert) -> Schema:
    """Return a schema with explicit `items` and limits of integers, converted at every depth."""
    one = dict(schema)
    if "properties" in one:
        one["properties"] = {name: _converted(s, convert) for name, s in one["properties"].items()}
    if not one.get("required", True):
        del one["required"]  # before OpenAPI 3.1, it must not be empty
    if "array" in declared_types(one):
        one["items"] = _converted(one.get("items", {}), convert)
    if isinstance(one.get("additionalProperties"), Mapping):
        one["additionalProperties"] = _converted(one["additionalProperties"], convert)
    if "integer" in declared_types(one) and one.get("format") in INTEGER_RANGES:
        least, most = INTEGER_RANGES[one["format"]]
        one["minimum"], one["maximum"] = one.get("minimum", least), one.get("maximum", most)
    return convert(one)


def _one_type(one: Schema, nullable: str) -> Schema:
    """Return a schema with its widest type, without the conditions across inputs."""
    one = {name: said for name, said in one.items() if name not in ("allOf", "anyOf", "if", "then", "else")}
    types = declared_types(one)
    if "null" in types:
        one[nullable] = True
    named = [name for name in types if name != "null"]
    if not named:
        one.pop("type", None)
    elif set(named) == {"array", "object"}:
        one.pop("type")  # no type is any type
        for only_of_one in ("items", "minItems", "maxItems", "uniqueItems", "minProperties"):
            one.pop(only_of_one, None)
    else:
        one["type"] = "string" if "string" in named else named[0]
        if one["type"] == "string" and isinstance(one.get("default"), int):
            one["default"] = str(one["default"])
    return one
