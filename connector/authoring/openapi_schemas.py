"""The resources that a published OpenAPI document answers with, as JSON Schemas of ours.

They keep names, types, formats and limits, and none of the vendor's prose. What live answers do not keep
to is kept as a note that no validator reads: `x-enum` for the values that are known, since new ones
come, and `x-type: object` for what the document types as a bare object and may be any JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connector.authoring.openapi_facts import named_schema
from connector.common.package_data import references

_KEPT = (
    *("required", "format", "pattern", "default", "deprecated", "readOnly", "writeOnly"),
    *("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "uniqueItems"),
)


def resource_schemas(document: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Give the schema of every resource that an operation answers with, and of those inside them."""
    found: dict[str, Any] = {}
    due = sorted(set(_answered(document)))
    while due:
        reference = due.pop()
        name, schema = named_schema(document, reference)
        if name not in found:
            found[name] = {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$id": f"{folder}/{name}.json",
                "title": name,
                **_converted(schema),
            }
            due += references(schema)
    return dict(sorted(found.items()))


def _answered(document: Mapping[str, Any]) -> Iterator[str]:
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, Mapping):
                yield from references(operation.get("responses"))


def _converted(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        *_, name = schema["$ref"].split("/")
        return {"$ref": f"{name}.json"}
    converted = {key: schema[key] for key in _KEPT if key in schema}
    type_ = schema.get("type")
    if type_ == "object" and not {"properties", "additionalProperties", "allOf"} & schema.keys():
        return {**converted, "x-type": "object"}
    if type_:
        converted["type"] = [type_, "null"] if schema.get("nullable") else type_
    if "enum" in schema:
        converted["x-enum"] = schema["enum"]
    if "items" in schema:
        converted["items"] = _converted(schema["items"])
    if "properties" in schema:
        converted["properties"] = {name: _converted(m) for name, m in schema["properties"].items()}
    more = schema.get("additionalProperties")
    if more is not None:
        converted["additionalProperties"] = _converted(more) if isinstance(more, Mapping) else more
    for keyword in ("allOf", "anyOf", "oneOf"):
        if keyword in schema:
            converted[keyword] = [_converted(part) for part in schema[keyword]]
    return converted
