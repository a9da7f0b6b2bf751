"""Endpoints for query reports: rows of each device that matches a filter, read page by page.

All pages are from one snapshot. The lists of one device (its disks, its software, ...) have the same rows,
without the device's id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from connector.sandbox.ninjaone.api.cursors import cursor_page, snapshot_of
from connector.sandbox.ninjaone.api.device_filter import device_filter
from connector.sandbox.ninjaone.api.endpoints import ENDPOINTS, ApiCall
from connector.sandbox.ninjaone.api.operations import endpoint_of, operations
from connector.sandbox.ninjaone.api.paging import DEFAULT_PAGE
from connector.sandbox.ninjaone.areas import services
from connector.sandbox.ninjaone.data.fleet import Facts
from connector.sandbox.ninjaone.data.generated import make, members
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import invalid, invalid_filter
from connector.sandbox.types import epoch_seconds

Rows = Callable[[State, Facts], list[JSON]]
Test = Callable[[JSON], bool]
_HOLD_BACK = 16
"""The number of row numbers that are reserved for each device."""


@dataclass(frozen=True)
class Report:
    """A report. `rows` returns the rows of a device; `of_device` is the operation that lists them.

    `only` returns whether a device has rows; `filters` maps query parameters to members of a row.
    """

    operation: str
    rows: Rows
    of_device: str = ""
    only: Callable[[State, Facts], bool] = lambda state, facts: True
    filters: Mapping[str, str] = field(default_factory=dict)


@cache
def row_resource(operation: str) -> str:
    """Return the resource (schema name) of a report's rows."""
    report = operations()[operation]["result"]["$ref"]
    found: str = members(report)["results"]["items"]["$ref"].removesuffix(".json")
    return found


@dataclass(frozen=True)
class MadeRows:
    """Generates `count` rows of a device, with the fields of `own` and without those in `without`."""

    operation: str
    count: int = 1
    shift: int = 0
    own: Callable[[State, Facts, int], JSON] = lambda state, facts, index: {}
    without: tuple[str, ...] = ()

    def __call__(self, state: State, facts: Facts) -> list[JSON]:
        """Return the rows of one device."""
        resource = row_resource(self.operation)
        known = members(resource)
        found = []
        for index in range(self.count):
            key = facts.id * _HOLD_BACK + self.shift + index
            row = make(resource, key) | self.own(state, facts, index) | {"deviceId": facts.id}
            if "timestamp" in known:
                row["timestamp"] = EPOCH - 60.0 * (facts.id % 1440) + 0.5
            found.append({name: row[name] for name in row if name in known and name not in self.without})
        return found


def _service_rows(state: State, facts: Facts) -> list[JSON]:
    more = {"deviceId": facts.id, "timestamp": EPOCH - 60.5}
    return [{**service, **more} for service in services.services(state, facts.id).values()]


def _agent(part: Callable[[JSON], JSON]) -> Callable[[State, Facts, int], JSON]:
    """Return a function that returns some of the device's details, which `getDevice` also returns."""
    return lambda state, facts, index: part(state.fleet.details(facts))


def _volume(state: State, facts: Facts, index: int) -> JSON:
    volume = dict(state.fleet.details(facts)["volumes"][0])
    return volume | ({"driveLetter": "C:"} if facts.node_class.startswith("WINDOWS") else {})


def _health(state: State, facts: Facts, index: int) -> JSON:
    alerts = sum(1 for alert in state.alerts.values() if alert["deviceId"] == facts.id)
    status = "NEEDS_ATTENTION" if alerts else "HEALTHY"
    return {"offline": facts.offline, "alertCount": alerts, "healthStatus": status}


def _installed(state: State, facts: Facts, index: int) -> JSON:
    return {"status": "FAILED" if (facts.id + index) % 5 == 2 else "INSTALLED"}


def overrides(state: State, facts: Facts) -> list[str]:
    """Return the policy settings that a device overrides."""
    if facts.id % 3 or state.fleet.changes(facts.id).overrides_reset:
        return []
    return ["conditions", "patching"][: 1 + facts.id % 2]


