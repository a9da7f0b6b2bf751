"""The JSON Schemas of results as components of an OpenAPI 3.1 document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.catalog.coercion import declared_types
from connector.common.package_data import schema

_OF_A_FILE = ("$id", "$schema", "$comment")
_OMITTED = (*_OF_A_FILE, "format")
"""Keys that components do not have. The APIs do not keep to the declared formats: a size exceeds int32, and a
date-time has no time."""
ENVELOPE = "Envelope"


class ResultSchemas:
    """Collects the schemas to which results refer, as components by name."""

    def __init__(self) -> None:
        self.components: dict[str, Any] = {}

    def envelope(self, result: Any) -> dict[str, Any]:
        """Return the schema of an envelope whose result is null or matches `result`."""
        own = self._linked(result, "") if isinstance(result, Mapping) and result else None
        reference = {"$ref": f"#/components/schemas/{ENVELOPE}"}
        if own is None:
            return reference
        succeeded = {"properties": {"has_error": {"const": False}}}
        typed = {"properties": {"result": {"anyOf": [own, {"type": "null"}]}}}
        return {"allOf": [reference, {"if": succeeded, "then": typed}]}

    def _linked(self, value: Any, folder: str) -> Any:
        """Return a schema whose references are to components, which are added."""
        if isinstance(value, list):
            return [self._linked(item, folder) for item in value]
        if not isinstance(value, Mapping):
            return value
        linked = {k: self._linked(v, folder) for k, v in value.items() if not _is_omitted(k, v)}
        if "array" in declared_types(linked):
            linked.setdefault("items", {})  # some importers refuse an array without it
        if isinstance(value.get("$ref"), str):
            linked["$ref"] = f"#/components/schemas/{self._component(value['$ref'], folder)}"
        return linked

    def _component(self, reference: str, folder: str) -> str:
        path = reference if "/" in reference else f"{folder}/{reference}"
        name = path.removesuffix(".json").replace("/", ".")
        if name not in self.components:
            self.components[name] = {}  # added before its references, which can lead back to it
            self.components[name] = self._linked(schema(path), path.rpartition("/")[0])
        return name


def _is_omitted(key: str, said: Any) -> bool:
    return key in _OMITTED and isinstance(said, str)  # otherwise, it is the name of a property


def envelope_schema() -> dict[str, Any]:
    """Return the schema of an envelope, without the names of a file."""
    return {name: said for name, said in schema("envelope.schema.json").items() if name not in _OF_A_FILE}
