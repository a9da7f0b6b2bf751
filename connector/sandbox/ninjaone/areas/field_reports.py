"""Endpoints for reports of the custom field values of devices, organizations, locations and end users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from connector.sandbox.ninjaone.api.device_filter import device_filter
from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.api.operations import operation
from connector.sandbox.ninjaone.areas.fields import SECRET_TYPES, definition
from connector.sandbox.ninjaone.areas.reports import moment, paged
from connector.sandbox.ninjaone.data.seed import JSON

SCOPES = {"device": "NODE", "organization": "ORGANIZATION", "location": "LOCATION", "end_user": "END_USER"}
"""The key in the account's data for the values of each kind of entity, and the API's name for its scope."""


@operation("getCustomFieldsReport")
def custom_fields(call: ApiCall) -> JSON:
    """Return a page of the devices that have custom field values."""
    return paged(call, "getCustomFieldsReport", lambda: [*_devices(call, _values)])


@operation("getCustomFieldsDetailedReport")
def custom_fields_detailed(call: ApiCall) -> JSON:
    """Return a page of the devices that have custom field values, with the time when each value was set."""
    return paged(call, "getCustomFieldsDetailedReport", lambda: [*_devices(call, _details)])


@operation("getScopedCustomFieldsReport")
def scoped_custom_fields(call: ApiCall) -> JSON:
    """Return a page of the entities in the given scopes, with their custom field values."""
    return paged(call, "getScopedCustomFieldsReport", lambda: [*_scoped(call, _values)])


@operation("getScopedCustomFieldsDetailedReport")
def scoped_custom_fields_detailed(call: ApiCall) -> JSON:
    """Return a page of the entities in the given scopes, with the time when each value was set."""
    return paged(call, "getScopedCustomFieldsDetailedReport", lambda: [*_scoped(call, _details)])


Show = Callable[[ApiCall, str, int], Any]


def _devices(call: ApiCall, show: Show) -> Iterator[JSON]:
    keep = device_filter(call.query.get("df"))
    for entity, device_id in sorted(call.state.custom_fields):
        if entity != "device" or not call.state.fleet.exists(device_id):
            continue
        fields = show(call, entity, device_id) if keep(call.state.fleet.facts(device_id)) else None
        if fields:
            more = {"entityId": device_id, "entityType": "NODE"} if show is _details else {}
            yield {"deviceId": device_id, **more, "fields": fields}


def _scoped(call: ApiCall, show: Show) -> Iterator[JSON]:
    wanted = {part.strip().casefold() for part in call.query.get("scopes", "all").split(",")}
    for entity, entity_id in sorted(call.state.custom_fields):
        scope = SCOPES[entity]
        if "all" in wanted or scope.casefold() in wanted:
            fields = show(call, entity, entity_id)
            if fields:
                yield {"scope": scope, "entityId": entity_id, "fields": fields}


def _values(call: ApiCall, entity: str, entity_id: int) -> JSON:
    wanted = {part.strip() for part in call.query.get("fields", "").split(",") if part.strip()}
    since = moment(call.query["updatedAfter"], "updatedAfter") if "updatedAfter" in call.query else 0.0
    return {
        name: _readable(call, name, value)
        for name, value in call.state.custom_fields[entity, entity_id].items()
        if (not wanted or name in wanted) and _set_at(call, entity, entity_id, name) >= since
    }


def _details(call: ApiCall, entity: str, entity_id: int) -> list[JSON]:
    return [
        {"name": name, "value": value, "updateTime": at, "updated": at, "updatedBy": {"source": "API"}}
        for name, value in _values(call, entity, entity_id).items()
        for at in [_set_at(call, entity, entity_id, name)]
    ]


def _set_at(call: ApiCall, entity: str, entity_id: int, name: str) -> float:
    return call.state.field_times.get((entity, entity_id, name), 0.0)


def _readable(call: ApiCall, name: str, value: Any) -> Any:
    """Return a custom field's value, or asterisks if it is secret and was not requested."""
    found = definition(call.state, name)
    hidden = found is not None and found["type"] in SECRET_TYPES and not call.query.get("showSecureValues")
    return "********" if hidden else value
