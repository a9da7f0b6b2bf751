"""Endpoints for running scripts on devices, and for the library of automation scripts."""

from __future__ import annotations

from connector.sandbox.ninjaone.api.endpoints import ApiCall, endpoint
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON, uid
from connector.sandbox.ninjaone.errors import application_error, invalid, not_found
from connector.sandbox.types import INTEGER, TEXT, UUID, Object, given, one_of

_CATEGORIES = [
    {"id": 1, "name": "Uncategorized", "internal": False},
    {"id": 2, "name": "Upkeep", "internal": True},
]
_LIBRARY = (
    (1, "Clear temporary files", "powershell", "Windows"),
    (2, "Restart print queue", "batchfile", "Windows"),
    (3, "Rotate logs", "sh", "Linux"),
    (4, "Flush name cache", "sh", "Mac"),
    (5, "Report disk usage", "python", "All"),
)
_WRITES_FIELD = "Report disk usage"
"""The script that sets the custom field `lastCheck` of the device to the time of its end."""
_BUILT_IN = ("Clean browser caches", "Check disk health")
"""The names of built-in actions, which have a uid instead of an id."""
ROLES = {
    "Windows": ["system", "loggedonuser", "SR_LOCAL_ADMINISTRATOR", "SR_DOMAIN_ADMINISTRATOR"],
    "Mac": ["system", "loggedonuser", "SR_MAC_SCRIPT"],
    "Linux": ["system", "SR_LINUX_SCRIPT"],
}
"""The values of `runAs` for each operating system. They are case-sensitive."""
_CREDENTIALS = [{"id": 26, "name": "Service account", "type": "BASIC"}]


def action_uid(number: int) -> str:
    """Return the uid of the built-in action with this number (from 0). It is the same in every sandbox."""
    return uid(0, 16, number)


@endpoint("GET", "/v2/automation/scripts", "getAutomationScripts", query={"lang": TEXT})
def get_scripts(call: ApiCall) -> list[JSON]:
    """Return the library of automation scripts."""
    return [
        {
            "id": number,
            "name": name,
            "description": f"Example script {number}",
            "active": True,
            "language": language,
            "architecture": ["32", "64"],
            "operatingSystems": ["Windows", "Mac", "Linux"] if system == "All" else [system],
            "scriptParameters": [],
            "scriptVariables": [],
            "createdBy": "Example Author",
            "lastUpdatedBy": "Example Author",
            "createdOn": EPOCH - 9_000_000.0,
            "updatedOn": EPOCH - 900_000.0,
        }
        for number, name, language, system in _LIBRARY
    ]


@endpoint("GET", "/v2/device/{id}/scripting/options", "requestScriptingOptions", query={"lang": TEXT})
def get_options(call: ApiCall, id: int) -> JSON:
    """Return the scripts and actions for the operating system of the device, and the values of `runAs`."""
    system = _system(call.state.device(id).node_class)
    scripts: list[JSON] = [
        {
            "type": "SCRIPT",
            "id": number,
            "name": name,
            "language": language,
            "architecture": ["64"],
            "categoryId": 1,
        }
        for number, name, language, runs_on in _LIBRARY
        if runs_on in (system, "All")
    ]
    scripts += [
        {"type": "ACTION", "uid": action_uid(number), "name": name, "language": "native", "categoryId": 2}
        for number, name in enumerate(_BUILT_IN)
    ]
    credentials = {"roles": ROLES[system], "credentials": _CREDENTIALS}
    return {"categories": _CATEGORIES, "scripts": scripts, "credentials": credentials}


@endpoint(
    "POST",
    "/v2/device/{id}/script/run",
    "runScriptOnDevice",
    body=Object(
        {
            "type": one_of("ACTION", "SCRIPT"),
            "id": INTEGER,
            "uid": UUID,
            "parameters": TEXT,
            "runAs": TEXT,
        },
        required=("type",),
    ),
)
def run_script(call: ApiCall, id: int) -> None:
    """Run the script on any system; the activities of its start and its end have the same series."""
    facts = call.state.device(id)
    name = _script_name(call.body)
    run_as = call.body.get("runAs")
    allowed = {role for roles in ROLES.values() for role in roles} | {
        str(entry["id"]) for entry in _CREDENTIALS
    }
    if run_as is not None and run_as not in allowed:
        raise application_error(400, "invalid_run_as")
    params = {"action_name": name, **given(call.body, "parameters", "runAs")}
    common: JSON = {
        "seriesUid": call.state.fresh_uid(),
        "sourceConfigUid": call.body["uid"].lower() if call.body["type"] == "ACTION" else None,
        "sourceName": f"Run: {name}",
        "subject": name,
    }

    def record(code: str, result: str | None = None, **more: str) -> None:
        call.state.record(
            "ACTION",
            code,
            f"Action Run: {name} {code.lower()}",
            device_id=id,
            activityResult=result,
            data={"message": {"code": f"action_{code.lower()}", "params": params | more}},
            **common,
        )

    record("STARTED" if call.state.orders.is_started(facts) else "START_REQUESTED")

    def end(succeeds: bool) -> None:
        if succeeds and name == _WRITES_FIELD:
            values = call.state.custom_fields.setdefault(("device", id), {})
            values["lastCheck"] = int(call.state.clock() * 1000)
        record("COMPLETED", "SUCCESS" if succeeds else "FAILURE", exit_code="0" if succeeds else "1")

    call.state.orders.begin(facts, end)


def _script_name(body: JSON) -> str:
    """Return the name of a built-in action by its uid, or of a script by its id."""
    if body["type"] == "ACTION":
        if body.get("uid") is None:
            raise invalid("uid", "a value, for type ACTION")
        known = {action_uid(number): name for number, name in enumerate(_BUILT_IN)}
        if body["uid"].lower() not in known:
            raise not_found("action")
        return known[body["uid"].lower()]
    if body.get("id") is None:
        raise invalid("id", "a value, for type SCRIPT")
    for number, name, _, _ in _LIBRARY:
        if number == body["id"]:
            return name
    raise not_found("script")


def _system(node_class: str) -> str:
    return node_class.split("_")[0].capitalize()
