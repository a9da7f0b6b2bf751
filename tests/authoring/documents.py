"""OpenAPI documents in the forms in which vendors serve them: with references, repeated in place, as YAML.

`built()` returns a complete document of the vendor's API, generated from the catalog's facts.
"""

from __future__ import annotations

import copy
from typing import Any

import yaml

from connector.authoring.openapi_names import KnownApi

SCHEMAS = "#/components/schemas/"
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _WithoutAliases(_Dumper):  # type: ignore[misc]
    def ignore_aliases(self, data: Any) -> bool:
        return True


def as_yaml(document: Any) -> str:
    """Return a document as YAML, its statuses as bare numbers."""
    text: str = yaml.dump(document, Dumper=_WithoutAliases, sort_keys=False, allow_unicode=True)
    return text.replace("'200':", "200:")


def inlined(document: Any) -> Any:
    """Return the document with a copy of the schema in place of each reference, except to an outer schema."""

    def expanded(value: Any, above: tuple[str, ...] = ()) -> Any:
        if isinstance(value, list):
            return [expanded(item, above) for item in value]
        if not isinstance(value, dict):
            return value
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return {key: expanded(item, above) for key, item in value.items()}
        if reference in above:
            return dict(value)
        found = document
        for name in reference[2:].split("/"):
            found = found[name.replace("~1", "/")]
        return expanded(found, (*above, reference))

    return {**copy.deepcopy(document), "paths": expanded(document["paths"])}


def built(known: KnownApi) -> Any:
    """Return a document of exactly the known facts, with a reference to each resource."""
    paths: dict[str, Any] = {}
    for name, facts in known.operations.items():
        paths.setdefault(facts["path"], {})[facts["method"].lower()] = _operation(name, facts)
    schemas = {name: _published(schema) for name, schema in known.resources.items()}
    return {"openapi": "3.0.1", "info": {"version": "1"}, "paths": paths, "components": {"schemas": schemas}}


def _operation(name: str, facts: Any) -> Any:
    parameters = [
        {
            "name": n,
            "in": p["in"],
            "required": p["required"],
            "schema": _published(p, drop=("in", "required")),
        }
        for n, p in facts["parameters"].items()
    ]
    operation = {
        "operationId": name,
        "tags": ["area"],
        "parameters": parameters,
        "responses": _responses(facts),
    }
    if facts["body"]:
        content = {media_type: {"schema": _published(shape)} for media_type, shape in facts["body"].items()}
        required = {"required": True} if facts.get("required_body") else {}
        operation["requestBody"] = {"content": content, **required}
    return operation


def _responses(facts: Any) -> Any:
    responses: dict[str, Any] = {status: {"description": "Prose."} for status in facts["statuses"]}
    result = facts["result"]
    if result != "none":
        success = next(status for status in responses if status[0] in "2d")
        schema = {"schema": _published(result)} if result else {}
        responses[success] = {"content": {"application/json": schema}}
    return responses


def _published(value: Any, drop: tuple[str, ...] = ()) -> Any:
    """Return a schema of ours, or of the facts, in the form of a vendor's document."""
    if isinstance(value, list):
        return [_published(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return {"$ref": SCHEMAS + value["$ref"].rpartition("/")[2].removesuffix(".json")}
    names = {"x-enum": "enum", "x-type": "type"}
    published = {
        names.get(key, key): _members(item) if key == "properties" else _published(item)
        for key, item in value.items()
        if key not in ("$schema", "$id", *drop)
    }
    types = published.get("type")
    if isinstance(types, list):
        published |= {"type": types[0], "nullable": True}
    return published


def _members(properties: Any) -> Any:
    return {name: _published(member) for name, member in properties.items()}
