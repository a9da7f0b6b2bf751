"""Requests that are refused before an operation: paths, methods, bodies, types."""

from __future__ import annotations

import re

import pytest

from .test_signin import INCIDENT

JSON_TYPE = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "path", ["/v2/nothing", "/api/v2/nothing", "/v2/device/1/", "/v3/devices", "/v2/device//1", "/"]
)
def test_unknown_path(api, path):
    body = api.fails("GET", path, 404)
    assert body["resultCode"] == "FAILURE"
    assert body["errorMessage"] == "HTTP 404 Not Found"
    assert re.fullmatch(INCIDENT, body["incidentId"])


def test_wrong_method(api):
    response = api.send("DELETE", "/v2/device/1")
    assert response.status_code == 405
    assert response.json()["errorMessage"] == "HTTP 405 Method Not Allowed"
    assert response.headers["Allow"] == "GET, HEAD, PATCH"


def test_both_prefixes(api):
    assert api.get("/v2/device/7") == api.get("/api/v2/device/7")


@pytest.mark.parametrize("body", ["{", '{"name": NaN}', "[" * 100_000, b"\xff"])
def test_broken_json(api, body):
    response = api.fails(
        "PATCH", "/v2/organization/1", 400, data=body, headers={"Content-Type": "application/json"}
    )
    assert response["resultCode"] == "FAILURE"
    assert response["errorMessage"] == "HTTP 400 Bad Request"


def test_missing_body(api):
    api.fails("PATCH", "/v2/organization/1", 400)


def test_wrong_content_type(api):
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        headers = {"Content-Type": content_type}
        body = api.fails("PATCH", "/v2/organization/1", 415, data='{"name": "x"}', headers=headers)
        assert body["errorMessage"] == "HTTP 415 Unsupported Media Type"


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("GET", "/v2/device/abc", None, "id"),
        ("GET", "/v2/device/3000000000", None, "id"),
        ("GET", "/v2/devices?pageSize=0", None, "pageSize"),
        ("GET", "/v2/devices?after=x", None, "after"),
        ("GET", "/v2/device/1/dashboard-url?redirect=maybe", None, "redirect"),
        ("GET", "/v2/device/1/windows-services?state=running", None, "state"),
        ("GET", "/v2/activities?pageSize=5", None, "pageSize"),
        ("GET", "/v2/activities?after=yesterday", None, "after"),
        ("POST", "/v2/device/1/reboot/GRACEFUL", {}, "mode"),
        ("POST", "/v2/device/1/reboot/NORMAL", {"reason": 7}, "reason"),
        ("POST", "/v2/devices/approval/APPROVE", {"devices": [1, True]}, "devices[1]"),
        ("POST", "/v2/devices/approval/APPROVE", {"devices": 1}, "devices"),
        ("POST", "/v2/devices/approval/APPROVE", {}, "devices"),
        ("POST", "/v2/organizations", {"name": None}, "name"),
        ("POST", "/v2/organizations", {"name": " "}, "name"),
        ("POST", "/v2/organizations", [], "body"),
        ("POST", "/v2/organizations", {"name": "x", "nodeApprovalMode": "automatic"}, "nodeApprovalMode"),
        ("POST", "/v2/organizations", {"name": "x", "locations": [{"address": "y"}]}, "locations[0].name"),
        (
            "POST",
            "/v2/organizations",
            {"name": "x", "policies": [{"nodeRoleId": 101}]},
            "policies[0].policyId",
        ),
        ("PATCH", "/v2/organization/1", {"userData": []}, "userData"),
        ("PATCH", "/v2/device/1", {"warranty": {"endDate": "soon"}}, "warranty.endDate"),
        ("PATCH", "/v2/device/1", {"nodeRoleId": "101"}, "nodeRoleId"),
        ("PUT", "/v2/device/1/maintenance", {"start": 1}, "end"),
        ("PUT", "/v2/device/1/maintenance", {"end": "tomorrow"}, "end"),
        ("PUT", "/v2/device/1/maintenance", {"end": True}, "end"),
        ("PUT", "/v2/device/1/maintenance", {"end": 10**400}, "end"),
        (
            "PUT",
            "/v2/device/1/maintenance",
            {"end": 1e12, "disabledFeatures": ["ALL"]},
            "disabledFeatures[0]",
        ),
        ("POST", "/v2/device/1/owner/somebody", None, "ownerUid"),
        (
            "POST",
            "/v2/organization/generate-installer",
            {"organizationId": 1, "locationId": 1},
            "installerType",
        ),
    ],
)
def test_values_of_the_wrong_type(api, method, path, body, field):
    response = api.fails(method, path, 400, json=body)
    assert response["resultCode"] == "FAILURE"
    assert response["errorMessage"]["code"] == "validation_failed"
    assert response["errorMessage"]["params"]["field"] == field
    assert api.requests()[-1]["executed"] is False


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/v2/organization/99", None, "organization_not_found"),
        ("PATCH", "/v2/organization/99", {}, "organization_not_found"),
        ("POST", "/v2/organizations?templateOrganizationId=99", {"name": "x"}, "organization_not_found"),
        ("PATCH", "/v2/organization/1/locations/99", {}, "location_not_found"),
        ("PATCH", "/v2/organization/2/locations/1", {}, "location_not_found"),
        ("PUT", "/v2/organization/1/policies", [{"nodeRoleId": 9, "policyId": 51}], "node_role_not_found"),
        ("PUT", "/v2/organization/1/policies", [{"nodeRoleId": 101, "policyId": 9}], "policy_not_found"),
        ("GET", "/v2/device/26", None, "device_not_found"),
        ("GET", "/v2/device/0", None, "device_not_found"),
        ("PATCH", "/v2/device/1", {"policyId": 9}, "policy_not_found"),
        ("PATCH", "/v2/device/1", {"organizationId": 99}, "organization_not_found"),
        ("POST", "/v2/device/26/reboot/NORMAL", {}, "device_not_found"),
        ("DELETE", "/v2/device/26/maintenance", None, "device_not_found"),
        ("DELETE", "/v2/device/26/owner", None, "device_not_found"),
        ("GET", "/v2/device/26/activities", None, "device_not_found"),
        ("GET", "/v2/device/26/alerts", None, "device_not_found"),
        ("DELETE", "/v2/alert/00000000-0000-4000-a000-000000000000", None, "alert_not_found"),
        ("POST", "/v2/devices/approval/APPROVE", {"devices": [24, 26]}, "device_not_found"),
        (
            "POST",
            "/v2/device/1/windows-service/none/control",
            {"action": "STOP"},
            "windows_service_not_found",
        ),
        ("POST", "/v2/device/1/script/run", {"type": "SCRIPT", "id": 99}, "script_not_found"),
        ("GET", "/v2/ticketing/ticket/1", None, "ticket_not_found"),
        ("POST", "/v2/ticketing/trigger/board/9/run", {}, "board_not_found"),
        ("PATCH", "/v2/user/role/9/add-members", [1], "user_role_not_found"),
        ("PATCH", "/v2/user/role/1/add-members", [999], "user_not_found"),
        ("POST", "/v2/device/1/owner/00000000-0000-4000-a000-000000000000", None, "user_not_found"),
        ("GET", "/v2/vulnerability/scan-groups/9", None, "scan_group_not_found"),
    ],
)
def test_entities_that_do_not_exist(api, method, path, body, code):
    response = api.fails(method, path, 404, json=body)
    assert set(response) == {"resultCode", "incidentId"}
    assert response["resultCode"] == code


