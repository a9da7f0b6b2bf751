"""Devices: lists and filters, changes, approval, reboot, owner, custom fields, links."""

from __future__ import annotations

import time

import pytest


def ids(devices):
    return [device["id"] for device in devices]


def test_list_shows_approved_devices_only(api):
    assert ids(api.get("/v2/devices")) == list(range(1, 24))
    assert ids(api.get("/v2/devices", df="status = PENDING")) == [24, 25]


def test_paging(api):
    walked, after, sizes = [], 0, []
    while page := api.get("/v2/devices", pageSize=10, after=after):
        walked += ids(page)
        after = page[-1]["id"]
        sizes.append(len(page))
    assert walked == list(range(1, 24))
    assert sizes == [10, 10, 3]


def test_filter_together_with_paging(api):
    servers = ids(api.get("/v2/devices", df="class = WINDOWS_SERVER"))
    first = ids(api.get("/v2/devices", df="class = WINDOWS_SERVER", pageSize=2))
    rest = ids(api.get("/v2/devices", df="class = WINDOWS_SERVER", pageSize=100, after=first[-1]))
    assert first + rest == servers == [1, 8, 11, 18, 21]


def test_unreadable_filter_is_a_500(api):
    body = api.fails("GET", "/v2/devices?df=org = x", 500)
    assert body["errorMessage"].startswith("InvalidFilterException")


def test_devices_of_an_organization(api):
    for organization in range(1, 5):
        listed = api.get(f"/v2/organization/{organization}/devices")
        assert listed == api.get("/v2/devices", df=f"org = {organization}")
        assert all(device["organizationId"] == organization for device in listed)


def test_detailed_list_agrees_with_the_device(api):
    assert api.get("/v2/devices-detailed", pageSize=1)[0] == api.get("/v2/device/1")


def test_device_details(api):
    device = api.get("/v2/device/1")
    listed = api.get("/v2/devices", pageSize=1)[0]
    assert device.items() >= listed.items()
    assert device["system"]["name"] == device["systemName"] == "SRV-0001"
    assert "maintenance" not in device


def test_update(api):
    other = next(place for place in api.get("/v2/locations") if place["organizationId"] == 3)
    assert (
        api.do(
            "PATCH",
            "/v2/device/2",
            {
                "displayName": "Front desk",
                "userData": {"rack": 4},
                "nodeRoleId": 1001,
                "policyId": 61,
                "organizationId": 3,
                "locationId": other["id"],
                "warranty": {"endDate": 1_900_000_000},
            },
        )
        is None
    )
    device = api.get("/v2/device/2")
    assert device["displayName"] == "Front desk"
    assert device["userData"] == {"rack": 4}
    assert (device["nodeRoleId"], device["policyId"], device["organizationId"]) == (1001, 61, 3)
    assert device["locationId"] == other["id"]
    assert device["references"]["warranty"] == {"endDate": 1_900_000_000}
    assert 2 in ids(api.get("/v2/devices", df="org = 3 AND role = 1001"))
    assert api.activities(2)[0]["statusCode"] == "NODE_UPDATED"


def test_null_policy_means_the_roles_policy(api):
    api.do("PATCH", "/v2/device/2", {"policyId": 61})
    assert api.get("/v2/device/2")["policyId"] == 61
    api.do("PATCH", "/v2/device/2", {"policyId": None, "displayName": None})
    device = api.get("/v2/device/2")
    assert "policyId" not in device
    assert device["rolePolicyId"] == 51
    assert device["displayName"] == "DSK-0002"


def test_moving_without_a_location_takes_the_first_one(api):
    target = api.get("/v2/device/1")["organizationId"] % 4 + 1
    api.do("PATCH", "/v2/device/1", {"organizationId": target})
    assert api.get("/v2/device/1")["locationId"] == api.get(f"/v2/organization/{target}/locations")[0]["id"]


def test_location_must_belong_to_the_organization(api):
    organization = api.get("/v2/device/1")["organizationId"]
    foreign = next(place for place in api.get("/v2/locations") if place["organizationId"] != organization)
    body = api.fails("PATCH", "/v2/device/1", 404, json={"locationId": foreign["id"]})
    assert body["resultCode"] == "location_not_found"


def test_approve(api):
    assert api.do("POST", "/v2/devices/approval/APPROVE", {"devices": [24, 1]}) is None
    assert 24 in ids(api.get("/v2/devices"))
    assert ids(api.get("/v2/devices", df="status = PENDING")) == [25]
    assert api.activities(24)[0]["statusCode"] == "NODE_MANUALLY_APPROVED"


def test_reject(api):
    api.do("POST", "/v2/devices/approval/REJECT", {"devices": [25]})
    assert ids(api.get("/v2/devices", df="status = PENDING")) == [24]
    api.fails("GET", "/v2/device/25", 404)
    assert all(alert["deviceId"] != 25 for alert in api.get("/v2/alerts", df="status = PENDING"))


def test_rejecting_is_all_or_nothing(api):
    body = api.fails("POST", "/v2/devices/approval/REJECT", 400, json={"devices": [25, 1]})
    assert body["resultCode"] == "device_already_approved"
    assert ids(api.get("/v2/devices", df="status = PENDING")) == [24, 25]


@pytest.mark.parametrize("body", [None, {"reason": "updates"}])
def test_reboot(api, body):
    before = time.time()
    assert api.do("POST", "/v2/device/3/reboot/FORCED", body) is None
    activity = api.activities(3)[0]
    assert (activity["activityType"], activity["statusCode"]) == ("SYSTEM", "SYSTEM_REBOOTED")
    assert activity["data"]["message"]["params"] == {"mode": "FORCED", **(body or {})}
    assert api.get("/v2/device/3")["os"]["lastBootTime"] >= before


def test_owner(api):
    user = api.get("/v2/users", userType="END_USER")[0]
    assert api.do("POST", f"/v2/device/5/owner/{user['uid']}") is None
    assert api.get("/v2/device/5")["assignedOwnerUid"] == user["uid"]
    assert api.get("/v2/users", userType="END_USER")[0]["assignedDeviceIds"] == [5]
    other = api.get("/v2/users", userType="TECHNICIAN")[0]
    api.do("POST", f"/v2/device/5/owner/{other['uid']}")
    assert api.get("/v2/users", userType="END_USER")[0]["assignedDeviceIds"] == []
    api.do("DELETE", "/v2/device/5/owner")
    assert "assignedOwnerUid" not in api.get("/v2/device/5")
    api.do("DELETE", "/v2/device/5/owner")


def test_custom_fields_inherit_on_request(api):
    device = api.get("/v2/device/1")
    organization, location = device["organizationId"], device["locationId"]
    api.do("PATCH", f"/v2/organization/{organization}/custom-fields", {"a": 1, "b": 1, "c": 1})
    api.do("PATCH", f"/v2/organization/{organization}/location/{location}/custom-fields", {"b": 2, "c": 2})
    api.do("PATCH", "/v2/device/1/custom-fields", {"c": 3})
    assert api.get("/v2/device/1/custom-fields") == {"c": 3}
    assert api.get("/v2/device/1/custom-fields", withInheritance="true") == {"a": 1, "b": 2, "c": 3}


def test_dashboard_link(api):
    link = api.get("/v2/device/1/dashboard-url", redirect="false")
    assert link["expires"] > time.time()
    response = api.send("GET", "/v2/device/1/dashboard-url?redirect=true")
    assert response.status_code == 302
    assert response.headers["Location"] == link["url"] == f"{api.base_url}/#/deviceDashboard/1/overview"
    assert response.content == b""
