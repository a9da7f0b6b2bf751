"""Operations that the API document lacks: their paths and paging are known, but not their operationIds.

The members of a location are invented; it is only known that times are epoch seconds.
"""

from __future__ import annotations

from connector.sandbox.ninjaone.api.endpoints import ApiCall, endpoint
from connector.sandbox.ninjaone.areas.reports import paged
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON
from connector.sandbox.types import INTEGER, MAP, TEXT

LOCATIONS = 30
"""The number of locations that are recorded for each device."""
INTERVAL_S = 3600.0


@endpoint("GET", "/v2/system/custom-fields", "getSystemCustomFields")
def get_system_fields(call: ApiCall) -> JSON:
    """Return the custom field values that apply to the whole account."""
    return call.state.system_fields


@endpoint("PATCH", "/v2/system/custom-fields", "updateSystemCustomFields", body=MAP)
def update_system_fields(call: ApiCall) -> None:
    """Set custom field values of the account; null removes one."""
    fields = call.state.system_fields | call.body
    call.state.system_fields = {name: value for name, value in fields.items() if value is not None}


@endpoint(
    "GET",
    "/v2/device/{id}/geolocation/history",
    "getDeviceGeolocationHistory",
    query={"cursor": TEXT, "pageSize": INTEGER},
)
def get_geolocation_history(call: ApiCall, id: int) -> JSON:
    """Return the device's locations page by page, newest first."""
    call.state.device(id)
    return paged(call, "getDeviceGeolocationHistory", lambda: [_location(id, n) for n in range(LOCATIONS)])


def _location(device_id: int, number: int) -> JSON:
    return {
        "latitude": round(52.5 + device_id % 90 / 1000 + number / 10_000, 6),
        "longitude": round(13.4 + device_id % 70 / 1000 - number / 10_000, 6),
        "timestamp": EPOCH - number * INTERVAL_S,
    }
