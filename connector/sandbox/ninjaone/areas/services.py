"""Endpoints for Windows services of devices. Devices with other operating systems have none."""

from __future__ import annotations

from connector.sandbox.ninjaone.api.endpoints import ApiCall, endpoint
from connector.sandbox.ninjaone.data.seed import JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import not_found
from connector.sandbox.types import TEXT, Object, given, one_of

START_TYPES = ("AUTO_START", "AUTO_START_DELAYED", "BOOT_START", "DEMAND_START", "DISABLED", "SYSTEM_START")
STATES = (
    "UNKNOWN",
    "STOPPED",
    "START_PENDING",
    "RUNNING",
    "STOP_PENDING",
    "PAUSE_PENDING",
    "PAUSED",
    "CONTINUE_PENDING",
)
_AFTERWARDS = {"START": "RUNNING", "RESTART": "RUNNING", "STOP": "STOPPED", "PAUSE": "PAUSED"}

_SERVICES = (
    ("Dnscache", "DNS Client", "AUTO_START", "RUNNING"),
    ("LanmanServer", "Server", "AUTO_START", "RUNNING"),
    ("Spooler", "Print Spooler", "AUTO_START", "RUNNING"),
    ("W32Time", "Windows Time", "DEMAND_START", "STOPPED"),
    ("WinRM", "Windows Remote Management", "DISABLED", "STOPPED"),
    ("wuauserv", "Windows Update", "DEMAND_START", "STOPPED"),
)


def services(state: State, device_id: int) -> dict[str, JSON]:
    """Return the device's current services (`WindowsService`), keyed by name."""
    if not state.device(device_id).node_class.startswith("WINDOWS"):
        return {}
    changed = state.fleet.changes(device_id).services
    return {
        name: {
            "name": name,
            "displayName": display,
            "startType": start_type,
            "userName": "LocalSystem",
            "state": running,
            **changed.get(name, {}),
        }
        for name, display, start_type, running in _SERVICES
    }


@endpoint(
    "GET",
    "/v2/device/{id}/windows-services",
    "getDeviceServices",
    query={"name": TEXT, "state": one_of(*STATES)},
)
def get_services(call: ApiCall, id: int) -> list[JSON]:
    """Return the device's services, or those with a name or in a state."""
    return [
        service
        for service in services(call.state, id).values()
        if call.query.get("name", service["name"]).casefold() == service["name"].casefold()
        and call.query.get("state", service["state"]) == service["state"]
    ]


@endpoint(
    "POST",
    "/v2/device/{id}/windows-service/{serviceId}/control",
    "controlWindowsService",
    path_types={"serviceId": TEXT},
    body=Object({"action": one_of(*_AFTERWARDS)}, required=("action",)),
)
def control_service(call: ApiCall, id: int, service_id: str) -> None:
    """Start, stop, pause or restart a service; a disabled service does not start."""
    facts, service = call.state.device(id), _service(call.state, id, service_id)
    action = call.body["action"]
    is_possible = service["startType"] != "DISABLED" or action not in ("START", "RESTART")
    series = call.state.fresh_uid()
    params = {"service": service["name"], "action": action}
    data = {"message": {"code": "windows_service_control", "params": params}}
    message = f"{action} of service {service['name']}"
    call.state.record(
        "REMOTE_TOOLS",
        "REMOTE_TOOLS_SERVICE_CONTROL_INITIATED",
        message,
        device_id=id,
        seriesUid=series,
        data=data,
    )

    def end(succeeds: bool) -> None:
        if succeeds:
            _change(call.state, id, service, {"state": _AFTERWARDS[action]})
        if action != "PAUSE":  # The API document has no code for the outcome of a pause.
            call.state.record(
                "REMOTE_TOOLS",
                f"REMOTE_TOOLS_{action}_SERVICE_{'SUCCESS' if succeeds else 'FAILED'}",
                message,
                device_id=id,
                seriesUid=series,
                activityResult="SUCCESS" if succeeds else "FAILURE",
                data=data,
            )

    call.state.orders.begin(facts, end, succeeds=is_possible)


@endpoint(
    "POST",
    "/v2/device/{id}/windows-service/{serviceId}/configure",
    "setWindowsServiceConfiguration",
    path_types={"serviceId": TEXT},
    body=Object({"startType": one_of(*START_TYPES), "userName": TEXT}),
)
def configure_service(call: ApiCall, id: int, service_id: str) -> None:
    """Change the start type and the user of the service."""
    facts, service = call.state.device(id), _service(call.state, id, service_id)

    def end(succeeds: bool) -> None:
        if succeeds:
            _change(call.state, id, service, given(call.body, "startType", "userName"))
        call.state.record(
            "REMOTE_TOOLS",
            f"REMOTE_TOOLS_START_TYPE_CHANGE_{'SUCCESS' if succeeds else 'FAILED'}",
            f"Configuration of service {service['name']}",
            device_id=id,
            seriesUid=call.state.fresh_uid(),
            activityResult="SUCCESS" if succeeds else "FAILURE",
        )

    call.state.orders.begin(facts, end)


def _service(state: State, device_id: int, service_id: str) -> JSON:
    for service in services(state, device_id).values():
        if service["name"].casefold() == service_id.casefold():
            return service
    raise not_found("windows_service")


def _change(state: State, device_id: int, service: JSON, fields: JSON) -> None:
    changed = state.fleet.change(device_id).services
    changed[service["name"]] = changed.get(service["name"], {}) | fields
