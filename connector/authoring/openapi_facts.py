"""Reduce a vendor's OpenAPI document to facts: names, types, formats and enums, without descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.authoring.openapi_operations import is_success, operations, resolved_paths
from connector.authoring.openapi_references import Comparison, Resolver, Schema, pointed
from connector.authoring.openapi_schemas import resource_name

Facts = Mapping[str, Any]
"""The facts of each operation, keyed by operationId.

An operation has `method`, `path`, `parameters` by name (with `in`), `body` by media type, `result`, and
`statuses` (HTTP statuses or "default"). `required_body` is true, or absent if the body is optional. `result`
is "none" if the document declares no JSON response, `{}` if it declares no type, or a `$ref` to a resource
with the `properties` that are lists.
"""

_UPLOAD = {"contentDisposition", "entity", "mediaType"}
"""The properties of the internal file class that some documents declare in place of an uploaded file."""
_MAX_MEMBERS = 100
"""The number of properties above which a nested schema is reduced to its type."""
_KEPT = (
    *("type", "format", "enum", "required", "default"),
    *("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "uniqueItems"),
    "pattern",
)


def published_facts(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of all operations in a document, sorted by operationId."""
    read = _Reader(document)
    found = operations(resolved_paths(document))
    facts = {
        operation["operationId"]: read.facts(method, path, operation) for method, path, operation in found
    }
    return dict(sorted(facts.items()))


def body_shape(known: Facts, *, multipart: bool = False) -> Any:
    """Return the schema of an operation's JSON or multipart body; None if the document declares none."""
    shapes = {
        media_type.partition(";")[0].strip().lower(): shape for media_type, shape in known["body"].items()
    }
    types = ("multipart/form-data",) if multipart else ("application/json", "*/*")
    also = () if multipart else (name for name in shapes if name.endswith("+json"))
    return next((shapes[name] for name in (*types, *also) if name in shapes), None)


def unwrapped(known: Facts, wrap: str) -> Facts:
    """Return the facts of an operation with the array's item as the body; see `Service.wrap`."""
    if wrap != "array" or known["method"] != "POST":
        return known
    inside = {media_type: shape.get("items", shape) for media_type, shape in known["body"].items()}
    return {**known, "body": inside}


class _Reader:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._resolver = Resolver(lambda reference: pointed(document, reference))
        self._comparison = Comparison(self._resolver, self._resolver)

    def facts(self, method: str, path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
        body = operation.get("requestBody", {})
        return {
            "method": method,
            "path": path,
            "parameters": {one["name"]: self._parameter(one) for one in operation["parameters"]},
            "body": {
                media_type: self._shape(content.get("schema", {}))
                for media_type, content in body.get("content", {}).items()
            },
            **({"required_body": True} if body.get("required") else {}),
            "result": self._result(operation),
            "statuses": sorted(operation["responses"]),
        }

    def _parameter(self, parameter: Mapping[str, Any]) -> dict[str, Any]:
        shape = self._shape(parameter.get("schema", {}))
        return {"in": parameter["in"], "required": parameter.get("required", False), **shape}

    def _shape(self, schema: Schema, above: tuple[Schema, ...] = ()) -> Any:
        """Return a schema reduced to types, formats, enums, limits and the writable properties."""
        node = self._resolver.resolve(schema)
        members = node.get("properties", {})
        if members.keys() >= _UPLOAD:
            return {"type": "string", "format": "binary"}
        if self._comparison.is_any(node, above):
            return {}
        above = (*above, node)
        # Empty and zero values, such as a minimum of 0, are omitted, except defaults.
        shape = {key: node[key] for key in _KEPT if key in node and (node[key] or key == "default")}
        if node.get("nullable") and isinstance(shape.get("type"), str):
            shape["type"] = [shape["type"], "null"]
        if "items" in node:
            shape["items"] = self._shape(node["items"], above)
        if isinstance(node.get("additionalProperties"), Mapping):
            values = self._shape(node["additionalProperties"], above)
            # In `additionalProperties`, an object type without properties means any JSON value.
            if values and values != {"type": "object"}:
                shape["additionalProperties"] = values
        if "properties" in node:
            settable = {name: member for name, member in members.items() if not member.get("readOnly")}
            if len(settable) > _MAX_MEMBERS and any("properties" in outer for outer in above[:-1]):
                return shape
            shape["properties"] = {name: self._shape(member, above) for name, member in settable.items()}
        return shape

    def _result(self, operation: Mapping[str, Any]) -> Any:
        """Return the reduced schema of the first successful response."""
        for status, response in operation["responses"].items():
            for media_type, content in response.get("content", {}).items() if is_success(status) else ():
                if "schema" in content:
                    return self._resource(content["schema"], lists=True)
                if "json" in media_type:
                    return {}
        return "none"

    def _resource(self, schema: Schema, *, lists: bool = False) -> Any:
        node = self._resolver.resolve(schema)
        inside = {
            key: self._resource(member)
            for key, member in (node.get("properties", {}) if lists else {}).items()
            if "items" in member
        }
        found: dict[str, Any] = {"properties": inside} if inside else {}
        if "$ref" in schema:
            return {"$ref": resource_name(schema["$ref"]), **found}
        if "items" in node:
            found = {"items": self._resource(node["items"]), **found}
        return {**{key: node[key] for key in ("type", "format") if key in node}, **found}
