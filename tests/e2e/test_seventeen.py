"""What the seventeen actions do, read back through the sandbox's API and its list of requests."""

from __future__ import annotations

from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.e2e.conftest import Call


def sent(sandbox: Sandbox, *methods: str) -> list[tuple[str, str, Any]]:
    return [(r["method"], r["path"], r["body"]) for r in sandbox.log.requests() if r["method"] in methods]


def test_a_new_organization_with_fields_locations_and_one_policy(call: Call, sandbox: Sandbox) -> None:
    made = call(
        "create_organization",
        name="Heron Legal",
        device_approval_mode="MANUAL",
        locations=[{"name": "Harbour", "address": "1 Quay"}],
        policies={"nodeRoleId": 101, "policyId": 52},
        fields={"contractNumber": "HRB-1"},
        tags=["gold"],
    )
    assert made.error is None
    assert made.result["name"] == "Heron Legal"
    post, patch = sent(sandbox, "POST", "PATCH")
    assert post[2]["policies"] == [{"nodeRoleId": 101, "policyId": 52}]
    assert post[2]["tags"] == ["gold"]
    assert "fields" not in post[2]
    assert patch == (
        "PATCH",
        f"/v2/organization/{made.result['id']}/custom-fields",
        {"contractNumber": "HRB-1"},
    )
    assert made.meta["warnings"] == ["tags: it is not in the current API document, and the API may ignore it"]


def test_fields_that_fail_say_that_the_organization_is_there(call: Call, sandbox: Sandbox) -> None:
    sandbox.set_faults(
        queue=[None, None, {"fault": "answer", "status": 400, "body": {"resultCode": "bad_field"}}]
    )
    made = call("create_organization", name="Heron Legal", fields={"contractNumber": "5"})
    assert made.meta["code"] == "partial"
    assert made.meta["repeatable"] is False
    (done,) = made.result["done"]
    assert isinstance(done["id"], int)
    assert done["answer"]["name"] == "Heron Legal"
    assert f"POST /v2/organizations succeeded (id {done['id']})" in str(made.error)
    assert "bad_field" in str(made.error)


def test_an_organization_is_updated_with_its_policies_and_fields(call: Call, sandbox: Sandbox) -> None:
    changed = call(
        "update_organization",
        organization_id=1,
        name="Alder Clinics",
        policies=[{"nodeRoleId": 101, "policyId": 52}],
        fields={"contractNumber": "A"},
    )
    assert changed.error is None
    assert {path for _, path, _ in sent(sandbox, "PATCH", "PUT")} == {
        "/v2/organization/1",
        "/v2/organization/1/policies",
        "/v2/organization/1/custom-fields",
    }


def test_an_update_of_fields_alone_sends_nothing_else(call: Call, sandbox: Sandbox) -> None:
    assert call("update_organization", organization_id=1, fields={"contractNumber": "B"}).error is None
    assert [path for _, path, _ in sent(sandbox, "PATCH", "PUT")] == ["/v2/organization/1/custom-fields"]


def test_locations_with_fields(call: Call, sandbox: Sandbox) -> None:
    made = call("create_location", organization_id=1, name="Annex", fields={"siteCode": "X"})
    assert made.error is None
    place = made.result["id"]
    changed = call(
        "update_location", organization_id=1, location_id=place, address="2 Quay", fields={"siteCode": "Y"}
    )
    assert changed.error is None
    assert changed.result["address"] == "2 Quay"
    assert sent(sandbox, "PATCH")[-1] == (
        "PATCH",
        f"/v2/organization/1/location/{place}/custom-fields",
        {"siteCode": "Y"},
    )


def test_devices_are_listed_over_all_pages(call: Call, sandbox: Sandbox) -> None:
    found = call("list_devices", filter="status in (APPROVED)", limit=7)
    if found.error:
        found = call("list_devices", limit=7)
    assert [device["id"] for device in found.result] == list(range(1, 8))
    assert found.meta["truncated"] is True
    everything = call("list_devices")
    assert "truncated" not in everything.meta
    assert len(everything.result) > 7


def test_a_device_link_as_an_answer_and_as_a_redirect(call: Call, sandbox: Sandbox) -> None:
    plain = call("get_device_link", device_id=1)
    redirect = call("get_device_link", device_id=1, redirect=True)
    assert plain.result["url"] == redirect.result["url"]
    assert redirect.meta["status"] == 302
    assert len(sandbox.log.requests()) == 2


