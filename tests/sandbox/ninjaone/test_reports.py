"""Query reports, custom field reports, backup jobs: filters, and the cursor to the end."""

from __future__ import annotations

import pytest

from connector.sandbox.ninjaone.api.operations import operations

REPORTS = {
    name: facts["path"]
    for name, facts in operations().items()
    if {"cursor", "pageSize"} <= set(facts["parameters"])
}
NOW_EMPTY = {
    "getCustomFieldsReport",
    "getCustomFieldsDetailedReport",
    "getScopedCustomFieldsReport",
    "getScopedCustomFieldsDetailedReport",
}
"""Reports that have rows only if something was set."""


def walk(api, path, **query):
    """Return all rows of a report, and its cursors."""
    rows, cursors, cursor = [], [], {}
    while True:
        page = api.get(path, **query, **cursor)
        rows += page["results"]
        if "cursor" not in page:
            return rows, cursors
        cursors.append(page["cursor"])
        cursor = {"cursor": page["cursor"]["name"]}


@pytest.mark.parametrize("name", REPORTS)
def test_walking_a_report(account, name):
    path = REPORTS[name]
    if name in NOW_EMPTY:
        for number in range(1, 13):
            account.do("PATCH", f"/v2/device/{number}/custom-fields", {"rack": f"R{number}"})
    whole, _ = walk(account, path, pageSize=10_000)
    rows, cursors = walk(account, path, pageSize=10)
    assert rows == whole
    assert len({cursor["name"] for cursor in cursors}) == (1 if cursors else 0)
    assert [cursor["offset"] for cursor in cursors] == [10 * (n + 1) for n in range(len(rows) // 10)]
    if cursors:  # a snapshot is deleted at its end
        account.fails("GET", path, 400, params={"cursor": cursors[0]["name"]})


def test_a_full_page_is_not_the_end(account):
    path = "/v2/queries/operating-systems"
    page = account.get(path, pageSize=23)
    assert len(page["results"]) == 23
    assert account.get(path, pageSize=23, cursor=page["cursor"]["name"]) == {"results": []}


def test_rows_are_a_snapshot(account):
    account.sandbox.reset()
    path = "/v2/queries/computer-systems"
    page = account.get(path, pageSize=20)
    account.do("POST", "/v2/device/22/decommission")
    rest = account.get(path, pageSize=20, cursor=page["cursor"]["name"])
    assert len(rest["results"]) == 3
    assert len(account.get(path)["results"]) == 22


@pytest.mark.parametrize("change", ["unknown", "other report", "expired"])
def test_a_cursor_that_does_not_hold(account, change):
    account.sandbox.reset()
    path = "/v2/queries/disks"
    name = account.get(path, pageSize=10)["cursor"]["name"]
    if change == "expired":
        next(iter(account.sandbox.state.snapshots.values())).expires = 0
    if change == "other report":
        path = "/v2/queries/volumes"
    body = account.fails("GET", path, 400, params={"cursor": "x" if change == "unknown" else name})
    assert body["resultCode"] == "invalid_cursor"


@pytest.mark.parametrize(
    ("path", "query", "test"),
    [
        ("os-patches", {"df": "org = 1"}, None),
        ("os-patches", {"status": "FAILED"}, lambda row: row["status"] == "FAILED"),
        ("os-patches", {"severity": "CRITICAL,OPTIONAL"}, lambda row: row["severity"][0] in "CO"),
        ("os-patch-installs", {"status": "INSTALLED"}, lambda row: row["status"] == "INSTALLED"),
        ("software-patches", {"impact": "CRITICAL"}, lambda row: row["impact"] == "CRITICAL"),
        ("antivirus-status", {"productState": "on"}, lambda row: row["productState"] == "ON"),
        ("device-health", {"health": "NEEDS_ATTENTION"}, lambda row: row["alertCount"] > 0),
        ("windows-services", {"name": "Spooler"}, lambda row: row["name"] == "Spooler"),
        ("windows-services", {"state": "STOPPED"}, lambda row: row["state"] == "STOPPED"),
        ("software", {"installedAfter": "2026-06-01"}, lambda row: row["installDate"] > "2026-06-01"),
        ("software", {"installedBefore": "2026-06-01"}, lambda row: row["installDate"] < "2026-06-01"),
        ("disks", {"ts": "after 1779999000"}, lambda row: row["timestamp"] > 1_779_999_000),
        ("disks", {"ts": "before 1779999000"}, lambda row: row["timestamp"] < 1_779_999_000),
        ("raid-drives", {"df": "class = WINDOWS_SERVER"}, None),
    ],
)  # fmt: skip
def test_report_filters(account, path, query, test):
    account.sandbox.reset()
    whole, some = (account.get(f"/v2/queries/{path}", **q)["results"] for q in ({}, query))
    assert 0 < len(some) < len(whole)
    if test:
        assert some == [row for row in whole if test(row)]


def test_timestamps(account):
    path = "/v2/queries/disks"
    assert account.get(path, ts="1780000000")["results"] == []  # a bare timestamp matches exactly
    for wrong in ("after yesterday", "after 1 AND before 2", "since 1"):
        body = account.fails("GET", path, 500, params={"ts": wrong})
        assert "InvalidFilterException" in body["errorMessage"]
    account.fails("GET", path, 500, params={"df": "org = x"})


def test_a_devices_lists_are_the_reports_rows(account):
    account.sandbox.reset()
    for part, report in (("disks", "disks"), ("software", "software"), ("os-patches", "os-patches")):
        own = account.get(f"/v2/device/2/{part}")
        rows = account.get(f"/v2/queries/{report}", df="id = 2")["results"]
        assert own == [{k: v for k, v in row.items() if k not in ("deviceId", "timestamp")} for row in rows]
        assert own
    system = account.get("/v2/queries/computer-systems", df="id = 2")["results"][0]
    assert system["name"] == account.get("/v2/device/2")["systemName"]


def test_bit_locker_is_there_on_request(account):
    assert "bitLockerStatus" not in account.get("/v2/device/1/volumes")[0]
    assert "bitLockerStatus" in account.get("/v2/device/1/volumes", include="bl")[0]
    assert "bitLockerStatus" in account.get("/v2/queries/volumes", include="bl")["results"][0]


def test_custom_field_reports(account):
    account.sandbox.reset()
    account.do("PATCH", "/v2/device/1/custom-fields", {"rack": "B4", "rackUnit": 2})
    account.do("PATCH", "/v2/organization/1/location/1/custom-fields", {"doorCode": "1234"})
    report = "/v2/queries/custom-fields"
    assert account.get(report)["results"] == [{"deviceId": 1, "fields": {"rack": "B4", "rackUnit": 2}}]
    assert account.get(report, fields="rack")["results"][0]["fields"] == {"rack": "B4"}
    assert account.get(report, df="id = 2")["results"] == []
    assert account.get(report, updatedAfter="4000000000000")["results"] == []
    detailed = account.get(f"{report}-detailed")["results"][0]
    assert [field["name"] for field in detailed["fields"]] == ["rack", "rackUnit"]
    scoped = "/v2/queries/scoped-custom-fields"
    assert [row["scope"] for row in account.get(scoped)["results"]] == ["NODE", "LOCATION"]
    location = account.get(scoped, scopes="location")["results"]
    assert location == [{"scope": "LOCATION", "entityId": 1, "fields": {"doorCode": "********"}}]
    shown = account.get(scoped, scopes="location", showSecureValues="true")["results"]
    assert shown[0]["fields"] == {"doorCode": "1234"}


@pytest.mark.parametrize(
    ("query", "test"),
    [
        ({"sf": "status = FAILED"}, lambda job: job["jobStatus"] == "FAILED"),
        ({"sf": "status in (FAILED, RUNNING)"}, lambda job: job["jobStatus"] in ("FAILED", "RUNNING")),
        ({"ptf": "planType = IMAGE"}, lambda job: job["planType"] == "IMAGE"),
        ({"stf": "startTime after 2026-05-20T00:00:00Z"}, lambda job: job["jobStartTime"] > 1_779_235_200),
        (
            {"stf": "startTime between(2026-05-01T00:00:00Z,2026-05-20T00:00:00Z)"},
            lambda job: 1_777_593_600 <= job["jobStartTime"] <= 1_779_235_200,
        ),
        ({"df": "org = 1"}, lambda job: job["organizationId"] == 1),
    ],
)
def test_backup_jobs(account, query, test):
    whole, some = (account.get("/v2/backup/jobs", **q)["results"] for q in ({}, query))
    assert 0 < len(some) < len(whole)
    assert some == [job for job in whole if test(job)]


@pytest.mark.parametrize(
    "query",
    [{"sf": "FAILED"}, {"ptf": "type = IMAGE"}, {"stf": "startTime near noon"}, {"stf": "startTime after x"}],
)
def test_backup_filters_that_cannot_be_read(account, query):
    account.fails("GET", "/v2/backup/jobs", 500, params=query)


def test_integrity_checks(account):
    account.sandbox.reset()
    path, plan = "/v2/backup/integrity-check-jobs", "0f8fad5b-d9cb-469f-a165-70867728950e"
    made = account.do("POST", path, {"deviceId": 2, "planUid": plan})
    found = [job for job in account.get(path)["results"] if job["jobId"] == made["jobUid"]]
    assert [(job["deviceId"], job["jobStatus"], job["planGuid"]) for job in found] == [(2, "RUNNING", plan)]
    account.fails("POST", path, 404, json={"deviceId": 99, "planUid": plan})


def test_bandwidth_throttle(account):
    account.sandbox.reset()
    account.do(
        "POST", "/v2/backup/bandwidth-throttle", {"deviceId": 2, "bandwidthThrottle": {"enabled": True}}
    )
    rows = account.get("/v2/queries/backup/usage")["results"]
    assert [row["id"] for row in rows if "backupBandwidthThrottle" in row["references"]] == [2]


def test_policy_overrides(account):
    account.sandbox.reset()
    rows = account.get("/v2/queries/policy-overrides")["results"]
    assert [row["deviceId"] for row in rows[:2]] == [3, 6]
    account.do("DELETE", "/v2/device/3/policy/overrides")
    assert account.get("/v2/device/3/policy/overrides") == {"overrides": []}
    assert account.get("/v2/queries/policy-overrides")["results"] == rows[1:]


def test_definitions_walk(account):
    account.sandbox.reset()
    whole = account.get("/v2/custom-fields", pageSize=500)["results"]
    rows, cursor = [], {}
    while True:
        page = account.get("/v2/custom-fields", pageSize=5, **cursor)
        rows += page["results"]
        if "cursor" not in page:
            break
        cursor = {"cursorName": page["cursor"]["name"]}
    assert rows == whole
    account.fails("GET", "/v2/custom-fields", 400, params={"pageSize": 4})


def test_people_walk(account):
    account.sandbox.reset()
    path = "/v2/ticketing/app-user-contact"
    whole = account.get(path, pageSize=500)
    assert [person["userType"] for person in whole] == ["TECHNICIAN"] * 4 + ["END_USER"] * 4 + [
        "CONTACT"
    ] * 12
    rows, anchor = [], {}
    while page := account.get(path, pageSize=7, **anchor):
        rows += page
        anchor = {"anchorNaturalId": page[-1]["naturalId"]}
    assert rows == whole
    assert {person["userType"] for person in account.get(path, userType="CONTACT")} == {"CONTACT"}
    assert account.get(path, searchCriteria=whole[0]["email"]) == whole[:1]
