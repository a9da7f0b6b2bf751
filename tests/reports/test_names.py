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
