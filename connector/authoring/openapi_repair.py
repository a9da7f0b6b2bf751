"""Repair OpenAPI documents that violate the OpenAPI specification in known ways."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connector.authoring.openapi_operations import is_success
from connector.catalog.service import Service

_METHODS = ("get", "post", "put", "patch", "delete")
_TYPES: dict[str, dict[str, Any]] = {
    "bool": {"type": "boolean"},
    "char": {"type": "string"},
    "datetime": {"type": "string", "format": "date-time"},
    "decimal": {"type": "number"},
    "double": {"type": "number"},
    "float": {"type": "number"},
    "guid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer"},
    "int32": {"type": "integer"},
    "int64": {"type": "integer", "format": "int64"},
    "long": {"type": "integer", "format": "int64"},
    "short": {"type": "integer"},
}
"""The types of programming languages that some documents use, and the JSON Schema of each."""
_STANDARD = {"array", "boolean", "integer", "null", "number", "object", "string"}
_VALUES = ("default", "enum", "example", "examples")
"""The JSON Schema keywords whose values contain no schemas."""
_LIST = re.compile(r"(?:List|IList|IEnumerable|ICollection)<(.+)>|(.+)\[\]")
_SAME_BODY = ("application/json-patch+json", "text/json", "application/*+json")
"""The media types that ASP.NET declares for every JSON body, in addition to `application/json`."""


def repaired(document: Mapping[str, Any], service: Service) -> dict[str, Any]:
    """Return a copy of a document with JSON Schema types, complete operationIds, and full paths.

    If `service.document_responses` is false, every successful response without content gets JSON content of
    an unknown type.
    """
    prefix = service.document_prefix
    found: dict[str, Any] = _with_types(document)
    found["paths"] = {_full(path, prefix): item for path, item in found["paths"].items()}
    taken = {operation["operationId"] for _, _, operation in _operations(found) if "operationId" in operation}
    for method, path, operation in _operations(found):
        if "operationId" not in operation:
            operation["operationId"] = _unused(_operation_id(method, path.removeprefix(prefix)), taken)
        _drop_repeated_bodies(operation)
    if not service.document_responses:
        _publish_responses(found)
    return found


def _full(path: str, prefix: str) -> str:
    return path if not prefix or path.startswith(f"{prefix}/") else prefix + path


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if isinstance(item, dict) and isinstance(item.get(method), dict):
                yield method, path, item[method]


def _with_types(node: Any, *, is_map: bool = False) -> Any:
    """Return a copy of a JSON value in which each schema has a JSON Schema type.

    `is_map` is true if the keys of `node` are property names instead of keywords.
    """
    if isinstance(node, list):
        return [_with_types(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    copy = {key: _inside(key, value, is_map=is_map) for key, value in node.items()}
    name = None if is_map else node.get("type")
    if isinstance(name, str) and name not in _STANDARD:
        del copy["type"]
        copy |= _standard(name)
    return copy


def _inside(key: str, value: Any, *, is_map: bool) -> Any:
    if key in _VALUES and not is_map:
        return value
    return _with_types(value, is_map=key == "properties" and not is_map)


def _standard(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a programming language's type; `{}` for an unknown type."""
    if listed := _LIST.fullmatch(name):
        return {"type": "array", "items": _standard(listed[1] or listed[2])}
    return _TYPES.get(name.lower(), {"type": name} if name in _STANDARD else {})


def _operation_id(method: str, path: str) -> str:
    """Return an operationId such as `getClient` or `deleteClientById`."""
    words = [
        "By" + _capital(part[1:-1]) if part.startswith("{") else _capital(part)
        for part in path.split("/")
        if part
    ]
    return method + re.sub(r"\W", "", "".join(words))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _unused(name: str, taken: set[str]) -> str:
    number = 1
    while (found := name if number == 1 else f"{name}{number}") in taken:
        number += 1
    taken.add(found)
    return found


def _drop_repeated_bodies(operation: dict[str, Any]) -> None:
    contents = operation.get("requestBody", {}).get("content", {})
    for media_type in _SAME_BODY:
        if media_type in contents and contents[media_type] == contents.get("application/json"):
            del contents[media_type]


def _publish_responses(document: dict[str, Any]) -> None:
    for _, _, operation in _operations(document):
        for status, response in operation.get("responses", {}).items():
            if is_success(str(status)) and "$ref" not in response and not response.get("content"):
                response["content"] = {"application/json": {}}
