"""Convert the resources in an OpenAPI document's responses to the connector's JSON Schemas.

Names, types, formats and limits are kept, descriptions are not. Keywords that real responses violate become
annotations: `x-enum` has the known values of an enum, to which an API can add values, and `x-type: object`
marks an object type without properties, which may be any JSON value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connector.authoring.openapi_references import inner_schemas, keywords, pointed, put_inner
from connector.common.package_data import references


def resource_schemas(document: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Return the schemas of all resources to which responses refer, including nested ones, by name."""
    found: dict[str, Any] = {}
    due = sorted(set(_responded(document)))
    while due:
        reference = due.pop()
        name = resource_name(reference)
        if name not in found:
            schema = pointed(document, reference)
            found[name] = {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$id": f"{folder}/{name}.json",
                "title": name,
                **_converted(schema),
            }
            due += references(schema)
    return dict(sorted(found.items()))


def resource_name(reference: str) -> str:
    """Return the name of the resource in a `$ref` of an OpenAPI document or a schema file."""
    return reference.rpartition("/")[2].removesuffix(".json")


def _responded(document: Mapping[str, Any]) -> Iterator[str]:
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, Mapping):
                yield from references(operation.get("responses"))


def _converted(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return {"$ref": f"{resource_name(schema['$ref'])}.json"}
    converted = keywords(schema)
    for place, inner in inner_schemas(schema):
        put_inner(converted, place, _converted(inner))
    return converted
