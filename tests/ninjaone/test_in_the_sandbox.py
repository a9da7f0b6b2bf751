"""Tickets, organizations and custom fields through the engine, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.client.factory import open_client
from connector.connections.connection import make_connection
from connector.runs.job import Job
from connector.runs.prepared import make_invoker, prepare
from connector.sandbox.ninjaone.server import Sandbox
from tests.e2e.conftest import Call


def paths(sandbox: Sandbox, *methods: str) -> list[str]:
    return [r["path"] for r in sandbox.log.requests() if r["method"] in methods]


def technician(call: Call, number: int) -> dict[str, Any]:
    return next(user for user in call("list_users").result if user["id"] == number)


# Tickets


def test_a_ticket_from_open_to_closed(call: Call, sandbox: Sandbox) -> None:
    person = technician(call, 2)
    made = call(
        "create_ticket",
        client_id=1,
        subject="Server disk space critical",
        description="C: drive on SERVER-01 is at 95% capacity",
        priority="CRITICAL",
        status="OPEN",
        assigned_technician_id=person["email"],
        tags=["disk", "server", "critical"],
    )
    assert made.error is None
    assert made.meta["warnings"] == ["priority: the current API has no CRITICAL; sent the closest one, HIGH"]
    ticket = made.result
    assert ticket["status"]["name"] == "OPEN"
    assert (ticket["priority"], ticket["assignedAppUserId"]) == ("HIGH", 2)
    assert ticket["tags"] == ["disk", "server", "critical"]

    started = call("update_ticket", ticket_id=ticket["id"], status="IN_PROGRESS", priority="MEDIUM")
    assert started.error is None
    assert "sent the closest one, Open (2000)" in started.meta["warnings"][0]
    assert started.result == {**ticket, "version": 2, "priority": "MEDIUM"}

    worked = call(
        "add_ticket_comment", ticket_id=ticket["id"], public=False, body="Cleaned", time_tracked=900
    )
    assert worked.error is None
    closed = call("update_ticket", ticket_id=ticket["id"], status="CLOSED")
    assert closed.error is None
    assert closed.result["status"]["name"] == "CLOSED"
    assert closed.result["subject"] == ticket["subject"]
    assert "so it is resolved first" in closed.meta["warnings"][0]

    log = call("list_ticket_log_entries", ticket_id=ticket["id"]).result
    assert [entry["type"] for entry in log] == ["DESCRIPTION", "SAVE", "COMMENT", "SAVE", "SAVE"]
    assert log[0]["body"] == "C: drive on SERVER-01 is at 95% capacity"
    assert log[0]["publicEntry"] is True
    assert log[2]["timeTracked"] == 900


def test_a_resolved_ticket_is_closed_directly(call: Call, sandbox: Sandbox) -> None:
    assert call("update_ticket", ticket_id=1001, status="Resolved").error is None
    before = len(paths(sandbox, "PUT"))
    closed = call("update_ticket", ticket_id=1001, status="6000")
    assert closed.error is None
    assert "warnings" not in closed.meta
    assert len(paths(sandbox, "PUT")) == before + 1


def test_a_ticket_changed_in_between(call: Call, sandbox: Sandbox) -> None:
    conflict = {"fault": "answer", "status": 409, "body": {"resultCode": "version_conflict"}}
    sandbox.set_faults(queue=[None, conflict])
    changed = call("update_ticket", ticket_id=1001, priority="LOW")
    assert changed.meta["code"] == "conflict"
    assert changed.meta["repeatable"] is True
    assert "ticket 1001 was changed after it was read" in str(changed.error)
    assert len(paths(sandbox, "PUT")) == 1
    stale = call("update_ticket", ticket_id=1001, version=99, priority="LOW")
    assert stale.meta["code"] == "conflict"
    assert len(paths(sandbox, "PUT")) == 1


def test_a_ticket_resolved_but_not_closed_is_partial(call: Call, sandbox: Sandbox) -> None:
    no = {"fault": "answer", "status": 400, "body": {"resultCode": "no"}}
    # The ticket, the first PUT, the statuses, Resolved, and the last PUT.
    sandbox.set_faults(queue=[None, no, None, None, no])
    closed = call("update_ticket", ticket_id=1001, status="6000")
    assert closed.meta["code"] == "partial"
    assert "PUT /v2/ticketing/ticket/1001 succeeded (id 1001); then" in str(closed.error)
    assert call("get_ticket", ticket_id=1001).result["status"]["name"] == "RESOLVED"


def test_lookups_are_cached_for_a_run(catalog: Catalog, sandbox: Sandbox) -> None:
    prepared = prepare(Job(action="create_ticket", delay_ms=0), catalog)
    connection = make_connection(prepared.service, sandbox.connection, "the sandbox")
    invoker = make_invoker(prepared, open_client(prepared.service, connection, 0))
    for number, status in enumerate(("IN_PROGRESS", "Waiting", "ON_HOLD"), start=1):
        row = {"client_id": 1, "subject": f"Ticket {number}", "status": status}
        (envelope,) = invoker.envelopes(number, row)
        assert envelope.error is None
    assert paths(sandbox, "GET") == ["/v2/ticketing/statuses", "/v2/ticketing/ticket-form"]
    assert paths(sandbox, "POST") == ["/v2/ticketing/ticket"] * 3


def test_a_ticket_with_only_a_device(call: Call) -> None:
    made = call("create_ticket", subject="Outlook crashes repeatedly", device_id=1)
    assert made.error is None
    assert made.result["clientId"] == call("get_device", device_id=1).result["organizationId"]
    assert made.result["status"]["name"] == "NEW"


def test_boards_are_listed_and_run(call: Call) -> None:
    boards = call("list_ticket_boards").result
    tickets = call("run_ticket_board", board_id=boards[0]["id"], limit=3)
    assert tickets.error is None
    assert len(tickets.result) == 3
    assert tickets.meta["truncated"] is True


# Organizations, locations and custom fields


def test_an_organization_with_names_and_typed_fields(call: Call, sandbox: Sandbox) -> None:
    model = call("list_organizations", limit=1).result[0]
    made = call(
        "create_organization",
        name="Heron Legal",
        template_organization_id=model["name"],
        policies=[{"nodeRoleId": "Windows Server", "policyId": "Windows Servers"}],
        fields={"supportPlan": "gold", "contractEnd": "2027-12-31", "accountNotes": "<p>Call first</p>"},
    )
    assert made.error is None
    stored = call("get_organization_custom_fields", organization_id=made.result["id"]).result
    assert stored["contractEnd"] == 1830211200000
    assert stored["accountNotes"]["html"] == "<p>Call first</p>"
    definitions = call("list_custom_field_definitions").result
    plan = next(d for d in definitions if d["name"] == "supportPlan")
    assert stored["supportPlan"] in [o["id"] for o in plan["content"]["values"] if o["name"] == "Gold"]

    changed = call(
        "update_organization", organization_id="heron legal", description="New", fields={"supportPlan": None}
    )
    assert changed.error is None
    assert (
        "supportPlan" not in call("get_organization_custom_fields", organization_id=made.result["id"]).result
    )


def test_a_location_by_name(call: Call) -> None:
    made = call("create_location", organization_id=1, name="Annex", fields={"floor": "2"})
    assert made.error is None
    assert call("update_location", organization_id=1, location_id="annex", address="2 Quay").error is None
    place = {"organization_id": 1, "location_id": "Annex"}
    assert call("update_location_custom_fields", **place, fields={"siteCode": 7}).error is None
    stored = call("get_location_custom_fields", organization_id=1, location_id=made.result["id"]).result
    assert (stored["floor"], stored["siteCode"]) == (2, "7")


def test_device_fields(call: Call) -> None:
    fields = {"environment": "Test", "serviceWindows": ["Nights"], "lastCheck": "2026-05-28", "spare": "no"}
    assert call("update_device_custom_fields", device_id=1, fields=fields).error is None
    stored = call("get_device_custom_fields", device_id=1).result
    assert (stored["lastCheck"], stored["spare"]) == (1779926400000, False)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"enviroment": "Test"}, 'no custom field enviroment (did you mean "environment"?)'),
        ({"environment": "Staging"}, "Existing: Production, Test"),
        ({"contractEnd": "2026-05-28"}, "a custom field of organizations, not of devices"),
    ],
)
def test_a_wrong_field_is_never_sent(call: Call, sandbox: Sandbox, fields: Any, message: str) -> None:
    changed = call("update_device_custom_fields", device_id=1, fields=fields)
    assert changed.meta["code"] == "input_invalid"
    assert message in str(changed.error)
    assert paths(sandbox, "PATCH") == []


def test_an_instance_without_definitions(call: Call, sandbox: Sandbox) -> None:
    sandbox.set_faults(queue=[{"fault": "answer", "status": 404, "body": {"resultCode": "FAILURE"}}])
    changed = call("update_device_custom_fields", device_id=1, fields={"rack": "B4"})
    assert changed.error is None
    assert (
        "sent unchanged, because the definitions of custom fields cannot be read"
        in changed.meta["warnings"][0]
    )
