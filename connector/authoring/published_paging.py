"""Find the pager of a service for an operation, by the operation's parameters and response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.authoring.openapi_facts import body_shape
from connector.catalog.service import Pager, Service


def find_pager(facts: Mapping[str, Any], service: Service) -> Pager | None:
    """Return the pager that fits the operation's parameters and response; None if none fits."""
    result = facts["result"]
    for pager in service.pagers.values():
        items = result if isinstance(result, Mapping) else {}
        if pager.items:
            items = items.get("properties", {}).get(pager.items, {})
        if items.get("type") == "array" and all(_takes(facts, target) for target in _targets(pager)):
            return pager
    return None


def paging_parameters(facts: Mapping[str, Any], service: Service) -> list[str]:
    """Return the names of the operation's parameters that a pager of the service sends."""
    targets = {target for pager in service.pagers.values() for target in _targets(pager)}
    return sorted(target.partition(".")[2] for target in targets if _takes(facts, target))


def _targets(pager: Pager) -> list[str]:
    return [target for target in (pager.send, pager.size, *pager.always) if target]


def _takes(facts: Mapping[str, Any], target: str) -> bool:
    place, _, name = target.partition(".")
    if place == "query":
        return bool(facts["parameters"].get(name, {}).get("in") == "query")
    return name in (body_shape(facts) or {}).get("properties", {})
