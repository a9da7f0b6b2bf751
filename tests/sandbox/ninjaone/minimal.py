"""The smallest valid request of an operation, and invalid ones, from the published facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from connector.sandbox.ninjaone.api.operations import json_type, operations

from .bodies import REQUESTER

UID = "00000000-0000-4000-a000-000000000000"

PATHS: dict[str, Any] = {
    "policy_id": 51,
    "ticketId": 1001,
    "scan-group-id": 301,
    "serviceId": "Spooler",
    "fieldName": "rack",
    "roleId": 1,
    "getTabHierarchyForRole.roleId": 201,
    "getTabSummaryForRole.roleId": 201,
    "updateRoleCustomTabsOrder.roleId": 201,
    "updateCustomTabsDisplay.roleId": 201,
    "getEndUser.id": 5,
    "patchEndUser.id": 5,
    "deleteEndUser.id": 5,
    "patchEndUserDeviceAccess.id": 5,
    "getNodeCustomFields_3.id": 5,
    "updateNodeAttributeValues_3.id": 5,
    "getOrganizationLocationUsage.id": 1,
    "ownerUid": REQUESTER,
    "nodeId": 401,
    "getCustomFieldsPolicyCondition.condition_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "getWindowsEventPolicyCondition.condition_id": "3d813cbb-47fb-32ba-91df-831e1593ac29",
    "deletePolicyCondition.condition_id": "3d813cbb-47fb-32ba-91df-831e1593ac29",
    "downloadRelatedItemAttachment.relatedItemId": 2,
}
"""Path values other than 1, by the parameter's name or by operation and name."""


def fact_of_body(operation: str) -> tuple[str, Any]:
    """Return the media type and the published schema of the body, empty without a body."""
    return next(iter(operations()[operation]["body"].items()), ("", {}))


def value(fact: Any) -> Any:
    """Return the smallest valid value."""
    kind = json_type(fact)
    if "enum" in fact:
        return next(entry for entry in fact["enum"] if entry is not None)
    if kind == "object":
        return {name: value(fact["properties"][name]) for name in fact.get("required", ())}
    if kind == "array":
        return [value(fact["items"])]
    if kind == "string":
        return UID if fact.get("format") == "uuid" else "example"
    return {"integer": fact.get("minimum", 1), "number": 1.5, "boolean": True}[kind]


def path_values(operation: str) -> dict[str, Any]:
    """Return a value for each placeholder."""
    return {
        name: PATHS.get(f"{operation}.{name}", PATHS.get(name, value(fact)))
        for name, fact in operations()[operation]["parameters"].items()
        if fact["in"] == "path"
    }


def path(operation: str, **changes: Any) -> str:
    """Return the path with its values."""
    values = path_values(operation) | changes
    return re.sub(r"\{([^}]+)\}", lambda found: str(values[found[1]]), operations()[operation]["path"])


def wrong_values(fact: Any) -> Iterator[Any]:
    """Return JSON values that the published type or enum excludes."""
    kind = json_type(fact)
    if not kind:
        return
    yield {"integer": "1x", "number": "x", "boolean": "yes", "string": 7, "array": {}, "object": []}[kind]
    if "enum" in fact:
        yield "NO_SUCH_VALUE"
    if kind == "array" and json_type(fact.get("items", {})):
        yield [next(wrong_values(fact["items"]))]
    if kind == "integer" and "maximum" in fact:
        yield fact["maximum"] + 1
    if kind == "string" and "maxLength" in fact:
        yield "x" * (fact["maxLength"] + 1)


def wrong_texts(fact: Any) -> Iterator[str]:
    """Return path or query texts that the published type or enum excludes."""
    kind = json_type(fact)
    if "enum" in fact:
        yield "NO_SUCH_VALUE"
    elif kind in ("integer", "boolean"):
        yield "1x"
    elif fact.get("format") == "uuid":
        yield "no-uuid"
    if kind == "integer" and "maximum" in fact:
        yield str(fact["maximum"] + 1)
