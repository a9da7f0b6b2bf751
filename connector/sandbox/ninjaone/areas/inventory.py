"""Endpoints for devices: decommissioning, patches, jobs, policy overrides, groups, search, last user."""

from __future__ import annotations

from functools import partial
from typing import Any

from connector.sandbox.ninjaone.api.device_filter import GROUPS, device_filter
from connector.sandbox.ninjaone.api.endpoints import ENDPOINTS, ApiCall
from connector.sandbox.ninjaone.api.operations import endpoint_of, operation
from connector.sandbox.ninjaone.areas.reports import has_agent, overrides
from connector.sandbox.ninjaone.data.fleet import Facts
from connector.sandbox.ninjaone.data.generated import make
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON, uid
from connector.sandbox.ninjaone.data.state import MANY, State
from connector.sandbox.ninjaone.errors import application_error, not_found


@operation("decommissionDevice")
def decommission(call: ApiCall, id: int) -> None:
    """Decommission the device. Lists of approved devices then omit it."""
    call.state.device(id)
    call.state.fleet.change(id).status = "DECOMMISSIONED"
    call.state.record("SYSTEM", "NODE_DELETED", "Device decommissioned", device_id=id)


def _patch(system: bool, action: str, call: ApiCall, id: int) -> None:
    """Start a scan, or apply patches. Raises HttpError 400 if the device has no such patches."""
    facts = call.state.device(id)
    if not has_agent(call.state, facts) or (not system and facts.node_class.startswith("LINUX")):
        raise application_error(400, "FAILURE", "not applicable")
    kind = "PATCH_MANAGEMENT" if system else "SOFTWARE_PATCH_MANAGEMENT"
    code = f"{kind}_{action}{'_PATCH' if action == 'APPLY' else ''}"
    series = call.state.fresh_uid()

    def record(event: str, **more: Any) -> None:
        message = f"{action.capitalize()} of patches {event.lower()}"
        call.state.record(kind, f"{code}_{event}", message, device_id=id, seriesUid=series, **more)

    def end(succeeds: bool) -> None:
        record("COMPLETED", activityResult="SUCCESS" if succeeds else "FAILURE")

    if call.state.orders.is_started(facts):
        record("STARTED")
    call.state.orders.begin(facts, end)


@operation("getPolicyOverrides")
def get_overrides(call: ApiCall, id: int) -> JSON:
    """Return the policy settings that are overridden on the device."""
    return {"overrides": overrides(call.state, call.state.device(id))}


@operation("resetPolicyOverrides")
def reset_overrides(call: ApiCall, id: int) -> None:
    """Remove all policy overrides of the device."""
    call.state.device(id)
    call.state.fleet.change(id).overrides_reset = True


@operation("getDeviceLastLoggedOnUser")
def get_last_user(call: ApiCall, id: int) -> JSON:
    """Return the user who logged on last."""
    call.state.device(id)
    return dict(make("LoggedOnUser", id * 16))


def _jobs(state: State) -> list[JSON]:
    """Return the running jobs of all devices. Every fifth device has one."""
    kinds = ("ACTION", "PATCH_MANAGEMENT", "CONDITION_ACTION")
    return [
        {
            "uid": uid(state.seed, 51, number),
            "deviceId": number,
            "message": "Example job",
            "createTime": EPOCH - 600.5,
            "updateTime": EPOCH - 60.5,
            "jobStatus": "IN_PROCESS",
            "jobType": kinds[number % len(kinds)],
            "subject": f"Job of device {number}",
            "data": {},
        }
        for number in range(2, min(state.fleet.count, 5 * MANY) + 1, 5)
        if state.fleet.exists(number)
    ]


@operation("getActiveJobs")
def get_jobs(call: ApiCall) -> list[JSON]:
    """Return the running jobs of the devices that match the filter."""
    keep, wanted = device_filter(call.query.get("df")), call.query.get("jobType")
    fleet = call.state.fleet
    return [
        job
        for job in _jobs(call.state)
        if wanted in (None, job["jobType"]) and keep(fleet.facts(job["deviceId"]))
    ]


@operation("getDeviceActiveJobs")
def get_device_jobs(call: ApiCall, id: int) -> list[JSON]:
    """Return the running jobs of one device."""
    call.state.device(id)
    return [job for job in _jobs(call.state) if job["deviceId"] == id]


@operation("getGroups")
def get_groups(call: ApiCall) -> list[JSON]:
    """Return the saved groups with their numbers of devices."""
    return [
        {
            "id": number,
            "name": name,
            "description": f"Saved search: {text}",
            "shared": True,
            "created": EPOCH - 9_000_000.0,
            "updated": EPOCH - 900_000.0,
            "deviceCount": len(_members(call.state, number)),
            "lastEvaluated": EPOCH - 900.0,
        }
        for number, (name, text) in GROUPS.items()
    ]


@operation("getGroupDeviceIds")
def get_group_members(call: ApiCall, id: int) -> list[int]:
    """Return the ids of the devices in a group."""
    if id not in GROUPS:
        raise not_found("group")
    return _members(call.state, id)


def _members(state: State, number: int) -> list[int]:
    return [facts.id for facts in state.fleet.matching(device_filter(GROUPS[number][1]))]


@operation("search")
def search(call: ApiCall) -> JSON:
    """Return the approved devices whose names contain the searched words, with the matching texts."""
    words = call.query.get("q", "")
    limit: int = call.query.get("limit", 100)
    found: list[JSON] = []
    for facts in call.state.fleet.matching(device_filter(None)):
        if len(found) >= limit:
            break
        match = _match(call.state, facts, words)
        if match:
            found.append(call.state.node(facts) | match)
    return {"query": words, "devices": found}


def _match(state: State, facts: Facts, words: str) -> dict[str, Any] | None:
    node = state.node(facts)
    for name in ("systemName", "displayName", "dnsName"):
        if words and words.casefold() in str(node.get(name, "")).casefold():
            return {"matchAttr": name, "matchAttrValue": node[name], "score": 100}
    return None


for _name, _system, _action in (
    ("submitOSPatchApply", True, "APPLY"),
    ("submitOSPatchScan", True, "SCAN"),
    ("submitSoftwarePatchApply", False, "APPLY"),
    ("submitSoftwarePatchScan", False, "SCAN"),
):
    ENDPOINTS.add(endpoint_of(_name, partial(_patch, _system, _action)))
