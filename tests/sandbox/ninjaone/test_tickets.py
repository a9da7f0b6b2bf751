"""Creating and changing tickets."""

from __future__ import annotations

import pytest

NEW = {"clientId": 1, "ticketFormId": 1, "subject": "Printer jam", "status": "1000"}
TICKETS = "/v2/ticketing/ticket"


def again(ticket, **changes):
    """Return the body that updates a ticket with these changes only."""
    kept = ("version", "clientId", "ticketFormId", "subject", "requesterUid", "priority", "severity", "type")
    body = {name: ticket[name] for name in kept} | {"status": str(ticket["status"]["statusId"])}
    return body | changes


def test_creating(account):
    account.sandbox.reset()
    fields = {
        "type": "INCIDENT",
        "priority": "LOW",
        "severity": "MINOR",
        "nodeId": 2,
        "assignedAppUserId": 2,
        "tags": ["printer"],
        "cc": {"emails": ["ops@example.com"]},
        "attributes": [{"attributeId": 32, "value": "PO-1"}],
        "followupTime": 1_790_000_000.0,
    }
    description = {"public": True, "body": "Tray 2", "htmlBody": "<p>Tray 2</p>", "timeTracked": 60}
    made = account.do("POST", TICKETS, {**NEW, **fields, "description": description})
    assert account.get(f"{TICKETS}/{made['id']}") == made
    assert (made["version"], made["status"]["name"]) == (1, "NEW")
    assert made["ccList"]["emails"] == ["ops@example.com"]
    assert made["attributeValues"] == [{"id": 1, "attributeId": 32, "value": "PO-1"}]
    (entry,) = account.get(f"{TICKETS}/{made['id']}/log-entry")
    assert (entry["type"], entry["body"], entry["timeTracked"]) == ("DESCRIPTION", "Tray 2", 60)
    rows = account.do("POST", "/v2/ticketing/trigger/board/2/run", {"pageSize": 100})["data"]
    assert rows[0]["id"] == made["id"]
    assert len(rows) == 26


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"clientId": 99}, 404, "organization_not_found"),
        ({"ticketFormId": 9}, 404, "ticket_form_not_found"),
        ({"nodeId": 99}, 404, "device_not_found"),
        ({"locationId": 99}, 404, "location_not_found"),
        ({"assignedAppUserId": 99}, 404, "user_not_found"),
        ({"parentTicketId": 9}, 404, "ticket_not_found"),
        ({"requesterUid": "00000000-0000-4000-a000-000000000000"}, 404, "user_not_found"),
        ({"attributes": [{"attributeId": 1, "value": "x"}]}, 404, "ticket_attribute_not_found"),
        ({"status": "OPEN"}, 400, "FAILURE"),
        ({"status": "6000"}, 400, "ticket_status_not_allowed"),
        ({"subject": " "}, 400, "FAILURE"),
        ({"subject": "x" * 201}, 400, "FAILURE"),
        ({"priority": "CRITICAL"}, 400, "FAILURE"),
    ],
)
def test_refusals(account, changes, status, code):
    account.sandbox.reset()
    assert account.fails("POST", TICKETS, status, json=NEW | changes)["resultCode"] == code
    assert len(account.sandbox.state.tickets) == 25


def test_updating_replaces_the_ticket(account):
    account.sandbox.reset()
    ticket = account.do("POST", TICKETS, {**NEW, "tags": ["a"], "nodeId": 2})
    changed = account.do("PUT", f"{TICKETS}/{ticket['id']}", again(ticket, status="2000"))
    assert (changed["version"], changed["status"]["name"], changed["tags"]) == (2, "OPEN", [])
    assert "nodeId" not in changed
    entry = account.get(f"{TICKETS}/{ticket['id']}/log-entry")[-1]
    assert entry["type"] == "SAVE"
    assert set(entry["changeDiff"]) == {"status", "tags", "nodeId"}


def test_a_stale_version_is_a_conflict(account):
    account.sandbox.reset()
    ticket = account.get(f"{TICKETS}/1001")
    account.do("PUT", f"{TICKETS}/1001", again(ticket))
    body = account.fails("PUT", f"{TICKETS}/1001", 409, json=again(ticket))
    assert body["resultCode"] == "ticket_version_conflict"
    assert account.get(f"{TICKETS}/1001")["version"] == 2


def test_closing_goes_by_way_of_resolved(account):
    account.sandbox.reset()
    ticket = account.do("POST", TICKETS, NEW)
    path = f"{TICKETS}/{ticket['id']}"
    account.fails("PUT", path, 400, json=again(ticket, status="6000"))
    ticket = account.do("PUT", path, again(ticket, status="5000"))
    ticket = account.do("PUT", path, again(ticket, status="6000"))
    assert ticket["status"]["name"] == "CLOSED"
    assert account.do("PUT", path, again(ticket))["status"]["name"] == "CLOSED"


def test_a_contact_may_ask(account):
    account.sandbox.reset()
    contact = account.get("/v2/contacts")[0]
    made = account.do("POST", TICKETS, {**NEW, "requesterUid": contact["uid"]})
    rows = account.do("POST", "/v2/ticketing/trigger/board/2/run", {"pageSize": 1})["data"]
    assert rows[0]["id"] == made["id"]
    assert rows[0]["requester"] == f"{contact['firstName']} {contact['lastName']}"


def test_forms_and_attributes(account):
    (form,) = account.get("/v2/ticketing/ticket-form")
    assert account.get("/v2/ticketing/ticket-form/1") == form
    assert form["fields"] == account.get("/v2/ticketing/attributes")
    account.fails("GET", "/v2/ticketing/ticket-form/2", 404)


def test_a_deleted_technician_leaves_the_boards_alone(account):
    account.sandbox.reset()
    account.do("DELETE", "/v2/user/technician/1")
    rows = account.do("POST", "/v2/ticketing/trigger/board/2/run", {"pageSize": 100})["data"]
    assert len(rows) == 25
    assert "" in {row["assignee"] for row in rows}
    parts = {"comment": (None, '{"public": true, "body": "x"}', "application/json")}
    assert account.send("POST", f"{TICKETS}/1001/comment", files=parts).status_code == 204