def has_agent(state: State, facts: Facts) -> bool:
    """Return whether the device has an agent."""
    return not state.fleet.added(facts.id)


def _server(state: State, facts: Facts) -> bool:
    return facts.node_class.endswith("SERVER") and has_agent(state, facts)


_PENDING = {"status": "status", "type": "type", "severity": "severity", "impact": "impact"}
_INSTALLED = {**_PENDING, "productIdentifier": "productIdentifier"}

REPORTS = (
    Report(
        "getAntivirusStatusReport",
        MadeRows("getAntivirusStatusReport"),
        filters={"productState": "productState", "productName": "productName"},
    ),
    Report(
        "getAntivirusThreats", MadeRows("getAntivirusThreats"), only=lambda state, facts: facts.id % 6 == 2
    ),
    Report("getComputerSystems", MadeRows("getComputerSystems", own=_agent(lambda found: found["system"]))),
    Report(
        "getDeviceHealthReport",
        MadeRows(
            "getDeviceHealthReport",
            own=_health,
            without=("parentDeviceId", "parentOffline", "pendingRebootReason"),
        ),
        filters={"health": "healthStatus"},
    ),
    Report("getDiskDrives", MadeRows("getDiskDrives"), "getDeviceDiskDrives"),
    Report("getLastLoggedOnUsersReport", MadeRows("getLastLoggedOnUsersReport")),
    Report("getNetworkInterfaces", MadeRows("getNetworkInterfaces", 2), "getDeviceNetworkInterfaces"),
    Report("getOperatingSystems", MadeRows("getOperatingSystems", own=_agent(lambda found: found["os"]))),
    Report(
        "getInstalledOSPatches",
        MadeRows("getInstalledOSPatches", 2, shift=8, own=_installed),
        "getDeviceInstalledOSPatches",
        filters=_INSTALLED,
    ),
    Report(
        "getPendingFailedRejectedOSPatches",
        MadeRows("getPendingFailedRejectedOSPatches", 2, without=("installedAt",)),
        "getDevicePendingFailedRejectedOSPatches",
        filters=_PENDING,
    ),
    Report(
        "getPolicyOverrides_1",
        MadeRows(
            "getPolicyOverrides_1", own=lambda state, facts, index: {"overrides": overrides(state, facts)}
        ),
        only=lambda state, facts: bool(overrides(state, facts)),
    ),
    Report(
        "getProcessors",
        MadeRows("getProcessors", own=_agent(lambda found: found["processors"][0])),
        "getDeviceProcessors",
    ),
    Report("getRAIDControllerReport", MadeRows("getRAIDControllerReport"), only=_server),
    Report("getRAIDDriveReport", MadeRows("getRAIDDriveReport", 2), only=_server),
    Report("getSoftware", MadeRows("getSoftware", 3), "getDeviceSoftware"),
    Report(
        "getInstalledSoftwarePatches",
        MadeRows("getInstalledSoftwarePatches", shift=8, own=_installed),
        "getDeviceInstalledSoftwarePatches",
        filters=_INSTALLED,
    ),
    Report(
        "getPendingFailedRejectedSoftwarePatches",
        MadeRows("getPendingFailedRejectedSoftwarePatches", without=("installedAt",)),
        "getDevicePendingFailedRejectedSoftwarePatches",
        filters=_INSTALLED,
    ),
    Report("getVolumes", MadeRows("getVolumes", own=_volume), "getDeviceVolumes"),
    Report("getWindowsServicesReport", _service_rows, filters={"name": "name", "state": "state"}),
)


def paged(
    call: ApiCall,
    operation: str,
    rows: Callable[[], list[Any]],
    show: Callable[[Any], JSON] = lambda row: row,
) -> JSON:
    """Return a page of a report: `results`, and `cursor` if there may be another page.

    `rows` is called once, when the snapshot is created.
    """
    found, cursor = cursor_page(
        call.state,
        operation,
        call.query.get("cursor"),
        call.query.get("pageSize", DEFAULT_PAGE),
        lambda: snapshot_of(operation, rows(), show),
    )
    return {"results": found} | ({"cursor": cursor} if cursor else {})


