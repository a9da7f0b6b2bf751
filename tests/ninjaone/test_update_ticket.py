"""Update tickets: read, merge, write with the version, and resolve before closing."""

from __future__ import annotations

from typing import Any

import pytest

from connector.errors import RowError
from tests.ninjaone.feeding import Fed, feed, refusal

UID = "892367d6-dad7-48de-a83a-ba8882d95b98"
OTHER_UID = "1fa74a18-a329-40d8-b5b7-0a22624f7800"
TICKET: dict[str, Any] = {
    "id": 5,
    "version": 4,
    "nodeId": 7,
    "clientId": 3,
    "locationId": 31,
    "assignedAppUserId": 2,
    "requesterUid": UID,
    "subject": "VPN drops",
    "status": {"statusId": 2000, "name": "OPEN", "displayName": "Open", "parentId": 2000},
    "type": "PROBLEM",
    "priority": "LOW",
    "severity": "MINOR",
    "ticketFormId": 1,
    "source": "EMAIL",
    "tags": ["vpn"],
    "ccList": {"uids": [UID], "emails": ["ops@example.com"]},
    "createTime": 1785392899.5,
    "deleted": False,
    "attributeValues": [
        {"id": 77, "attributeId": 31, "value": "on-site"},
        {"id": 78, "attributeId": 32, "value": [1, 2]},
        {"id": 79, "attributeId": 33},
    ],
    "additionalAssignedTechnicianIds": [8],
    "followupTime": 1790000000.0,
}
WRITTEN: dict[str, Any] = {
    "version": 4,
    "clientId": 3,
    "ticketFormId": 1,
    "locationId": 31,
    "nodeId": 7,
    "subject": "VPN drops",
    "type": "PROBLEM",
    "assignedAppUserId": 2,
    "requesterUid": UID,
    "severity": "MINOR",
    "priority": "LOW",
    "tags": ["vpn"],
    "additionalAssignedTechnicianIds": [8],
    "followupTime": 1790000000.0,
    "status": "2000",
    "cc": {"uids": [UID], "emails": ["ops@example.com"]},
    "attributes": [
        {"id": 77, "attributeId": 31, "value": "on-site"},
        {"id": 78, "attributeId": 32, "value": "[1, 2]"},
    ],
}
STATUSES = [
    {"statusId": 2000, "name": "OPEN", "displayName": "Open", "parentId": 2000},
    {"statusId": 5000, "name": "RESOLVED", "displayName": "Resolved", "parentId": 5000},
    {"statusId": 5001, "name": "RESOLVED_1", "displayName": "Resolved by phone", "parentId": 5000},
    {"statusId": 6000, "name": "CLOSED", "displayName": "Closed", "parentId": 6000},
    {"statusId": 6001, "name": "CLOSED_1", "displayName": "Closed as duplicate", "parentId": 6000},
]
GET, PUT = "GET /v2/ticketing/ticket/5", "PUT /v2/ticketing/ticket/5"
GET_STATUSES = "GET /v2/ticketing/statuses"
REFUSED = refusal(400, said="ticket_status_not_allowed")


def update(*answers: Any, ticket: dict[str, Any] | None = None, **values: Any) -> Fed:
    return feed("update_ticket", ticket or TICKET, *answers, ticket_id=5, **values)


def test_the_update_of_the_seed_document() -> None:
    given = {"status": "IN_PROGRESS", "priority": "MEDIUM", "assigned_technician_id": 456}
    fed = feed("update_ticket", STATUSES, TICKET, {"id": 5}, ticket_id=5, **given)
    assert fed.lines == [GET_STATUSES, GET, PUT]
    assert fed.body == {**WRITTEN, "status": "2000", "priority": "MEDIUM", "assignedAppUserId": 456}
    assert fed.notes == ["status: the current API has no IN_PROGRESS; sent the closest one, Open (2000)"]
    assert fed.result == {"id": 5}
    assert [request.repeatable for request in fed.sent] == [True, True, False]


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"subject": "New"}, {"subject": "New"}),
        ({"status": "5000"}, {"status": "5000"}),
        ({"priority": "CRITICAL"}, {"priority": "HIGH"}),
        ({"version": 4, "type": "TASK"}, {"type": "TASK"}),
        ({"client_id": 4, "ticket_form_id": 2}, {"clientId": 4, "ticketFormId": 2}),
        ({"device_id": "null", "location_id": "null"}, {"nodeId": None, "locationId": None}),
        ({"assigned_technician_id": None}, {"assignedAppUserId": None}),
        ({"parent_ticket_id": 9}, {"parentTicketId": 9}),
        ({"followup_time": None}, {"followupTime": None}),
        ({"followup_time": "2026-12-01T08:00:00Z"}, {"followupTime": 1796112000}),
        ({"requester_uid": OTHER_UID}, {"requesterUid": OTHER_UID}),
        ({"tags": []}, {"tags": []}),
        ({"tags": ["a"]}, {"tags": ["a"]}),
        ({"cc_emails": ["a@example.com"]}, {"cc": {"uids": [UID], "emails": ["a@example.com"]}}),
        ({"cc_uids": []}, {"cc": {"uids": [], "emails": ["ops@example.com"]}}),
        ({"additional_assigned_technician_ids": []}, {"additionalAssignedTechnicianIds": []}),
        (
            {"attributes": [{"attributeId": 31, "value": "remote"}, {"attributeId": 40, "value": "x"}]},
            {
                "attributes": [
                    {"id": 77, "attributeId": 31, "value": "remote"},
                    {"id": 78, "attributeId": 32, "value": "[1, 2]"},
                    {"attributeId": 40, "value": "x"},
                ]
            },
        ),
    ],
)
def test_inputs_are_merged_into_the_ticket(given: Any, changed: Any) -> None:
    fed = update({}, **given)
    assert fed.lines == [GET, PUT]
    assert fed.body == {**WRITTEN, **changed}


