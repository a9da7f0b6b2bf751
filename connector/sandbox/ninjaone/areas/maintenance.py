"""Endpoints for maintenance windows of devices."""

from __future__ import annotations

import time

from connector.sandbox.ninjaone.api.endpoints import ApiCall, endpoint
from connector.sandbox.ninjaone.errors import application_error
from connector.sandbox.types import TEXT, TIME, Array, Object, epoch_seconds, one_of

_MAINTENANCE = Object(
    {
        "disabledFeatures": Array(one_of("ALERTS", "PATCHING", "AVSCANS", "TASKS")),
        "start": TIME,
        "end": TIME,
        "reasonMessage": TEXT,
    },
    required=("end",),
)
"""The times of a window are declared as numbers, but described as ISO 8601 or epoch; both are accepted."""


@endpoint("PUT", "/v2/device/{id}/maintenance", "updateDeviceMaintenance", body=_MAINTENANCE)
def schedule_maintenance(call: ApiCall, id: int) -> None:
    """Set the maintenance window. Without a start, it begins now."""
    body, now = call.body, time.time()
    call.state.device(id)
    start = now if body.get("start") is None else epoch_seconds(body["start"])
    end = epoch_seconds(body["end"])
    if end <= now or end <= start:
        raise application_error(400, "node_maintenance_date_in_past")
    window = {"start": start, "end": end}
    if body.get("reasonMessage") is not None:
        window["reasonMessage"] = body["reasonMessage"]
    call.state.fleet.change(id).maintenance = window
    # no declared response has the disabled features, so they are added to the activity
    params = {"disabledFeatures": body.get("disabledFeatures") or [], **window}
    call.state.record(
        "SYSTEM",
        "NODE_UPDATED",
        "Maintenance scheduled",
        device_id=id,
        data={"message": {"code": "maintenance_scheduled", "params": params}},
    )


@endpoint("DELETE", "/v2/device/{id}/maintenance", "cancelDeviceMaintenance")
def cancel_maintenance(call: ApiCall, id: int) -> None:
    """End the maintenance window, if there is one."""
    call.state.device(id)
    call.state.fleet.change(id).maintenance = None
    call.state.record("SYSTEM", "NODE_UPDATED", "Maintenance cancelled", device_id=id)