def test_a_device_changes_its_name_policy_and_warranty(call: Call, sandbox: Sandbox) -> None:
    changed = call(
        "update_device", device_id=1, display_name="Till 4", policy_id=None, warranty_end="2030-01-01"
    )
    assert changed.error is None
    (body,) = [body for _, _, body in sent(sandbox, "PATCH")]
    assert body == {"displayName": "Till 4", "policyId": None, "warranty": {"endDate": 1893456000}}


def test_pending_devices_are_approved(call: Call) -> None:
    pending = [d["id"] for d in call("list_devices", filter="status = PENDING").result]
    assert pending
    assert call("approve_devices", mode="APPROVE", devices=pending).error is None
    assert call("list_devices", filter="status = PENDING").result == []


def test_a_reboot_shows_among_the_devices_activities(call: Call, sandbox: Sandbox) -> None:
    assert call("reboot_device", device_id=1, mode="FORCED", reason="patches").error is None
    assert sent(sandbox, "POST") == [("POST", "/v2/device/1/reboot/FORCED", {"reason": "patches"})]


def test_a_service_is_stopped(call: Call) -> None:
    (service,) = call("list_windows_services", device_id=1, service_name="Spooler").result
    assert service["state"] == "RUNNING"
    assert call("control_windows_service", device_id=1, service_id="Spooler", action="STOP").error is None
    assert call("list_windows_services", device_id=1, service_state="STOPPED", service_name="Spooler").result


def test_a_script_and_a_built_in_action_run(call: Call) -> None:
    options = call("list_scripting_options", device_id=1).result["scripts"]
    script = next(s for s in options if s["type"] == "SCRIPT")
    action = next(s for s in options if s["type"] == "ACTION")
    assert (
        call("run_script", device_id=1, type="SCRIPT", script_id=script["id"], run_as="system").error is None
    )
    assert call("run_script", device_id=1, type="ACTION", uid=action["uid"]).error is None
    assert call("run_script", device_id=1, type="ACTION", script_id=1).meta["code"] == "input_invalid"


@pytest.mark.parametrize(
    ("end", "is_sent"),
    [
        ("2037-07-16T00:00:00", "2037-07-16T00:00:00Z"),
        ("2037-07-16T00:00:00-4:00", "2037-07-16T04:00:00Z"),
        ("2037-07-16T00:00:00-04:00", "2037-07-16T04:00:00Z"),
        (2131574400, "2037-07-19T00:00:00Z"),
        (2131574400000, "2037-07-19T00:00:00Z"),
    ],
)
def test_a_maintenance_window_is_set_and_cancelled(
    call: Call, sandbox: Sandbox, end: object, is_sent: str
) -> None:
    disabled = ["ALERTS", "TASKS"]
    assert (
        call("schedule_maintenance", device_id=1, disabled_features=disabled, start="", end=end).error is None
    )
    assert sent(sandbox, "PUT") == [
        ("PUT", "/v2/device/1/maintenance", {"disabledFeatures": disabled, "end": is_sent})
    ]
    (device,) = call("list_devices", filter="id = 1").result
    assert device["maintenance"]["status"] == "IN_MAINTENANCE"
    assert call("cancel_maintenance", device_id=1).error is None
    (device,) = call("list_devices", filter="id = 1").result
    assert "maintenance" not in device


def test_alerts_of_some_devices(call: Call) -> None:
    alerts = call("list_alerts").result
    source = alerts[0]["sourceType"]
    assert {a["sourceType"] for a in call("list_alerts", source_type=source).result} == {source}


def test_an_installer_for_a_location(call: Call, sandbox: Sandbox) -> None:
    (device,) = call("list_devices", filter="id = 1").result
    place = {"organization_id": device["organizationId"], "location_id": device["locationId"]}
    made = call("generate_installer", installer_type="WINDOWS_MSI", **place)
    assert made.error is None
    assert made.result["url"].startswith("http")
    path = "/v2/organization/{organization_id}/location/{location_id}/installer/WINDOWS_MSI".format(**place)
    assert sent(sandbox, "GET")[-1][1] == path
    made = call("generate_installer", installer_type="WINDOWS_MSI", node_role_id="auto", **place)
    assert (made.error, sent(sandbox, "POST")) == (None, [])
    made = call("generate_installer", installer_type="WINDOWS_MSI", node_role_id="201", **place)
    assert (made.error, sent(sandbox, "POST")[0][1]) == (None, "/v2/organization/generate-installer")
