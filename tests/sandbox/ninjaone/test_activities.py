"""Activities and alerts."""

from __future__ import annotations

import pytest


@pytest.fixture
def busy(api):
    """Return the client after 30 reboots of device 2."""
    for _ in range(30):
        api.do("POST", "/v2/device/2/reboot/NORMAL")
    return api


def numbers(answer):
    return [entry["id"] for entry in answer["activities"]]


@pytest.mark.parametrize("path", ["/v2/activities", "/v2/device/2/activities"])
def test_walking_back(busy, path):
    everything = busy.get(path, pageSize=1000)
    assert numbers(everything) == sorted(numbers(everything), reverse=True)
    walked, older = [], {}
    while page := numbers(busy.get(path, pageSize=10, **older)):
        walked += page
        older = {"olderThan": page[-1]}
    assert walked == numbers(everything)


def test_walking_forward(busy):
    everything = sorted(numbers(busy.get("/v2/activities", pageSize=1000)))
    walked, newer = [], everything[0]
    while page := numbers(busy.get("/v2/activities", pageSize=10, newerThan=newer)):
        walked += sorted(page)
        newer = page[0]
    assert walked == everything[1:]


def test_both_bounds(busy):
    everything = numbers(busy.get("/v2/device/2/activities"))
    between = busy.get("/v2/device/2/activities", olderThan=everything[3], newerThan=everything[6])
    assert numbers(between) == everything[4:6]


def test_checkpoints(busy):
    busy.do("POST", "/v2/device/3/reboot/NORMAL")
    newest = busy.get("/v2/activities")["activities"][0]["id"]
    response = busy.get("/v2/device/2/activities")
    assert response["lastActivityId"] == newest
    assert response["lastNodeActivityId"] == newest - 1


def test_filters(busy):
    assert len(numbers(busy.get("/v2/activities", status="SYSTEM_REBOOTED", pageSize=100))) == 30
    assert len(numbers(busy.get("/v2/activities", status="SYSTEM_REBOOTED,TRIGGERED", pageSize=100))) > 30
    assert len(numbers(busy.get("/v2/device/2/activities", activityType="CONDITION"))) == 0
    assert all(
        entry["deviceId"] == 2
        for entry in busy.get("/v2/activities", type="SYSTEM", df="id = 2")["activities"]
    )
    logged_in = busy.get("/v2/activities", user="1")["activities"]
    assert [entry["statusCode"] for entry in logged_in] == ["APP_USER_LOGGED_IN"]
    assert busy.get("/v2/activities", **{"class": "USER"})["activities"] == logged_in
    assert busy.get("/v2/activities", **{"class": "SYSTEM"})["activities"] == logged_in
    device_class = busy.get("/v2/activities", pageSize=1000, **{"class": "DEVICE"})["activities"]
    assert all("deviceId" in entry for entry in device_class)


def test_dates(busy):
    everything = busy.get("/v2/activities", pageSize=1000)["activities"]
    middle = everything[-1]["activityTime"] + 1
    before = busy.get("/v2/activities", pageSize=1000, before=middle)["activities"]
    after = busy.get("/v2/activities", pageSize=1000, after=middle)["activities"]
    assert after + before == everything
    assert busy.get("/v2/activities", before="2001-01-01")["activities"] == []
    assert len(busy.get("/v2/activities", after="2001-01-01T00:00:00Z", pageSize=1000)["activities"]) == len(
        everything
    )


def test_alerts(api):
    everything = api.get("/v2/alerts", lang="en", tz="UTC")
    assert [alert["deviceId"] for alert in everything] == [1, 5, 9, 13, 17, 21]
    offline = api.get("/v2/alerts", sourceType="AGENT_OFFLINE")
    assert offline == [alert for alert in everything if alert["sourceType"] == "AGENT_OFFLINE"]
    assert [alert["deviceId"] for alert in api.get("/v2/alerts", df="id in (1,5)")] == [1, 5]
    assert api.get("/v2/alerts", df="status = PENDING") == [
        alert for number in (24, 25) for alert in api.get(f"/v2/device/{number}/alerts")
    ]
    assert api.get("/v2/device/5/alerts") == [everything[1]]
    assert api.get("/v2/device/2/alerts") == []


def test_an_alert_came_from_an_activity(api):
    alert = api.get("/v2/alerts")[0]
    activity = api.get("/v2/activities", seriesUid=alert["uid"])["activities"][0]
    assert activity["statusCode"] == "TRIGGERED"
    assert activity["message"] == alert["message"]


@pytest.mark.parametrize(
    ("method", "suffix", "body"), [("DELETE", "", None), ("POST", "/reset", {"why": "done"})]
)
def test_reset(api, method, suffix, body):
    alert = api.get("/v2/alerts")[0]
    assert api.do(method, f"/v2/alert/{alert['uid']}{suffix}", body) is None
    assert alert not in api.get("/v2/alerts")
    activity = api.activities(1)[0]
    assert activity["statusCode"] == "RESET"
    assert activity["data"] == (body or {})
    assert api.fails(method, f"/v2/alert/{alert['uid']}{suffix}", 404)["resultCode"] == "alert_not_found"
