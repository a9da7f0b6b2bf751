"""Endpoints for organizations, their locations, policy assignments and custom fields."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from connector.sandbox.ninjaone.api.endpoints import ApiCall, endpoint
from connector.sandbox.ninjaone.api.paging import AFTER, INHERITANCE, after_page
from connector.sandbox.ninjaone.areas.fields import check_values, note_times
from connector.sandbox.ninjaone.data.seed import JSON, SETTINGS, default_assignments
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import application_error, invalid
from connector.sandbox.types import INTEGER, MAP, TEXT, Array, Object, given, one_of

LOCATION_FIELDS = ("name", "address", "description", "userData")
ORGANIZATION_FIELDS = ("name", "description", "userData", "nodeApprovalMode")
"""The members of requests for organizations. `tags` and `fields` are from older API documents, and are
ignored."""

_LOCATION = Object({"name": TEXT, "address": TEXT, "description": TEXT, "userData": MAP})
_NEW_LOCATION = Object(_LOCATION.fields, required=("name",))
_ASSIGNMENT = Object({"nodeRoleId": INTEGER, "policyId": INTEGER}, required=("nodeRoleId", "policyId"))
_ORGANIZATION = Object(
    {
        "name": TEXT,
        "description": TEXT,
        "userData": MAP,
        "nodeApprovalMode": one_of("AUTOMATIC", "MANUAL", "REJECT"),
    }
)
_NEW_ORGANIZATION = Object(
    {**_ORGANIZATION.fields, "locations": Array(_NEW_LOCATION), "policies": Array(_ASSIGNMENT)},
    required=("name",),
)


@endpoint("GET", "/v2/organizations", "getOrganizations", query={**AFTER, "of": TEXT})
def get_organizations(call: ApiCall) -> list[JSON]:
    """Return a page of organizations."""
    return after_page((brief(organization) for organization in call.state.organizations.values()), call.query)


@endpoint("GET", "/v2/organizations-detailed", "getOrganizationsDetailed", query={**AFTER, "of": TEXT})
def get_organizations_detailed(call: ApiCall) -> list[JSON]:
    """Return a page of organizations with locations, policies and settings."""
    page = after_page(call.state.organizations.values(), call.query)
    return [detailed(call.state, organization) for organization in page]


@endpoint("GET", "/v2/organization/{id}", "getOrganization")
def get_organization(call: ApiCall, id: int) -> JSON:
    """Return one organization with locations, policies and settings."""
    return detailed(call.state, call.state.organization(id))


@endpoint(
    "POST",
    "/v2/organizations",
    "createOrganization",
    query={"templateOrganizationId": INTEGER},
    body=_NEW_ORGANIZATION,
)
def create_organization(call: ApiCall) -> JSON:
    """Create an organization. Values that are not given are taken from the template."""
    state, body = call.state, call.body
    template: JSON = {}
    if "templateOrganizationId" in call.query:
        template = state.organization(call.query["templateOrganizationId"])
    _check_name(state, body["name"], None)
    wanted = body.get("policies") or []
    _check_assignments(state, wanted)
    organization: JSON = {
        "id": max(state.organizations, default=0) + 1,
        "nodeApprovalMode": "AUTOMATIC",
        **given(body, *ORGANIZATION_FIELDS),
        "policies": copy.deepcopy(template.get("policies")) or default_assignments(),
        "settings": copy.deepcopy(template.get("settings") or SETTINGS),
    }
    _assign(organization, wanted)
    state.organizations[organization["id"]] = organization
    for location in body.get("locations") or [{"name": "Main Office"}]:
        _add_location(state, organization["id"], location)
    state.record("SYSTEM", "CLIENT_CREATED", f"Organization {organization['name']} created")
    return detailed(state, organization)


@endpoint("PATCH", "/v2/organization/{id}", "updateOrganization", body=_ORGANIZATION)
def update_organization(call: ApiCall, id: int) -> None:
    """Change the given fields of an organization."""
    organization = call.state.organization(id)
    changes = given(call.body, *ORGANIZATION_FIELDS)
    if "name" in changes:
        _check_name(call.state, changes["name"], id)
    organization |= changes
    call.state.record("SYSTEM", "CLIENT_UPDATED", f"Organization {organization['name']} updated")


@endpoint(
    "PUT",
    "/v2/organization/{id}/policies",
    "updateNodeRolePolicyAssignmentForOrganization",
    body=Array(_ASSIGNMENT),
)
def update_policies(call: ApiCall, id: int) -> list[int]:
    """Assign policies to roles, and return the ids of the devices whose policies change."""
    organization = call.state.organization(id)
    _check_assignments(call.state, call.body)
    before = {entry["nodeRoleId"]: entry["policyId"] for entry in organization["policies"]}
    _assign(organization, call.body)
    changed = {
        entry["nodeRoleId"] for entry in call.body if before.get(entry["nodeRoleId"]) != entry["policyId"]
    }
    if not changed:
        return []
    affected = call.state.fleet.matching(
        lambda facts: facts.organization_id == id and facts.role_id in changed
    )
    return [facts.id for facts in affected]


@endpoint("GET", "/v2/locations", "getLocations", query=AFTER)
def get_locations(call: ApiCall) -> list[JSON]:
    """Return a page of all locations with the id of their organization."""
    return after_page(call.state.locations.values(), call.query)


@endpoint("GET", "/v2/organization/{id}/locations", "getOrganizationLocations")
def get_organization_locations(call: ApiCall, id: int) -> list[JSON]:
    """Return the locations of one organization."""
    call.state.organization(id)
    return [_location(place) for place in call.state.locations_of(id)]


@endpoint("POST", "/v2/organization/{id}/locations", "createLocationForOrganization", body=_NEW_LOCATION)
def create_location(call: ApiCall, id: int) -> JSON:
    """Create a location."""
    call.state.organization(id)
    location = _add_location(call.state, id, call.body)
    call.state.record("SYSTEM", "LOCATION_CREATED", f"Location {location['name']} created")
    return _location(location)


@endpoint("PATCH", "/v2/organization/{id}/locations/{locationId}", "updateLocation", body=_LOCATION)
def update_location(call: ApiCall, id: int, location_id: int) -> JSON:
    """Change the given fields of a location."""
    location = call.state.location(id, location_id)
    location |= given(call.body, *LOCATION_FIELDS)
    call.state.record("SYSTEM", "LOCATION_UPDATED", f"Location {location['name']} updated")
    return _location(location)


@endpoint("GET", "/v2/organization/{id}/custom-fields", "getNodeCustomFields_1")
def get_organization_fields(call: ApiCall, id: int) -> JSON:
    """Return the custom fields of the organization that have a value."""
    call.state.organization(id)
    return call.state.custom_fields.get(("organization", id), {})


@endpoint("PATCH", "/v2/organization/{id}/custom-fields", "updateNodeAttributeValues_1", body=MAP)
def update_organization_fields(call: ApiCall, id: int) -> None:
    """Set custom fields of the organization; null removes a value."""
    call.state.organization(id)
    set_custom_fields(call.state, "organization", id, call.body)


@endpoint(
    "GET",
    "/v2/organization/{id}/location/{locationId}/custom-fields",
    "getNodeCustomFields_2",
    query=INHERITANCE,
)
def get_location_fields(call: ApiCall, id: int, location_id: int) -> JSON:
    """Return the custom fields of the location that have a value.

    On request, they include the values inherited from the organization.
    """
    call.state.location(id, location_id)
    own = call.state.custom_fields.get(("location", location_id), {})
    if call.query.get("withInheritance"):
        return call.state.custom_fields.get(("organization", id), {}) | own
    return own


@endpoint(
    "PATCH",
    "/v2/organization/{id}/location/{locationId}/custom-fields",
    "updateNodeAttributeValues_2",
    body=MAP,
)
def update_location_fields(call: ApiCall, id: int, location_id: int) -> None:
    """Set custom fields of the location; null removes a value."""
    call.state.location(id, location_id)
    set_custom_fields(call.state, "location", location_id, call.body)


def set_custom_fields(state: State, entity: str, entity_id: int, values: JSON) -> None:
    """Store the values of custom fields; null removes one. Fields need no definition."""
    check_values(state, values)
    note_times(state, entity, entity_id, values)
    stored = state.custom_fields.setdefault((entity, entity_id), {})
    stored |= values
    for name in [name for name, value in stored.items() if value is None]:
        del stored[name]


def brief(organization: JSON) -> JSON:
    """Return an organization as in lists (`Organization`)."""
    return {key: value for key, value in organization.items() if key not in ("policies", "settings")}


def detailed(state: State, organization: JSON) -> JSON:
    """Return an organization with its locations (`OrganizationDetailed`)."""
    return organization | {
        "locations": [_location(place) for place in state.locations_of(organization["id"])]
    }


def _location(stored: JSON) -> JSON:
    return {key: value for key, value in stored.items() if key != "organizationId"}


def _add_location(state: State, organization_id: int, fields: JSON) -> JSON:
    location: JSON = {"id": max(state.locations, default=0) + 1} | given(fields, *LOCATION_FIELDS)
    location["organizationId"] = organization_id
    state.locations[location["id"]] = location
    return location


def _check_name(state: State, name: str, own_id: int | None) -> None:
    if not name.strip():
        raise invalid("name", "text that is not blank")
    taken = (other for other in state.organizations.values() if other["id"] != own_id)
    if any(other["name"].casefold() == name.casefold() for other in taken):
        raise application_error(409, "organization_name_already_exists")


def _check_assignments(state: State, wanted: Iterable[JSON]) -> None:
    for assignment in wanted:
        state.role(assignment["nodeRoleId"])
        state.policy(assignment["policyId"])


def _assign(organization: JSON, wanted: Iterable[JSON]) -> None:
    merged: dict[Any, Any] = {entry["nodeRoleId"]: entry["policyId"] for entry in organization["policies"]}
    merged |= {entry["nodeRoleId"]: entry["policyId"] for entry in wanted}
    organization["policies"] = [{"nodeRoleId": role, "policyId": policy} for role, policy in merged.items()]
