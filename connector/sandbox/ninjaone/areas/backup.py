"""Endpoints for backup: jobs, integrity checks, usage and bandwidth throttles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from connector.sandbox.ninjaone.api.device_filter import device_filter
from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.api.operations import operation
from connector.sandbox.ninjaone.areas.reports import has_agent, paged
from connector.sandbox.ninjaone.data.fleet import Facts
from connector.sandbox.ninjaone.data.generated import make
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON, mix, uid
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import invalid, invalid_filter
from connector.sandbox.types import epoch_seconds

_STATUSES = ("COMPLETED", "COMPLETED", "FAILED", "RUNNING", "PROCESSING", "CANCELED")
_PLANS = ("IMAGE", "FILE_FOLDER")
JOBS_OF_A_DEVICE = 2
DEFAULT_PAGE = 10_000

Test = Callable[[JSON], bool]


@operation("getBackupJobs")
def get_jobs(call: ApiCall) -> JSON:
    """Return a page of the backup jobs that match the filters."""
    return _jobs(call, "getBackupJobs", _backups)


@operation("getIntegrityCheckJobs")
def get_integrity_checks(call: ApiCall) -> JSON:
    """Return a page of the integrity check jobs, including those that requests have started."""
    return _jobs(call, "getIntegrityCheckJobs", _checks)


def _jobs(call: ApiCall, name: str, of_device: Callable[[State, Facts], list[JSON]]) -> JSON:
    if call.query.get("include", "active") not in ("active", "deleted", "all"):
        raise invalid("include", "active, deleted or all")
    if call.query.get("include") == "deleted":  # the sandbox has no backups of deleted devices
        return {"results": []}
    keep, tests = device_filter(call.query.get("df")), list(job_tests(call.query))
    if "pageSize" not in call.query:
        call = replace(call, query={**call.query, "pageSize": DEFAULT_PAGE})

    def rows() -> list[Any]:
        return [
            job
            for facts in call.state.fleet.matching(keep)
            if has_agent(call.state, facts)
            for job in of_device(call.state, facts)
            if all(test(job) for test in tests)
        ]

    return paged(call, name, rows)


def _backups(state: State, facts: Facts) -> list[JSON]:
    return [_job(state, facts, number) for number in range(JOBS_OF_A_DEVICE)]


def _job(state: State, facts: Facts, number: int) -> JSON:
    key = facts.id * JOBS_OF_A_DEVICE + number
    spread = mix(state.seed, 61, key)
    status, start = _STATUSES[spread % len(_STATUSES)], EPOCH - 3600.0 * (spread % 700)
    ended = {"jobEndTime": start + 1800.5} if status in ("COMPLETED", "FAILED", "CANCELED") else {}
    return {
        "jobId": uid(state.seed, 62, key),
        "deviceId": facts.id,
        "organizationId": facts.organization_id,
        "locationId": facts.location_id,
        "jobStatus": status,
        "jobStartTime": start,
        **ended,
        "destination": "CLOUD",
        "planGuid": uid(state.seed, 63, number),
        "planName": ("Nightly image", "Nightly files")[number],
        "planType": _PLANS[number],
        "filesUploaded": spread % 1000,
        "totalActualStorageBytes": 8_589_934_592,
        "totalStoredBytes": 4_294_967_296,
    }


def _checks(state: State, facts: Facts) -> list[JSON]:
    own = [_job(state, facts, 0)] if facts.id % 4 == 1 else []
    own = [{**job, "jobId": uid(state.seed, 64, facts.id), "sourceJobId": job["jobId"]} for job in own]
    return own + [job for job in _submitted(state).values() if job["deviceId"] == facts.id]


def _submitted(state: State) -> dict[Any, JSON]:
    return state.store.setdefault("integrity_check_job", {})


@operation("submitIntegrityCheckJob")
def submit_integrity_check(call: ApiCall) -> JSON:
    """Start an integrity check of a device's backups."""
    for name in ("deviceId", "planUid"):
        if call.body.get(name) is None:
            raise invalid(name, "a value")
    facts = call.state.device(call.body["deviceId"])
    job = _job(call.state, facts, 0) | {"jobId": call.state.fresh_uid(), "planGuid": call.body["planUid"]}
    job |= {"jobStatus": "RUNNING", "sourceJobId": job["jobId"]}
    job.pop("jobEndTime", None)
    _submitted(call.state)[job["jobId"]] = job
    return {
        "deviceId": facts.id,
        "jobUid": job["jobId"],
        "planGuid": job["planGuid"],
        "planName": job["planName"],
        "planType": job["planType"],
        "result": "SUCCESS",
    }


