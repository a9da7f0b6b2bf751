"""Resolve names to ids, in actions that accept both."""

from __future__ import annotations

from typing import Any

import pytest

from connector.actions.ninjaone import lookups
from connector.errors import InputError
from tests.ninjaone.feeding import feed, refusal

ORGANIZATIONS = [
    {"id": 1, "name": "Alder Dental"},
    {"id": 2, "name": "Birch Legal"},
    {"id": 3, "name": "birch-legal"},
    {"id": 4, "name": "Cedar"},
    {"id": 5, "name": "Cedar"},
]
PEOPLE = [
    {"id": 1, "firstName": "Alex", "lastName": "Carter", "email": "alex@example.com"},
    {"id": 2, "firstName": "Blake", "lastName": "Reed", "email": "blake@example.com"},
    {"id": 3, "firstName": "Blake", "lastName": "Reed", "email": "b.reed@example.com"},
    {"id": 4, "lastName": "Stone"},
]
STATUSES = [
    {"statusId": 1000, "name": "NEW", "displayName": "New", "parentId": 1000},
    {"statusId": 2000, "name": "OPEN", "displayName": "Open", "parentId": 2000},
    {"statusId": 4000, "name": "PAUSED", "displayName": "Paused", "parentId": 4000},
    {"statusId": 3001, "name": "WAITING_ON_VENDOR", "displayName": "Waiting on vendor", "parentId": 3000},
]
GET_ORGANIZATIONS = "GET /v2/organizations?pageSize=1000"
TICKET = {"client_id": 1, "ticket_form_id": 1, "subject": "Mail"}


@pytest.mark.parametrize("given", [7, "7", " 7 ", 7.0])
def test_an_id_is_not_looked_up(given: Any) -> None:
    fed = feed("update_organization", None, organization_id=given, name="New")
    assert fed.lines == ["PATCH /v2/organization/7"]


@pytest.mark.parametrize("given", ["2147483648", " 9999999999 "])
def test_an_id_that_is_too_large_is_refused_unsent(given: str) -> None:
    with pytest.raises(InputError, match=r"^organization_id: .* the range of an int32"):
        feed("update_organization", organization_id=given, name="New")


@pytest.mark.parametrize(
    ("given", "found"),
    [("Alder Dental", 1), ("alder  dental ", 1), ("alder_dental", 1), ("Birch Legal", 2), ("birch-legal", 3)],
)
def test_a_name_is_looked_up(given: str, found: int) -> None:
    fed = feed("update_organization", ORGANIZATIONS, None, organization_id=given, name="New")
    assert fed.lines == [GET_ORGANIZATIONS, f"PATCH /v2/organization/{found}"]
    assert fed.sent[0].cached


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ("Cedar", "conflict", "more than one organization; use the id: Cedar (4), Cedar (5)"),
        ("BIRCH LEGAL", "conflict", "Birch Legal (2), birch-legal (3)"),
        (
            "Alder Dentl",
            "not_found",
            'no organization is named "Alder Dentl" (did you mean "Alder Dental"?). Existing: Alder',
        ),
    ],
)
def test_an_ambiguous_or_unknown_name_lists_the_choices(given: str, code: str, message: str) -> None:
    fed = feed("update_organization", ORGANIZATIONS, organization_id=given, name="New")
    assert fed.error is not None
    assert fed.error.code == code
    assert str(fed.error).startswith("organization_id: ")
    assert message in str(fed.error)


def test_a_number_that_is_too_long_for_an_id_is_a_name_that_is_told_in_short() -> None:
    fed = feed("update_organization", ORGANIZATIONS, organization_id="9" * 5000, name="New")
    assert 'no organization is named "999' in str(fed.error)
    assert len(str(fed.error)) < 1000


def test_of_many_choices_the_first_are_listed() -> None:
    many = [{"id": number, "name": f"Client {number}"} for number in range(1, 31)]
    fed = feed("update_organization", many, organization_id="Nobody", name="New")
    assert "Client 20 (20) and 10 more" in str(fed.error)
    assert "Client 21" not in str(fed.error)


def test_where_there_is_nothing_to_choose_from() -> None:
    fed = feed("update_organization", [], organization_id="null", name="New")
    assert 'no organization is named "null". None exist' in str(fed.error)
    fed = feed("update_organization", [], organization_id="Nobody", name="New")
    assert 'no organization is named "Nobody". None exist' in str(fed.error)


def test_a_list_is_read_over_all_pages() -> None:
    full = [{"id": number, "name": f"Client {number}"} for number in range(1, 1001)]
    fed = feed(
        "update_organization", full, [{"id": 1001, "name": "Last"}], None, organization_id="Last", name="N"
    )
    assert fed.lines == [GET_ORGANIZATIONS, f"{GET_ORGANIZATIONS}&after=1000", "PATCH /v2/organization/1001"]
    assert fed.sent[1].cached


@pytest.mark.parametrize(("status", "code"), [(403, "forbidden"), (404, "not_found")])
def test_what_cannot_be_looked_up_wants_an_id(status: int, code: str) -> None:
    fed = feed("update_organization", refusal(status, code), organization_id="Alder", name="New")
    assert fed.error is not None
    assert (fed.error.code, fed.error.status, fed.error.request_id) == (code, status, "r-1")
    assert 'organization_id: "Alder" cannot be looked up; use the id instead: the API' in str(fed.error)


def test_another_error_stays_what_it_is() -> None:
    fed = feed("update_organization", refusal(500), organization_id="Alder", name="New")
    assert str(fed.error) == "the API answered 500: no"


