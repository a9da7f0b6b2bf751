"""Rows 10 and 12: names and email addresses in place of ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone

pytestmark = pytest.mark.in_process


def test_10_policies_by_names_of_organization_role_and_policy(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    policies = 'policies=[{"nodeRoleId":"Windows Server","policyId":"windows servers"}]'
    found = call(ninjaone, sandbox, "assign_organization_policies", "organization_id=Alder Dental", policies)
    assert found["error"] is None
    assert sent(sandbox) == [("PUT", "/v2/organization/1/policies", [{"nodeRoleId": 101, "policyId": 52}])]


def test_10_a_device_and_its_policy(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    assert (
        call(ninjaone, sandbox, "update_device", "device_id=srv-0001", "policy_id=Windows Servers")["error"]
        is None
    )
    assert sent(sandbox) == [("PATCH", "/v2/device/1", {"policyId": 52})]


def test_10_a_sheet_of_names(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    sheet = tmp_path / "policy-by-name.csv"
    known = sheet.read_text().replace("Workstation Standard", "Windows Workstations")
    sheet.write_text(known + "Birch Logistics,Windows Workstations,Windows Desktop\n")
    policies = '[{"nodeRoleId": "{{ DeviceRole }}", "policyId": "{{ PolicyName }}"}]'
    templates = ("-t", "organization_id={{ OrganizationName }}", "-t", f"policies={policies}")
    done = ninjaone(
        *("run", "assign_organization_policies", "-i", sheet.name, *templates),
        *("-o", "-", "--delay-ms", "0", "--yes"),
        **account(sandbox),
    )
    assert [json.loads(line)["error"] for line in done.stdout.splitlines()] == [None, None]
    body = [{"nodeRoleId": 201, "policyId": 51}]
    assert sent(sandbox) == [("PUT", f"/v2/organization/{number}/policies", body) for number in (1, 2)]
    looked_up = [entry["path"] for entry in sandbox.log.requests() if entry["method"] == "GET"]
    assert sorted(looked_up) == ["/v2/organizations", "/v2/policies", "/v2/roles"]


def test_12_the_requester_by_email_address(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    found = call(
        ninjaone, sandbox, "create_ticket", "client_id=alder dental", "subject=Printer",
        "ticket_form_id=Default", "requester_uid=Ellis.Green.5@example.com",
        "assigned_technician_id=Casey East", "status=open",
    )  # fmt: skip
    assert found["error"] is None
    ((_, _, body),) = sent(sandbox)
    assert body["requesterUid"] == "892367d6-dad7-48de-a83a-ba8882d95b98"
    assert (body["clientId"], body["assignedAppUserId"], body["status"]) == (1, 3, "2000")


def account(sandbox: Sandbox) -> dict[str, str]:
    return {
        "NINJAONE_BASE_URL": sandbox.base_url,
        "NINJAONE_CLIENT_ID": sandbox.client_id,
        "NINJAONE_CLIENT_SECRET": sandbox.client_secret,
    }


def call(ninjaone: Ninjaone, sandbox: Sandbox, *arguments: str, code: int = 0) -> Any:
    """Return the envelope of one call."""
    done = ninjaone("call", *arguments, "--delay-ms", "0", **account(sandbox))
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def sent(sandbox: Sandbox) -> list[tuple[str, str, Any]]:
    """Return the writes, as method, path and body."""
    writes = [entry for entry in sandbox.log.requests() if entry["method"] != "GET"]
    return [(entry["method"], entry["path"], entry["body"]) for entry in writes]


ROW = {
    "organization_id": "Alder Dental",
    "policies": [
        {"nodeRoleId": "Windows Server", "policyId": "Windows Servers"},
        {"nodeRoleId": 201, "policyId": 51},
    ],
}


def preview(ninjaone: Ninjaone, sandbox: Sandbox, action: str, row: Any, *options: str, code: int = 0) -> Any:
    """Return the preview of one row as JSON values."""
    given = ("preview", action, "-i", "-", "--json", *options)
    done = ninjaone(*given, stdin=json.dumps(row), **account(sandbox))
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_a_preview_says_which_names_are_resolved_later(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    shown = preview(ninjaone, sandbox, "assign_organization_policies", ROW)
    assert shown["resolved_later"] == [
        'organization_id is the id of the organization "Alder Dental"',
        'policies[0].nodeRoleId is the id of the device role "Windows Server"',
        'policies[0].policyId is the id of the policy "Windows Servers"',
    ]
    assert sandbox.log.requests() == []
    by_id = preview(ninjaone, sandbox, "get_device", {"device_id": "7"})
    assert "resolved_later" not in by_id


def test_a_preview_with_lookup_shows_the_request_as_it_is_sent(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    shown = preview(ninjaone, sandbox, "assign_organization_policies", ROW, "--lookup")
    assert shown["url"] == f"{sandbox.base_url}/v2/organization/1/policies"
    assert shown["body"] == [{"nodeRoleId": 101, "policyId": 52}, {"nodeRoleId": 201, "policyId": 51}]
    assert "resolved_later" not in shown
    assert {entry["method"] for entry in sandbox.log.requests()} == {"GET"}


def test_a_preview_with_lookup_converts_custom_fields(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    row = {"device_id": "srv-0001", "fields": {"Last check": "2025-05-28"}}
    shown = preview(ninjaone, sandbox, "update_device_custom_fields", row, "--lookup")
    assert shown["body"] == {"lastCheck": 1748390400000}
    assert sent(sandbox) == []


def test_a_preview_with_lookup_reads_the_ticket_and_shows_warnings(
    ninjaone: Ninjaone, sandbox: Sandbox
) -> None:
    row = {"ticket_id": 1001, "status": "ON_HOLD", "location_id": "Branch"}
    shown = preview(ninjaone, sandbox, "update_ticket", row, "--lookup")
    assert (shown["method"], shown["body"]["locationId"], shown["body"]["version"]) == ("PUT", 2, 1)
    assert shown["warnings"] == [
        "status: the current API has no ON_HOLD; sent the closest one, Paused (4000)"
    ]
    assert sent(sandbox) == []


def test_a_preview_with_lookup_of_an_unknown_name(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    shown = preview(ninjaone, sandbox, "get_device", {"device_id": "srv-00011"}, "--lookup", code=1)
    assert shown["error"].startswith('device_id: no device is named "srv-00011" (did you mean "SRV-0011"?)')


def test_a_preview_with_lookup_requires_a_connection(ninjaone: Ninjaone) -> None:
    done = ninjaone("preview", "get_device", "-i", "-", "--lookup", stdin='{"device_id": 1}')
    assert (done.returncode, done.stdout) == (2, "")


def test_a_name_is_never_a_location_of_another_organization(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    branch = ("update_location", "location_id=Birch Logistics/Branch", "name=Depot")
    found = call(ninjaone, sandbox, *branch, "organization_id=1", code=1)
    assert found["meta"]["code"] == "conflict"
    assert "is in another organization than the one of this row" in found["error"]
    assert call(ninjaone, sandbox, *branch, "organization_id=birch logistics")["result"]["id"] == 4
    (write,) = sent(sandbox)
    assert write[1] == "/v2/organization/2/locations/4"


def test_the_location_is_one_of_the_organization_of_the_device(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    assert call(ninjaone, sandbox, "update_device", "device_id=1", "location_id=branch")["error"] is None
    assert sent(sandbox) == [("PATCH", "/v2/device/1", {"locationId": 2})]


@pytest.mark.parametrize(
    ("given", "code"),
    [("name:1", "not_found"), ("Name: 1", "not_found"), ("id:x", "input_invalid"), ("", ""), ("ID: 1", "")],
)
def test_id_and_name_decide(ninjaone: Ninjaone, sandbox: Sandbox, given: str, code: str) -> None:
    found = call(ninjaone, sandbox, "get_device", f"device_id={given or 'id:1'}", code=1 if code else 0)
    assert (found["meta"]["code"] or "") == code
    if not code:
        assert found["result"]["id"] == 1


def test_two_records_of_one_name_are_listed(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    for device in (1, 2):
        assert (
            call(ninjaone, sandbox, "update_device", f"device_id={device}", "display_name=Twin")["error"]
            is None
        )
    found = call(ninjaone, sandbox, "get_device", "device_id=twin", code=1)
    assert found["meta"]["code"] == "conflict"
    assert found["error"].endswith(
        '"twin" is the name of more than one device; use the id: Twin (1), Twin (2)'
    )


def test_many_threads_look_names_up_once(ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    rows = [
        {"device_id": f"srv-{number:04}", "policy_id": "Windows Servers"} for number in (1, 8, 11, 18) * 8
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = ("run", "update_device", "-i", "rows.jsonl", "-o", "out.jsonl", "--concurrency", 8)
    done = ninjaone(*given, "--delay-ms", "0", "--yes", **account(sandbox))
    assert done.returncode == 0, done.stderr
    reads = [entry["path"] for entry in sandbox.log.requests() if entry["method"] == "GET"]
    assert sorted(reads) == ["/v2/devices", "/v2/policies"]
    assert len(sent(sandbox)) == len(rows)


def test_names_are_looked_up_again_by_a_resumed_run(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    rows = [
        {"organization_id": name, "description": "x"} for name in ("Alder Dental", "Elm", "Birch Logistics")
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = ("run", "update_organization", "-i", "rows.jsonl", "-o", "out.jsonl", "--delay-ms", "0")
    stopped = ninjaone(*given, "--on-error", "stop", **account(sandbox))
    assert stopped.returncode == 3, stopped.stderr
    done = ninjaone(*given, "--on-error", "stop", "--resume", **account(sandbox))
    assert done.returncode == 1, done.stderr
    envelopes = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [envelope["meta"]["code"] for envelope in envelopes] == [None, "not_found", None]
    assert [write[1] for write in sent(sandbox)] == ["/v2/organization/1", "/v2/organization/2"]
    reads = [entry["path"] for entry in sandbox.log.requests() if entry["method"] == "GET"]
    assert reads == ["/v2/organizations"] * 2
