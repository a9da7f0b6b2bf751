"""Create tickets: defaults, and values of older API versions."""

from __future__ import annotations

from typing import Any

import pytest

from connector.errors import RowError
from tests.ninjaone.feeding import feed

FORM = {"id": 1, "name": "Default", "active": True}
GET_FORMS = "GET /v2/ticketing/ticket-form"
POST = "POST /v2/ticketing/ticket"
TICKET = {"client_id": 123, "ticket_form_id": 1, "subject": "Server disk space critical"}
DOCUMENT = {
    "client_id": 123,
    "subject": "Server disk space critical",
    "description": "C: drive on SERVER-01 is at 95% capacity",
    "priority": "HIGH",
    "status": "OPEN",
    "assigned_technician_id": 456,
    "device_id": 789,
    "tags": ["disk", "server", "critical"],
}
STATUSES = [{"statusId": 2000, "name": "OPEN", "displayName": "Open", "parentId": 2000}]


def test_the_ticket_of_the_seed_document() -> None:
    fed = feed("create_ticket", STATUSES, [FORM], {"id": 5}, **DOCUMENT)
    assert fed.lines == ["GET /v2/ticketing/statuses", GET_FORMS, POST]
    assert fed.body == {
        "clientId": 123,
        "ticketFormId": 1,
        "subject": "Server disk space critical",
        "description": {"body": "C: drive on SERVER-01 is at 95% capacity", "public": True},
        "status": "2000",
        "priority": "HIGH",
        "nodeId": 789,
        "assignedAppUserId": 456,
        "tags": ["disk", "server", "critical"],
    }
    assert fed.result == {"id": 5}
    assert fed.notes == []


def test_ids_need_no_lookup_and_the_default_status_is_new() -> None:
    fed = feed("create_ticket", {"id": 5}, **TICKET)
    assert fed.lines == [POST]
    assert fed.body == {
        "clientId": 123,
        "ticketFormId": 1,
        "subject": "Server disk space critical",
        "status": "1000",
    }


def test_priority_critical_is_sent_as_high_with_a_warning() -> None:
    fed = feed("create_ticket", {"id": 5}, **TICKET, priority="CRITICAL")
    assert fed.body["priority"] == "HIGH"
    assert fed.notes == ["priority: the current API has no CRITICAL; sent the closest one, HIGH"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"description": "a"}, {"body": "a", "public": True}),
        ({"description_html": "<p>a</p>"}, {"htmlBody": "<p>a</p>", "public": True}),
        ({"time_tracked": 60}, {"timeTracked": 60, "public": True}),
        ({"description": "a", "description_public": False}, {"body": "a", "public": False}),
        ({}, None),
    ],
)
def test_a_description_is_public_by_default(given: Any, sent: Any) -> None:
    assert feed("create_ticket", {}, **TICKET, **given).body.get("description") == sent


@pytest.mark.parametrize(
    ("forms", "message"),
    [
        (
            [FORM, {"id": 2, "name": "Onboarding"}],
            "ticket_form_id is required, one of Default (1), Onboarding (2)",
        ),
        ([{**FORM, "active": False}], "ticket_form_id is required, but the account has no active form"),
        ([], "but the account has no active form"),
    ],
)
def test_a_form_is_required_unless_one_is_active(forms: Any, message: str) -> None:
    fed = feed("create_ticket", forms, client_id=1, subject="a")
    assert message in str(fed.error)


def test_a_form_by_name_and_an_inactive_form_is_ignored() -> None:
    forms = [FORM, {"id": 2, "name": "Onboarding", "active": False}]
    assert feed("create_ticket", forms, {}, client_id=1, subject="a").body["ticketFormId"] == 1
    named = feed("create_ticket", forms, {}, client_id=1, subject="a", ticket_form_id="onboarding")
    assert named.body["ticketFormId"] == 2


def test_the_organization_and_a_location_of_it_by_name() -> None:
    fed = feed(
        "create_ticket",
        [{"id": 3, "name": "Acme"}],
        [{"id": 31, "name": "Branch", "organizationId": 3}],
        {},
        **{**TICKET, "client_id": "acme", "location_id": "Branch"},
    )
    assert fed.lines[:2] == ["GET /v2/organizations?pageSize=1000", "GET /v2/locations?pageSize=1000"]
    assert (fed.body["clientId"], fed.body["locationId"]) == (3, 31)


def test_the_organization_defaults_to_that_of_the_device() -> None:
    fed = feed(
        "create_ticket", {"id": 7, "organizationId": 3}, {}, subject="a", ticket_form_id=1, device_id=7
    )
    assert fed.lines == ["GET /v2/device/7", POST]
    assert (fed.body["clientId"], fed.body["nodeId"]) == (3, 7)
    with pytest.raises(RowError, match=r"one of client_id \(the organization\) and device_id"):
        feed("create_ticket", subject="a", ticket_form_id=1)
