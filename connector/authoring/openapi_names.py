"""Replace inline schemas in an OpenAPI document by references to known resources.

A resource is recognized in the responses of known operations, and elsewhere by its properties.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.authoring.openapi_operations import is_success, operations, resolved_paths
from connector.authoring.openapi_references import (
    SITE_KEYWORDS,
    Comparison,
    Place,
    Resolver,
    Schema,
    inner_schemas,
    pointed,
    put_inner,
)
from connector.authoring.openapi_schemas import resource_name
from connector.common.package_data import schema, schemas_folder

_RESOURCES = "#/components/x-resources/"
_FEW = 2
"""The minimum number of properties of a schema that is recognized by its properties alone."""
_FACTS = "operations"
_LEFT_OUT = ("properties", "items", "additionalProperties", "allOf", "anyOf", "oneOf", "description", "title")


@dataclass(frozen=True)
class KnownApi:
    """The saved facts about a vendor's API: `operations` (see `Facts`) and `resources` (JSON Schemas).

    With `is_partial`, the facts cover only the operations that actions use.
    """

    operations: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    is_partial: bool = False


def known_api(service: str) -> KnownApi:
    """Return the facts in the folder `schemas/<service>/`; empty if the folder does not exist."""
    names = sorted(path.stem for path in (schemas_folder() / service).glob("*.json"))
    facts = schema(f"{service}/{_FACTS}.json") if _FACTS in names else {"operations": {}}
    resources = {name: schema(f"{service}/{name}.json") for name in names if name != _FACTS}
    return KnownApi(facts["operations"], resources, facts.get("partial", False))


def with_known_names(document: Mapping[str, Any], known: KnownApi) -> dict[str, Any]:
    """Return a copy in which responses refer to known resources in place of inline schemas.

    A document with named schemas and one with the same schemas inline give the same result. References to
    other schemas are replaced by the schemas. Raises RunError for a reference that cannot be resolved.
    """
    return _Names(document, known).named()


class _Names:
    def __init__(self, document: Mapping[str, Any], known: KnownApi) -> None:
        self._document, self._known = document, known
        self._resolver = Resolver(lambda reference: pointed(document, reference))
        self._ours = Resolver(lambda reference: known.resources.get(resource_name(reference), {}))
        self._within = Comparison(self._resolver, self._resolver)
        self._with_ours = Comparison(self._ours, self._resolver)
        self._candidates: dict[str, list[Schema]] = {}
        """The schemas in the document where known operations return a resource, keyed by resource name."""
        self._versions: dict[str, Schema] = {}
        """The schema in the document that is chosen for each resource name."""

    def named(self) -> dict[str, Any]:
        paths = resolved_paths(self._document)
        contents = [found for _, _, operation in operations(paths) for found in self._contents(operation)]
        for guide, content in contents:
            self._collect(guide, content["schema"])
        for name, candidates in self._candidates.items():
            if candidates:
                self._versions[name] = self._version(name, candidates)
        for guide, content in contents:
            content["schema"] = self._expanded(guide, content["schema"], ())
        resources = {
            name: self._rebuilt({"$ref": name}, version, (version,))
            for name, version in self._versions.items()
        }
        components = {**self._document.get("components", {}), "x-resources": resources}
        return {**self._document, "paths": paths, "components": components}

    def _contents(self, operation: Mapping[str, Any]) -> Iterator[tuple[Schema | None, dict[str, Any]]]:
        """Yield (known result schema or None, response content) for each response content with a schema."""
        result = self._known.operations.get(operation["operationId"], {}).get("result")
        for status, response in operation.get("responses", {}).items():
            guide = result if is_success(status) and isinstance(result, Mapping) and result else None
            for content in response.get("content", {}).values():
                if "schema" in content:
                    yield guide, content

    def _collect(self, guide: Schema | None, schema_: Schema) -> None:
        if guide is None:
            return
        node = self._resolver.resolve(schema_)
        if "$ref" in guide:
            name = resource_name(guide["$ref"])
            candidates = self._candidates.setdefault(name, [])
            if any(node is found for found in candidates) or not self._is_version(name, node):
                return
            candidates.append(node)
        guides = self._inner_guides(guide)
        for place, inner in inner_schemas(node):
            self._collect(guides.get(place), inner)

    def _inner_guides(self, guide: Schema | None) -> dict[Place, Schema]:
        return dict(inner_schemas(self._ours.resolve(guide))) if guide else {}

    def _is_version(self, name: str, node: Schema) -> bool:
        """Return whether a schema is probably a (changed) version of a known resource."""
        if name not in self._known.resources:
            return True
        members = self._ours.resolve({"$ref": name}).get("properties", {}).keys()
        others = node.get("properties", {}).keys()
        return len(members & others) * 2 >= min(len(members), len(others)) and bool(members) == bool(others)

    def _is_known(self, name: str, node: Schema) -> bool:
        corrected = self._known.resources.get(name, {}).get("x-corrected", ())
        return self._with_ours.same({"$ref": name}, node, frozenset(corrected))

    def _version(self, name: str, candidates: list[Schema]) -> Schema:
        """Return the candidate schema that equals the known resource, or else the most common candidate."""

        def rank(candidate: Schema) -> tuple[bool, int]:
            same = sum(self._within.same(candidate, other) for other in candidates)
            return self._is_known(name, candidate), same

        return max(candidates, key=rank)

    def _expanded(self, guide: Schema | None, schema_: Schema, above: tuple[Schema, ...]) -> dict[str, Any]:
        """Return a schema with references to known resources, and with all other references resolved."""
        node = self._resolver.resolve(schema_)
        name = self._name(guide, node)
        if name:
            return {"$ref": _RESOURCES + name}
        if self._within.is_any(node, above):
            return {}
        return self._rebuilt(guide, node, (*above, node))

    def _name(self, guide: Schema | None, node: Schema) -> str | None:
        """Return the name of the resource with the same schema; None if there is none."""
        if guide is not None and "$ref" not in guide:
            return None
        names: list[str] = [resource_name(guide["$ref"])] if guide else []
        if len(node.get("properties", {})) >= _FEW:
            names += self._versions
        for name in names:
            version = self._versions.get(name)
            if version and self._within.same(node, version, frozenset(SITE_KEYWORDS)):
                return name
        return None

    def _rebuilt(self, guide: Schema | None, node: Schema, above: tuple[Schema, ...]) -> dict[str, Any]:
        rebuilt = {key: value for key, value in node.items() if key not in _LEFT_OUT}
        guides = self._inner_guides(guide)
        if isinstance(node.get("additionalProperties"), bool):
            rebuilt["additionalProperties"] = node["additionalProperties"]
        for place, inner in inner_schemas(node):
            put_inner(rebuilt, place, self._expanded(guides.get(place), inner, above))
        return rebuilt
