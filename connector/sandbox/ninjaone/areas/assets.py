"""Endpoints for devices without an agent (unmanaged, staged), and for relationships of assets."""

from __future__ import annotations

import time
from typing import Any

from connector.sandbox.ninjaone.api.collections import Collection, check_references
from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.api.operations import operation
from connector.sandbox.ninjaone.data.fleet import Facts
from connector.sandbox.ninjaone.data.seed import JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import invalid, not_found
from connector.sandbox.types import given

_ASSET_FIELDS = {
    "serialNumber": "itamAssetSerialNumber",
    "assetId": "itamAssetId",
    "assetStatus": "itamAssetStatus",
    "assetPurchaseDate": "itamAssetPurchaseDate",
    "assetPurchaseAmount": "itamAssetPurchaseAmount",
    "assetExpectedLifetime": "itamAssetExpectedLifetime",
}
"""The asset fields of requests, and the custom fields that store them."""


@operation("createUnmanagedDevicePublicApi")
def create_unmanaged(call: ApiCall) -> JSON:
    """Create an unmanaged device, which has no agent and is listed with the other devices."""
    number = _add(call, "UNMANAGED_DEVICE", "APPROVED")
    _describe(call.state, number, call.body)
    return {"nodeId": number}


@operation("createStagedDevice")
def create_staged(call: ApiCall) -> JSON:
    """Create a staged device, which waits for its agent."""
    role = call.state.role(call.body["roleId"])
    number = _add(call, role["nodeClass"], "STAGED")
    _describe(call.state, number, call.body)
    fields = given(call.body, *(name for name in call.body if name.startswith("itam")))
    call.state.custom_fields.setdefault(("device", number), {}).update(fields)
    return {"nodeId": number}


@operation("updateUnmanagedDevicePublicApi")
def update_unmanaged(call: ApiCall, node_id: int) -> None:
    """Change the device immediately, although the declared status is 202 (accepted)."""
    _unmanaged(call.state, node_id)
    _check(call.state, call.body)
    call.state.fleet.rename(node_id, call.body["name"])
    place = {"organizationId": call.body["orgId"], "locationId": call.body["locationId"]}
    call.state.fleet.change(node_id).fields |= place
    _describe(call.state, node_id, call.body)


@operation("deleteUnmanagedDevicePublicApi")
def delete_unmanaged(call: ApiCall, node_id: int) -> None:
    """Delete the device."""
    call.state.fleet.remove(_unmanaged(call.state, node_id))


@operation("decommissionUnmanagedDevicePublicApi")
def decommission_unmanaged(call: ApiCall, node_id: int) -> None:
    """Decommission the device, which can still be read."""
    call.state.fleet.change(_unmanaged(call.state, node_id)).status = "DECOMMISSIONED"


@operation("decommissionUnmanagedDevicePublicApiList")
def decommission_several(call: ApiCall) -> None:
    """Decommission devices, which can still be read; all or none."""
    for number in [_unmanaged(call.state, number) for number in call.body["nodeIds"]]:
        call.state.fleet.change(number).status = "DECOMMISSIONED"


def _unmanaged(state: State, number: int) -> int:
    if not state.fleet.added(number) or state.device(number).node_class != "UNMANAGED_DEVICE":
        raise not_found("unmanaged_device")
    return number


def _check(state: State, body: JSON) -> None:
    if not body["name"].strip():
        raise invalid("name", "text that is not blank")
    check_references(state, body)


def _add(call: ApiCall, node_class: str, status: str) -> int:
    body = call.body
    _check(call.state, body)
    facts = Facts(
        0, body["orgId"], body["locationId"], body["roleId"], node_class, status, False, time.time(), ()
    )
    number = call.state.fleet.add(body["name"], facts)
    call.state.record("SYSTEM", "NODE_CREATED", "Device created", device_id=number)
    return number


def _describe(state: State, number: int, body: JSON) -> None:
    """Return the owner, warranty and asset fields in a request."""
    changes = state.fleet.change(number)
    if body.get("assignedUserUid") is not None:
        owner = state.user_by_uid(body["assignedUserUid"])
        changes.fields["assignedOwnerUid"] = owner["uid"]
    dates = {"startDate": body.get("warrantyStartDate"), "endDate": body.get("warrantyEndDate")}
    dates = {name: value for name, value in dates.items() if value is not None}
    if dates:
        changes.warranty = (changes.warranty or {}) | dates
    given_fields = body.get("assetFields") or {}
    stored = state.custom_fields.setdefault(("device", number), {})
    stored |= {
        kept: given_fields[name] for name, kept in _ASSET_FIELDS.items() if given_fields.get(name) is not None
    }


def _relationship(number: int) -> JSON:
    ends: JSON = {"entityType": "NODE", "entityId": number}
    ends |= {"relEntityType": "NODE", "relEntityId": number + 1}
    return {"id": number, "typeId": 1 + number % 3, **ends}


def _type(number: int) -> JSON:
    return {"id": number, "name": ("Is connected to", "Is a part of", "Backs up")[number - 1]}


RELATIONSHIPS = Collection("asset_relationship", seed=_relationship)
TYPES = Collection("asset_relationship_type", count=3, seed=_type)
RELATIONSHIPS.serve(list="getAssetRelationships", create="createAssetRelationship")
TYPES.serve(list="getAssetRelationshipTypes", create="createAssetRelationshipType")


@operation("getAssetRelationshipsByEntity")
def get_relationships_of(call: ApiCall, entity_type: str, entity_id: int) -> list[JSON]:
    """Return the relationships of an entity, in both directions. The API document has no schema for them."""
    end = (entity_type.casefold(), entity_id)
    return [
        item
        for item in RELATIONSHIPS.items(call.state).values()
        if end in (_end(item, "entityType", "entityId"), _end(item, "relEntityType", "relEntityId"))
    ]


def _end(item: JSON, kind: str, number: str) -> tuple[str, Any]:
    return str(item.get(kind, "")).casefold(), item.get(number)


@operation("deleteAssetRelationship")
def delete_relationship(call: ApiCall) -> None:
    """Delete the newest relationship, because the request has no declared parameter to select one."""
    items = RELATIONSHIPS.items(call.state)
    if not items:
        raise not_found(RELATIONSHIPS.name)
    del items[max(items)]
