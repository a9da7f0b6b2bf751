"""Endpoints for software licenses and their assignments."""

from __future__ import annotations

import time
from typing import Any

from connector.sandbox.ninjaone.api.collections import Collection, shown
from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.api.operations import operation
from connector.sandbox.ninjaone.data.generated import make
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.types import given


def _seed(number: int) -> JSON:
    license: JSON = make("SoftwareLicenseDTO", number)
    scope = {"global": True, "organizationIds": [], "locationIds": []}
    people = [_assignment(number * 10 + index, f"person{index}@example.com") for index in (1, 2)]
    license |= {"name": f"Example Suite {number}", "scope": scope, "licenseAssignmentList": people}
    license |= {"quantity": 10 * number, "currentUsage": len(people)}
    bought = int(EPOCH - 86_400.0 * number) * 1000  # in milliseconds
    return license | {"purchaseDate": bought, "daysToExpire": 365, "expired": False}


def _assignment(number: int, name: str) -> JSON:
    return {"licenseeId": number, "licenseeName": name, "licenseeOrganizationId": 1}


def _settle(call: ApiCall, item: JSON, body: JSON) -> None:
    """Complete a license: its publisher, its vendor, and the users who were assigned or removed."""
    scope = item.get("scope") or {}
    for number in scope.get("organizationIds") or []:
        call.state.organization(number)
    for kind in ("publisher", "vendor"):
        number = item.get(f"{kind}Id")
        item[kind] = {"id": number, "name": f"Example {kind} {number}"}
    _assign(item, [str(number) for number in body.get("assignedLicenses") or []], "person")
    gone = {str(number) for number in body.get("unassignedLicenses") or []}
    _unassign(item, gone)


def _assign(item: JSON, names: list[str], word: str = "") -> None:
    people = item.setdefault("licenseAssignmentList", [])
    known = {person["licenseeName"] for person in people}
    for name in names:
        number = int(name) if name.isdecimal() else 1000 + len(people)
        called = f"{word} {name}".strip()
        if called not in known:
            people.append(_assignment(number, called))


def _unassign(item: JSON, names: set[str]) -> None:
    item["licenseAssignmentList"] = [
        person
        for person in item.get("licenseAssignmentList", [])
        if person["licenseeName"] not in names and str(person["licenseeId"]) not in names
    ]


LICENSES = Collection("software_license", "SoftwareLicenseDTO", seed=_seed, settle=_settle)
LICENSES.serve(create="create", get="getById", update="update", delete="delete")
_SETTABLE = (
    *("name", "description", "type", "quantity", "currentUsage"),
    *("note", "scope", "purchaseDate", "term"),
)


@operation("getSoftwareLicenses")
def get_licenses(call: ApiCall) -> list[JSON]:
    """Return all licenses. The API document has no schema for them."""
    return list(LICENSES.items(call.state).values())


@operation("getSoftwareLicenseAssignments")
def get_assignments(call: ApiCall, license_id: int) -> list[JSON]:
    """Return the assignments of a license. The API document has no schema for them."""
    return list(LICENSES.find(call.state, license_id).get("licenseAssignmentList", []))


@operation("upsert")
def upsert(call: ApiCall) -> JSON:
    """Create a license, or change the one with the same name.

    Organizations and people are given by name.
    """
    state, body = call.state, call.body
    fields = given(body, "name", "description", "type", "quantity", "currentUsage", "note")
    fields |= {"scope": _scope(state, body["scope"])}
    if body.get("date") is not None:
        fields["purchaseDate"] = body["date"]
    found = next((item for item in LICENSES.items(state).values() if item["name"] == body["name"]), None)
    if found is None:
        found = LICENSES.add(state, fields, (*_SETTABLE, "licenseAssignmentList"))
    LICENSES.change(found, fields)
    for kind in ("publisher", "vendor"):
        found[kind] = {**found.get(kind, {}), "name": body[f"{kind}Name"]}
    if body.get("currentLicensees") is not None:
        found["licenseAssignmentList"] = []
    _assign(found, [*(body.get("currentLicensees") or []), *(body.get("licenseesToAssign") or [])])
    _unassign(found, set(body.get("licenseesToRemove") or []))
    return shown(found, "SoftwareLicenseDTO")


def _scope(state: State, wanted: JSON) -> JSON:
    organizations = {item["name"]: number for number, item in state.organizations.items()}
    locations = {item["name"]: number for number, item in state.locations.items()}
    return {
        "global": bool(wanted.get("global")),
        "organizationIds": [_named(organizations, name) for name in wanted.get("organizationNames") or []],
        "locationIds": [_named(locations, name) for name in wanted.get("locationNames") or []],
    }


def _named(known: dict[str, Any], name: str) -> Any:
    if name not in known:
        raise LICENSES.missing("license_scope")
    return known[name]


@operation("updateSoftwareLicenseAssignmentLastUsage")
def update_last_usage(call: ApiCall) -> JSON:
    """Return the body unchanged. The API document declares no members, and no operation returns them."""
    return {**call.body, "updateTime": time.time()}