def test_an_answer_that_is_no_list() -> None:
    fed = feed("create_ticket", {"error": "no"}, **TICKET, status="Open")
    assert fed.error is not None
    assert fed.error.code == "bad_response"


def test_a_location_is_one_of_its_organization() -> None:
    places = [
        {"id": 11, "name": "Main Office", "organizationId": 1},
        {"id": 12, "name": "Branch", "organizationId": 1},
        {"id": 13, "name": "Branch", "organizationId": 2},
    ]
    update = {"organization_id": "Alder Dental", "location_id": "branch", "name": "Old Branch"}
    fed = feed("update_location", ORGANIZATIONS, places, {"id": 12}, **update)
    assert fed.lines == [
        GET_ORGANIZATIONS,
        "GET /v2/locations?pageSize=1000",
        "PATCH /v2/organization/1/locations/12",
    ]
    fed = feed("update_location", places, organization_id=1, location_id="Attic", name="A")
    assert "location_id: no location of this organization" in str(fed.error)


@pytest.mark.parametrize(
    ("given", "found"), [("alex@example.com", 1), ("Alex Carter", 1), ("Stone", 4), ("B.Reed@example.com", 3)]
)
def test_technicians_by_email_or_name(given: str, found: int) -> None:
    fed = feed("create_ticket", PEOPLE, {}, **TICKET, assigned_technician_id=given)
    assert fed.lines == ["GET /v2/users?userType=TECHNICIAN", "POST /v2/ticketing/ticket"]
    assert fed.body["assignedAppUserId"] == found


def test_two_technicians_of_one_name() -> None:
    fed = feed("create_ticket", PEOPLE, **TICKET, assigned_technician_id="Blake Reed")
    assert "more than one technician; use the id: Blake Reed (2), Blake Reed (3)" in str(fed.error)


def test_several_technicians() -> None:
    expected = [9, "Alex Carter", "b.reed@example.com", 1]
    fed = feed("create_ticket", PEOPLE, {}, **TICKET, additional_assigned_technician_ids=expected)
    assert fed.body["additionalAssignedTechnicianIds"] == [9, 1, 3]
    assert fed.lines == ["GET /v2/users?userType=TECHNICIAN", "POST /v2/ticketing/ticket"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [("OPEN", "2000"), ("open", "2000"), ("Waiting on vendor", "3001"), ("WAITING_ON_VENDOR", "3001")],
)
def test_a_status_by_each_of_its_names(given: str, sent: str) -> None:
    fed = feed("create_ticket", STATUSES, {}, **TICKET, status=given)
    assert fed.lines[0] == "GET /v2/ticketing/statuses"
    assert fed.body["status"] == sent
    assert fed.notes == []


@pytest.mark.parametrize("given", ["2000", 2000])
def test_a_status_by_its_id(given: Any) -> None:
    fed = feed("create_ticket", {}, **TICKET, status=given)
    assert fed.body["status"] == "2000"


@pytest.mark.parametrize(
    ("given", "sent", "shown"),
    [("IN_PROGRESS", "2000", "Open (2000)"), ("on_hold", "4000", "Paused (4000)")],
)
def test_an_older_status_becomes_the_nearest_of_todays(given: str, sent: str, shown: str) -> None:
    fed = feed("create_ticket", STATUSES, {}, **TICKET, status=given)
    assert fed.body["status"] == sent
    assert fed.notes == [f"status: the current API has no {given}; sent the closest one, {shown}"]


def test_an_accounts_own_status_of_that_name_goes_first() -> None:
    own = {"statusId": 2001, "name": "IN_PROGRESS_1", "displayName": "In progress", "parentId": 2000}
    fed = feed("create_ticket", [*STATUSES, own], {}, **TICKET, status="IN_PROGRESS")
    assert fed.body["status"] == "2001"
    assert fed.notes == []


def test_an_unknown_status_lists_those_that_there_are() -> None:
    fed = feed("create_ticket", STATUSES, **TICKET, status="Opne")
    assert 'no ticket status is named "Opne" (did you mean "Open"?)' in str(fed.error)
    assert "New (1000), Open (2000), Paused (4000), Waiting on vendor (3001)" in str(fed.error)


def test_roles_and_policies_by_name() -> None:
    roles, policies = [{"id": 101, "name": "Windows Server"}], [{"id": 52, "name": "Windows Servers"}]
    expected = [
        {"nodeRoleId": "windows server", "policyId": "Windows Servers"},
        {"nodeRoleId": "5", "policyId": 6},
    ]
    fed = feed("create_organization", roles, policies, {"id": 9}, name="New", policies=expected)
    assert fed.lines == ["GET /v2/roles", "GET /v2/policies", "POST /v2/organizations"]
    assert fed.body["policies"] == [{"nodeRoleId": 101, "policyId": 52}, {"nodeRoleId": 5, "policyId": 6}]
    fed = feed("create_organization", roles, name="New", policies={"nodeRoleId": "Kiosk", "policyId": 6})
    assert 'policies.nodeRoleId: no device role is named "Kiosk"' in str(fed.error)


def test_a_template_organization_by_name() -> None:
    fed = feed(
        "create_organization", ORGANIZATIONS, {"id": 9}, name="New", template_organization_id="Alder Dental"
    )
    assert fed.lines[-1] == "POST /v2/organizations?templateOrganizationId=1"


def test_choices_without_a_number_are_names_alone() -> None:
    assert lookups.choices([{"id": "x", "name": "Gold"}, {"id": 2, "name": "Tin"}]) == "Gold, Tin (2)"
