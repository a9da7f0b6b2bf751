"""Lists the operations of an OpenAPI document, with references to parameters and bodies resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connector.authoring.openapi_references import Resolver, pointed

_METHODS = ("get", "post", "put", "patch", "delete")


def resolved_paths(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a document's paths in which all references except those to schemas are resolved.

    Each operation includes the parameters of its path. Schemas are not copied. Raises RunError for a
    reference that cannot be resolved.
    """
    follow = Resolver(lambda reference: pointed(document, reference)).follow

    def operation(item: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
        parameters = map(follow, (*item.get("parameters", ()), *found.get("parameters", ())))
        responses = {
            status: content(follow(response)) for status, response in found.get("responses", {}).items()
        }
        body = {"requestBody": content(follow(found["requestBody"]))} if "requestBody" in found else {}
        # A parameter of the operation overrides the path's parameter with the same name.
        by_place = {(parameter["in"], parameter["name"]): parameter for parameter in parameters}
        return {**found, "parameters": list(by_place.values()), "responses": responses, **body}

    def content(part: Mapping[str, Any]) -> dict[str, Any]:
        types = {media_type: dict(found) for media_type, found in part.get("content", {}).items()}
        return {**part, **({"content": types} if types else {})}

    paths = {}
    for path, item in document["paths"].items():
        item = follow(item)
        paths[path] = {method: operation(item, item[method]) for method in _METHODS if item.get(method)}
    return paths


def operations(paths: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (method, path, operation) for all operations in the result of `resolved_paths`."""
    for path, item in paths.items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def is_success(status: str) -> bool:
    """Return whether the status of a declared response is 2xx or `default`."""
    return status == "default" or status.startswith("2")
