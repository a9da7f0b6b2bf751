"""Which schema of `schemas/ninjaone/` each operation's 2xx JSON answer must pass, and how it is checked.

Beyond plain validation, an answer of the sandbox may use no enum value and no field that is not published:
the schemas are open for what a live instance may add, not for what the sandbox could misspell.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators
from referencing import Registry, Resource

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"

OBJECTS = {
    "addUserRoleMembers": "UserRole",
    "createLocationForOrganization": "Location",
    "createOrganization": "OrganizationDetailed",
    "fetchScanGroupById": "PublicScanGroup",
    "getActivities": "ActivitiesResponse",
    "getDevice": "Device",
    "getDeviceActivities": "NodeActivitiesResponse",
    "getDeviceLink": "DeviceLink",
    "getInstaller": "Link",
    "getInstallerForLocation": "Link",
    "getNodeCustomFields": "CustomFieldValues",
    "getNodeCustomFields_1": "CustomFieldValues",
    "getNodeCustomFields_2": "CustomFieldValues",
    "getOrganization": "OrganizationDetailed",
    "getTicketById": "TicketDTO",
    "getTicketsByBoard": "TicketDashboardPublicApiDTO",
    "removeUserRoleMembers": "UserRole",
    "requestScriptingOptions": "DeviceScriptingOptions",
    "updateLocation": "Location",
    "updateScanGroup": "PublicScanGroup",
}
LISTS = {
    "fetchAllScanGroups": "PublicScanGroup",
    "getAlerts": "Alert",
    "getAllStatuses": "TicketStatusPublicApiDTO",
    "getAutomationScripts": "AutomationScript",
    "getBoards": "TicketingBoardPublicApiDTO",
    "getDeviceAlerts": "Alert",
    "getDeviceServices": "WindowsService",
    "getDevices": "NodeWithDetailedReferences",
    "getDevicesDetailed": "Device",
    "getLocations": "LocationWithOrganizationRef",
    "getNodeRoles_1": "NodeRole",
    "getOrganizationDevices": "NodeWithDetailedReferences",
    "getOrganizationLocations": "Location",
    "getOrganizations": "Organization",
    "getOrganizationsDetailed": "OrganizationDetailed",
    "getPolicies": "Policy",
    "getTicketLogEntriesByTicketId": "TicketLogEntryPublicApiDTO",
    "getUserRoles": "UserRole",
    "getUsers": "User",
}
INTEGERS = {"updateNodeRolePolicyAssignmentForOrganization"}
"""Operations that answer with a bare array of ids."""
LIVE_FIELDS = {"os", "system", "memory", "processors", "volumes", "lastLoggedInUser"}
"""What live answers to getDevice have beyond the published fields (FACTS.md H)."""


def _retrieve(uri: str) -> Resource[Any]:
    return Resource.from_contents(json.loads((SCHEMAS / uri).read_text(encoding="utf-8")))


def _published_value(
    validator: Any, values: list[Any], instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if instance not in values:
        yield ValidationError(f"{instance!r} is no published value")


def _published_fields(validator: Any, fields: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict) and "additionalProperties" not in schema:
        for name in set(instance) - set(fields) - LIVE_FIELDS:
            yield ValidationError(f"{name!r} is no published field of {schema.get('title')}")
    yield from Draft202012Validator.VALIDATORS["properties"](validator, fields, instance, schema)


_Strict = validators.extend(
    Draft202012Validator, {"x-enum": _published_value, "properties": _published_fields}
)
_formats = FormatChecker(())


@_formats.checks("uuid", ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(uuid.UUID(value)) == value


def schema_of(operation: str) -> dict[str, Any] | None:
    """The schema of the operation's answer; None when it has no JSON answer."""
    if operation in INTEGERS:
        return {"type": "array", "items": {"type": "integer"}}
    if operation in LISTS:
        return {"type": "array", "items": {"$ref": f"ninjaone/{LISTS[operation]}.json"}}
    if operation in OBJECTS:
        return {"$ref": f"ninjaone/{OBJECTS[operation]}.json"}
    return None


@cache
def _validator(operation: str) -> Any:
    return _Strict(schema_of(operation), registry=Registry(retrieve=_retrieve), format_checker=_formats)


def check_result(operation: str, value: Any) -> None:
    """Raise when the value is not what the operation answers with."""
    assert schema_of(operation) is not None, f"{operation} is not known to answer with JSON"
    _validator(operation).validate(value)
