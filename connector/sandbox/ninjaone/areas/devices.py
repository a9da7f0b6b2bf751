"""Endpoints for devices: lists, details, changes, approval, reboot, owner, custom fields, dashboard links."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice

from connector.sandbox.messages import ServerResponse
from connector.sandbox.ninjaone.api.device_filter import device_filter
from connector.sandbox.ninjaone.api.endpoints import ApiCall, endpoint
from connector.sandbox.ninjaone.api.paging import AFTER, DEFAULT_PAGE, INHERITANCE
from connector.sandbox.ninjaone.areas.organizations import set_custom_fields
from connector.sandbox.ninjaone.data.fleet import Facts
from connector.sandbox.ninjaone.data.references import expanded
from connector.sandbox.ninjaone.data.seed import JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import application_error
from connector.sandbox.types import BOOLEAN, INTEGER, MAP, NUMBER, TEXT, UUID, Array, Object, given, one_of

LINK_VALID_S = 600
"""The time for which a dashboard link is valid, in seconds."""


_EXPAND = {"expand": TEXT}
"""A parameter that instances accept but the API document lacks: comma-separated names of references."""


@endpoint("GET", "/v2/devices", "getDevices", query={**AFTER, "df": TEXT}, undeclared=_EXPAND)
def get_devices(call: ApiCall) -> list[JSON]:
    """Return a page of the devices that match the filter."""
    return _page(call, device_filter(call.query.get("df")), details=False)


@endpoint(
    "GET", "/v2/devices-detailed", "getDevicesDetailed", query={**AFTER, "df": TEXT}, undeclared=_EXPAND
)
def get_devices_detailed(call: ApiCall) -> list[JSON]:
    """Return a page of the devices that match the filter, with the data of their agents."""
    return _page(call, device_filter(call.query.get("df")), details=True)


@endpoint("GET", "/v2/organization/{id}/devices", "getOrganizationDevices", query=AFTER)
def get_organization_devices(call: ApiCall, id: int) -> list[JSON]:
    """Return a page of the approved devices of one organization."""
    call.state.organization(id)
    return _page(call, device_filter(f"org = {id}"), details=False)


def _page(call: ApiCall, keep: Callable[[Facts], bool], details: bool) -> list[JSON]:
    found = call.state.fleet.matching(keep, call.query.get("after", 0))
    expand = call.query.get("expand", "").split(",")
    return [
        expanded(call.state, call.state.node(facts, details), expand)
        for facts in islice(found, call.query.get("pageSize", DEFAULT_PAGE))
    ]


@endpoint("GET", "/v2/device/{id}", "getDevice")
def get_device(call: ApiCall, id: int) -> JSON:
    """Return one device with the data of its agent, its maintenance and its warranty."""
    return call.state.node(call.state.device(id), details=True)


_WARRANTY = Object({"startDate": NUMBER, "endDate": NUMBER, "manufacturerFulfillmentDate": NUMBER})
_DEVICE = Object(
    {
        "displayName": TEXT,
        "userData": MAP,
        "nodeRoleId": INTEGER,
        "policyId": INTEGER,
        "organizationId": INTEGER,
        "locationId": INTEGER,
        "warranty": _WARRANTY,
    }
)


@endpoint("PATCH", "/v2/device/{id}", "updateDevice", body=_DEVICE)
def update_device(call: ApiCall, id: int) -> None:
    """Change the given fields. If `policyId` is null, the policy of the role applies again."""
    state, facts = call.state, call.state.device(id)
    fields = given(
        call.body, "displayName", "userData", "nodeRoleId", "policyId", "organizationId", "locationId"
    )
    if "nodeRoleId" in fields:
        state.role(fields["nodeRoleId"])
    if "policyId" in fields:
        state.policy(fields["policyId"])
    fields |= _place(state, facts, fields)
    if "policyId" in call.body and call.body["policyId"] is None:
        fields["policyId"] = None
    changes = state.fleet.change(id)
    changes.fields |= fields
    if call.body.get("warranty") is not None:
        changes.warranty = (changes.warranty or {}) | given(call.body["warranty"], *_WARRANTY.fields)
    state.record("SYSTEM", "NODE_UPDATED", "Device updated", device_id=id)


def _place(state: State, facts: Facts, fields: JSON) -> JSON:
    """Return the new organization and location of a device.

    Without a location, it is the first location of the organization.
    """
    organization_id = fields.get("organizationId", facts.organization_id)
    state.organization(organization_id)
    if "locationId" in fields:
        state.location(organization_id, fields["locationId"])
        return {}
    if organization_id == facts.organization_id:
        return {}
    return {"locationId": state.locations_of(organization_id)[0]["id"]}


@endpoint(
    "POST",
    "/v2/devices/approval/{mode}",
    "nodeApprovalOperation",
    path_types={"mode": one_of("APPROVE", "REJECT")},
    body=Object({"devices": Array(INTEGER)}, required=("devices",)),
)
def approve_devices(call: ApiCall, mode: str) -> None:
    """Approve pending devices, or reject and delete them; all or none."""
    for device_id in call.body["devices"]:
        if call.state.device(device_id).status != "PENDING" and mode == "REJECT":
            raise application_error(400, "device_already_approved")
    for device_id in dict.fromkeys(call.body["devices"]):
        if mode == "APPROVE":
            call.state.fleet.change(device_id).status = "APPROVED"
            call.state.record("SYSTEM", "NODE_MANUALLY_APPROVED", "Device approved", device_id=device_id)
        else:
            call.state.fleet.remove(device_id)
            call.state.record("SYSTEM", "NODE_MANUALLY_REJECTED", "Device rejected", device_id=device_id)


@endpoint(
    "POST",
    "/v2/device/{id}/reboot/{mode}",
    "rebootDevices",
    path_types={"mode": one_of("NORMAL", "FORCED")},
    body=Object({"reason": TEXT}),
    body_required=False,
)
def reboot_device(call: ApiCall, id: int, mode: str) -> None:
    """Restart the device: afterwards, its last boot time is set, and an activity records it."""
    facts = call.state.device(id)
    params = {"mode": mode, **given(call.body or {}, "reason")}

    def end(succeeds: bool) -> None:
        if not succeeds:  # A device that does not restart records nothing.
            return
        call.state.fleet.change(id).booted = time.time()
        call.state.record(
            "SYSTEM",
            "SYSTEM_REBOOTED",
            "System rebooted",
            device_id=id,
            activityResult="SUCCESS",
            data={"message": {"code": "system_rebooted", "params": params}},
        )

    call.state.orders.begin(facts, end)


@endpoint("POST", "/v2/device/{id}/owner/{ownerUid}", "setDeviceOwner", path_types={"ownerUid": UUID})
def set_device_owner(call: ApiCall, id: int, owner_uid: str) -> None:
    """Set the owner of the device."""
    call.state.device(id)
    owner = call.state.user_by_uid(owner_uid)
    _release(call.state, id)
    owner["assignedDeviceIds"].append(id)
    call.state.fleet.change(id).fields["assignedOwnerUid"] = owner["uid"]


@endpoint("DELETE", "/v2/device/{id}/owner", "removeDeviceOwner")
def remove_device_owner(call: ApiCall, id: int) -> None:
    """Remove the owner of the device, if there is one."""
    call.state.device(id)
    _release(call.state, id)
    call.state.fleet.change(id).fields["assignedOwnerUid"] = None


def _release(state: State, device_id: int) -> None:
    for user in state.users.values():
        if device_id in user["assignedDeviceIds"]:
            user["assignedDeviceIds"].remove(device_id)


@endpoint("GET", "/v2/device/{id}/custom-fields", "getNodeCustomFields", query=INHERITANCE)
def get_device_fields(call: ApiCall, id: int) -> JSON:
    """Return the device's custom fields that have a value.

    On request, they include the values inherited from its location and organization.
    """
    facts, stored = call.state.device(id), call.state.custom_fields
    inherited: JSON = {}
    if call.query.get("withInheritance"):
        inherited |= stored.get(("organization", facts.organization_id), {})
        inherited |= stored.get(("location", facts.location_id), {})
    return inherited | stored.get(("device", id), {})


@endpoint("PATCH", "/v2/device/{id}/custom-fields", "updateNodeAttributeValues", body=MAP)
def update_device_fields(call: ApiCall, id: int) -> None:
    """Set custom fields of the device; null removes a value."""
    call.state.device(id)
    set_custom_fields(call.state, "device", id, call.body)


@endpoint("GET", "/v2/device/{id}/dashboard-url", "getDeviceLink", query={"redirect": BOOLEAN})
def get_device_link(call: ApiCall, id: int) -> JSON | ServerResponse:
    """Return a link to the device's dashboard, or with `redirect` a 302 to it."""
    call.state.device(id)
    url = f"{call.base_url}/#/deviceDashboard/{id}/overview"
    if call.query.get("redirect"):
        return ServerResponse(302, {"Location": url})
    return {"url": url, "expires": time.time() + LINK_VALID_S}