def test_unknown_parameters_and_fields_are_ignored(api):
    assert len(api.get("/v2/devices", organizationId=1, deviceClass="X")) == 23
    api.do("PATCH", "/v2/organization/1", {"tags": ["a"], "fields": {"b": 1}})
    assert "tags" not in api.get("/v2/organization/1")


def test_numbers_and_text_that_json_cannot_say_again(api):
    api.fails("PUT", "/v2/device/1/maintenance", 400, data='{"end": 1e999}', headers=JSON_TYPE)
    api.fails("PATCH", "/v2/device/1", 400, data='{"warranty": {"endDate": 1e999}}', headers=JSON_TYPE)
    response = api.send("PATCH", "/v2/device/1", data='{"displayName": "\\ud800"}', headers=JSON_TYPE)
    assert response.status_code == 204
    assert api.get("/v2/device/1")["displayName"] == "\ud800"


def test_head_has_no_body(api):
    response = api.send("HEAD", "/v2/organizations")
    assert response.status_code == 200
    assert response.content == b""
    assert int(response.headers["Content-Length"]) > 0
    api.get("/v2/organizations")


def test_every_api_answer_has_a_request_id(api):
    first = api.send("GET", "/v2/organizations").headers["x-nj-request-id"]
    second = api.send("GET", "/v2/nothing").headers["x-nj-request-id"]
    assert first != second


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/v2/device/1/custom-fields", {"environment": ["x"]}),
        ("/v2/device/1/custom-fields", {"serviceWindows": [["x"]]}),
        ("/v2/device/1/custom-fields", {"serviceWindows": [{}]}),
        ("/v2/organization/1/custom-fields", {"supportPlan": {}}),
    ],
)
def test_an_option_of_a_field_is_a_text(api, path, values):
    before = api.get(path)
    api.fails("PATCH", path, 400, json=values)
    assert api.get(path) == before


def test_a_refused_change_changes_nothing(account):
    before = account.get("/v2/tag")
    account.fails("PUT", "/v2/tag/1", 400, json={"description": "without a name"})
    assert account.get("/v2/tag") == before
    assert account.do("POST", "/v2/tag", {"name": "A new one"})["name"] == "A new one"