def job_tests(query: Any) -> Iterator[Test]:
    """Yield the tests of a job for the filters `sf`, `ptf` and `stf`.

    Raises HttpError 500 for an invalid filter, as for `df`.
    """
    for name, key, member in (("sf", "status", "jobStatus"), ("ptf", "planType", "planType")):
        if name in query:
            yield _among(query[name], key, member)
    if "stf" in query:
        yield _started(query["stf"])


def _among(text: str, key: str, member: str) -> Test:
    found = re.fullmatch(rf"{key}\s*(?:=\s*(\w+)|in\s*\(([^)]*)\))", text.strip())
    if found is None:
        raise invalid_filter(text)
    wanted = {part.strip() for part in (found[1] or found[2]).split(",")}
    return lambda job: job[member] in wanted


def _started(text: str) -> Test:
    one = re.fullmatch(r"startTime\s+(after|before)\s+(\S+)", text.strip())
    if one:
        sign, bound = (1 if one[1] == "after" else -1), _moment(one[2], text)
        return lambda job: sign * (job["jobStartTime"] - bound) > 0
    both = re.fullmatch(r"startTime\s+between\s*\(\s*(\S+?)\s*,\s*(\S+?)\s*\)", text.strip())
    if both is None:
        raise invalid_filter(text)
    low, high = _moment(both[1], text), _moment(both[2], text)
    return lambda job: bool(low <= job["jobStartTime"] <= high)


def _moment(text: str, whole: str) -> float:
    try:
        return epoch_seconds(text)
    except ValueError:
        raise invalid_filter(whole) from None


@operation("getDeviceUsage")
def get_usage(call: ApiCall) -> JSON:
    """Return a page of the devices with the sizes of their backups."""

    def show(device_id: int) -> JSON:
        node = call.state.node(call.state.fleet.facts(device_id))
        throttle = call.state.fleet.changes(device_id).throttle
        references = node.get("references", {}) | {"backupUsage": make("BackupUsage", device_id)}
        return node | {"references": references | ({"backupBandwidthThrottle": throttle} if throttle else {})}

    def rows() -> list[int]:
        return [facts.id for facts in call.state.fleet.matching(device_filter(None))]

    return paged(call, "getDeviceUsage", rows, show)


@operation("getOrganizationLocationUsage")
def get_usage_by_location(call: ApiCall, id: str) -> list[JSON]:
    """Return the size of the backups at each location of an organization, whose id is text."""
    if not id.isdecimal():
        raise invalid("id", "int32")
    organization = call.state.organization(int(id))
    return [_usage(organization, place) for place in call.state.locations_of(int(id))]


@operation("getLocationUsage")
def get_usage_of_location(call: ApiCall, id: int, location_id: int) -> JSON:
    """Return the size of the backups at a location."""
    return _usage(call.state.organization(id), call.state.location(id, location_id))


def _usage(organization: JSON, place: JSON) -> JSON:
    summary: JSON = make("LocationBackupUsageSummary", place["id"])
    return summary | {
        "locationId": place["id"],
        "locationName": place["name"],
        "locationDescription": place.get("description", ""),
        "organizationId": organization["id"],
        "organizationName": organization["name"],
    }


@operation("setBandwidthThrottleForDevice")
def set_throttle(call: ApiCall) -> None:
    """Set the bandwidth limit of backups. The usage report shows it."""
    if call.body.get("deviceId") is None:
        raise invalid("deviceId", "a value")
    call.state.device(call.body["deviceId"])
    call.state.fleet.change(call.body["deviceId"]).throttle = call.body.get("bandwidthThrottle")