def test_a_ticket_with_few_members() -> None:
    ticket = {"id": 5, "version": 1, "clientId": 3, "requesterUid": UID, "tags": [], "subject": "a"}
    fed = update({}, ticket=ticket, priority="LOW")
    assert fed.body == {"version": 1, "clientId": 3, "requesterUid": UID, "subject": "a", "priority": "LOW"}


def test_names_are_resolved_in_the_organization_of_the_ticket() -> None:
    places = [{"id": n, "name": "Attic", "organizationId": of} for n, of in ((32, 3), (42, 4))]
    people = [{"id": 6, "firstName": "Kit", "lastName": "Page"}]
    fed = feed("update_ticket", people, places, TICKET, TICKET, {},
               ticket_id=5, location_id="Attic", assigned_technician_id="Kit Page")  # fmt: skip
    assert fed.lines[1:] == ["GET /v2/locations?pageSize=1000", GET, GET, PUT]
    assert (fed.body["locationId"], fed.body["assignedAppUserId"]) == (32, 6)
    moved = feed("update_ticket", [{"id": 4, "name": "Acme"}], [{"id": 2, "name": "Two"}], places, TICKET, {},
                 ticket_id=5, client_id="Acme", ticket_form_id="Two", location_id="Attic")  # fmt: skip
    assert moved.lines[2:] == ["GET /v2/locations?pageSize=1000", GET, PUT]
    assert (moved.body["clientId"], moved.body["locationId"]) == (4, 42)


def test_nothing_to_change() -> None:
    with pytest.raises(RowError, match="at least one input to change is required"):
        feed("update_ticket", ticket_id=5)


def test_a_ticket_without_a_requester() -> None:
    ticket = {name: value for name, value in TICKET.items() if name != "requesterUid"}
    assert "requester_uid is required: ticket 5 has no requester" in str(
        update(ticket=ticket, priority="LOW").error
    )
    assert update({}, ticket=ticket, requester_uid=UID).error is None


# Somebody else's change


def test_a_version_mismatch() -> None:
    fed = update(version=3, priority="LOW")
    assert fed.error is not None
    assert fed.error.code == "conflict"
    assert "ticket 5 has version 4, not 3" in str(fed.error)
    assert fed.lines == [GET]


@pytest.mark.parametrize(
    "response",
    [
        refusal(409, "conflict"),
        refusal(412),
        refusal(400, said="OptimisticLockException"),
        refusal(422, said="ticket_version_mismatch"),
    ],
)
def test_a_change_in_between_is_a_conflict_and_not_retried(response: RowError) -> None:
    fed = update(response, status="6000")
    assert fed.error is not None
    assert (fed.error.code, fed.error.status, fed.error.request_id) == ("conflict", response.status, "r-1")
    assert "was changed after it was read (version 4)" in str(fed.error)
    assert "Run the row again" in str(fed.error)
    assert fed.lines == [GET, PUT]


def test_a_lost_response_is_not_a_conflict() -> None:
    lost = RowError("outcome_unknown", "no answer; version", refused=False)
    fed = update(lost, status="6000")
    assert fed.error is lost


# Closing


@pytest.mark.parametrize("expected", ["6000", "6001"])
def test_closing_resolves_first_if_the_api_requires_it(expected: str) -> None:
    fed = update(REFUSED, STATUSES, {"id": 5, "version": 5}, {"id": 5, "version": 6}, status=expected)
    assert fed.lines == [GET, PUT, GET_STATUSES, PUT, PUT]
    assert [r.body["status"] for r in fed.sent if r.method == "PUT"] == [expected, "5000", expected]
    assert [r.body["version"] for r in fed.sent if r.method == "PUT"] == [4, 4, 5]
    assert fed.notes == ["status: the API rejected closing the ticket directly, so it is resolved first"]
    assert fed.result == {"id": 5, "version": 6}


def test_closing_directly_if_the_api_allows_it() -> None:
    fed = feed("update_ticket", STATUSES, TICKET, {"id": 5}, ticket_id=5, status="Closed")
    assert fed.lines == [GET_STATUSES, GET, PUT]
    assert fed.notes == []


@pytest.mark.parametrize(
    ("status", "before", "statuses"),
    [
        ("2000", 2000, STATUSES),
        ("6000", 5000, STATUSES),
        ("6000", 5001, STATUSES),
        ("9999", 2000, STATUSES),
        ("6000", 2000, []),
    ],
)
def test_an_error_that_is_not_about_closing(status: str, before: int, statuses: Any) -> None:
    ticket = {**TICKET, "status": {"statusId": before}}
    fed = update(REFUSED, statuses, ticket=ticket, status=status)
    assert fed.error is REFUSED
    assert fed.lines == [GET, PUT, GET_STATUSES]


@pytest.mark.parametrize(
    ("response", "given"),
    [
        (REFUSED, {"priority": "LOW"}),
        (refusal(403, "forbidden"), {"status": "6000"}),
        (refusal(404, "not_found"), {"status": "6000"}),
        (refusal(429, "rate_limited"), {"status": "6000"}),
        (refusal(500), {"status": "6000"}),
        (RowError("timeout", "no answer"), {"status": "6000"}),
    ],
)
def test_another_error_ends_the_row(response: RowError, given: Any) -> None:
    fed = update(response, **given)
    assert fed.error is response
    assert fed.lines == [GET, PUT]


def test_a_conflict_while_closing() -> None:
    fed = update(REFUSED, STATUSES, {"version": 5}, refusal(409, "conflict"), status="6000")
    assert "after it was read (version 5)" in str(fed.error)