def _report(report: Report, call: ApiCall) -> JSON:
    keep, tests = device_filter(call.query.get("df")), row_tests(report.filters, call.query)

    def rows() -> list[Any]:
        state = call.state
        return [
            (facts.id, index)
            for facts in state.fleet.matching(keep)
            if has_agent(state, facts) and report.only(state, facts)
            for index in _passing(report.rows, state, facts, tests)
        ]

    def show(place: tuple[int, int]) -> JSON:
        device_id, index = place
        row = report.rows(call.state, call.state.fleet.facts(device_id))[index]
        return _shown(row, call.query)

    return paged(call, report.operation, rows, show)


def _passing(rows: Rows, state: State, facts: Facts, tests: list[Test]) -> list[int]:
    """Return the indexes of a device's rows that pass all tests. Without tests, no row is generated."""
    if not tests and isinstance(rows, MadeRows):
        return list(range(rows.count))
    return [index for index, row in enumerate(rows(state, facts)) if all(test(row) for test in tests)]


def _of_device(report: Report, resource: str, call: ApiCall, id: int) -> list[JSON]:
    facts = call.state.device(id)
    if not (has_agent(call.state, facts) and report.only(call.state, facts)):
        return []
    tests, known = row_tests(report.filters, call.query), members(resource)
    return [
        {name: value for name, value in _shown(row, call.query).items() if name in known}
        for row in report.rows(call.state, facts)
        if all(test(row) for test in tests)
    ]


def _shown(row: JSON, query: Mapping[str, Any]) -> JSON:
    """Return a row, with `bitLockerStatus` only if the query requests it."""
    if "bl" not in query.get("include", "").split(","):
        row.pop("bitLockerStatus", None)
    return row


def row_tests(filters: Mapping[str, str], query: Mapping[str, Any]) -> list[Test]:
    """Return functions that each check whether a row matches a filter in the query."""
    tests: list[Test] = [
        partial(_equals, member, query[name]) for name, member in filters.items() if name in query
    ]
    if "installedBefore" in query:
        tests.append(partial(_installed_at, -1, moment(query["installedBefore"], "installedBefore")))
    if "installedAfter" in query:
        tests.append(partial(_installed_at, 1, moment(query["installedAfter"], "installedAfter")))
    if "ts" in query:
        tests.append(timestamp_test(query["ts"]))
    return tests


def _equals(member: str, wanted: str, row: JSON) -> bool:
    listed = {part.strip().casefold() for part in wanted.split(",")}
    return str(row.get(member, "")).casefold() in listed


def _installed_at(sign: int, bound: float, row: JSON) -> bool:
    when = row.get("installedAt", row.get("installDate"))
    return when is not None and sign * (epoch_seconds(when) - bound) > 0


def moment(text: str, where: str) -> float:
    """Return epoch seconds for a date in the query, which is ISO 8601 or an epoch time."""
    try:
        return epoch_seconds(float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else text)
    except ValueError:
        raise invalid(where, "date") from None


def timestamp_test(text: str) -> Test:
    """Return a function that tests the timestamp of a row for the filter `ts`.

    The filter is a timestamp, which must be equal, or one after the word `after` or `before`.
    """
    found = re.fullmatch(r"(?:(after|before)\s+)?(\d+(?:\.\d+)?)", text.strip())
    if found is None:
        raise invalid_filter(text)
    word, bound = found[1], float(found[2])
    if word == "after":
        return lambda row: row.get("timestamp", 0) > bound
    if word == "before":
        return lambda row: row.get("timestamp", bound) < bound
    return lambda row: bool(row.get("timestamp") == bound)


for _entry in REPORTS:
    ENDPOINTS.add(endpoint_of(_entry.operation, partial(_report, _entry)))
    if _entry.of_device:
        _resource = operations()[_entry.of_device]["result"]["items"]["$ref"]
        ENDPOINTS.add(endpoint_of(_entry.of_device, partial(_of_device, _entry, _resource)))
