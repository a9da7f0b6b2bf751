"""Endpoints for creating and changing tickets, ticket forms and attributes."""

from __future__ import annotations

import time
from typing import Any

from connector.sandbox.ninjaone.api.collections import check_references
from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.api.operations import operation
from connector.sandbox.ninjaone.data.seed import EPOCH, JSON, STATUSES, uid
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import application_error, invalid, not_found
from connector.sandbox.types import given

RESOLVED, CLOSED = 5000, 6000
_TIMES: JSON = {"createTime": EPOCH - 90_000_000.0, "updateTime": EPOCH - 90_000_000.0}
_FIELDS = (
    *("clientId", "ticketFormId", "locationId", "nodeId", "subject", "type", "severity", "priority", "tags"),
    *("requesterUid", "assignedAppUserId", "additionalAssignedTechnicianIds", "followupTime"),
)
"""The fields that have the same name in tickets and in requests."""


def _attribute(number: int, name: str, kind: str, options: tuple[str, ...] = ()) -> JSON:
    values = [
        {"id": uid(81, number, index), "name": option, "active": True, "system": False}
        for index, option in enumerate(options)
    ]
    return {
        "id": number,
        "attributeType": kind,
        "name": name,
        "description": f"Example attribute {number}",
        "customizeForEndUser": False,
        "endUserOption": "HIDDEN",
        "technicianOption": "OPTIONAL",
        "content": {"required": False, "values": values},
        "system": False,
        "active": True,
        **_TIMES,
    }


ATTRIBUTES = (
    _attribute(31, "Visit type", "DROPDOWN", ("On site", "Remote")),
    _attribute(32, "Purchase order", "TEXT"),
    _attribute(33, "Due date", "DATE"),
)
FORMS = (
    {
        "id": 1,
        "name": "Default",
        "description": "Example form",
        "endUserTitle": "Report a problem",
        "content": {"fields": [entry["id"] for entry in ATTRIBUTES]},
        "active": True,
        "default": True,
        "fields": list(ATTRIBUTES),
        **_TIMES,
    },
)


@operation("getTicketForms")
def get_forms(call: ApiCall) -> list[JSON]:
    """Return the ticket forms. There is one."""
    return list(FORMS)


@operation("getTicketFormById")
def get_form(call: ApiCall, id: int) -> JSON:
    """Return a ticket form."""
    return _form(id)


def _form(number: int) -> JSON:
    for form in FORMS:
        if form["id"] == number:
            return form
    raise not_found("ticket_form")


@operation("getTicketAttributes")
def get_attributes(call: ApiCall) -> list[JSON]:
    """Return the attributes that tickets can have."""
    return list(ATTRIBUTES)


@operation("create_1")
def create(call: ApiCall) -> JSON:
    """Create a ticket. Its description is the first entry of its log."""
    state, body = call.state, call.body
    _check(state, body, None)
    author = state.author()
    ticket: JSON = {
        "id": state.next_number("ticket", max(state.tickets, default=1000) + 1),
        "version": 1,
        "requesterUid": author["uid"],
        "type": "PROBLEM",
        "severity": "NONE",
        "priority": "NONE",
        "tags": [],
        "additionalAssignedTechnicianIds": [],
        "source": "TECHNICIAN",
        "createTime": time.time(),
        "deleted": False,
        **given(body, *_FIELDS),
        "status": _status(body["status"]),
        "ccList": _cc(body),
        "attributeValues": _values(state, body),
    }
    state.tickets[ticket["id"]] = ticket
    description = body.get("description") or {"public": True}
    texts = given(description, "body", "htmlBody", "timeTracked")
    state.log_entry(ticket, author, "DESCRIPTION", publicEntry=description["public"], **texts)
    return ticket


@operation("update_1")
def update(call: ApiCall, ticket_id: int) -> JSON:
    """Replace the ticket. Fields that are not given are cleared; an outdated version is a conflict (409)."""
    state, body = call.state, call.body
    ticket = state.ticket(ticket_id)
    if body["version"] != ticket["version"]:
        raise application_error(409, "ticket_version_conflict", "The ticket was changed in the meantime")
    _check(state, body, ticket)
    before = dict(ticket)
    for name in _FIELDS:
        ticket.pop(name, None)
    ticket |= {"type": "PROBLEM", "severity": "NONE", "priority": "NONE", "tags": []}
    ticket |= {"additionalAssignedTechnicianIds": [], **given(body, *_FIELDS)}
    ticket |= {"status": _status(body["status"]), "ccList": _cc(body)}
    ticket["attributeValues"] = _values(state, body)
    ticket["version"] += 1
    diff = {
        name: {"old": before.get(name), "new": ticket.get(name)}
        for name in sorted({*before, *ticket} - {"version"})
        if before.get(name) != ticket.get(name)
    }
    state.log_entry(ticket, state.author(), "SAVE", publicEntry=False, system=True, changeDiff=diff)
    return ticket


def _check(state: State, body: JSON, ticket: JSON | None) -> None:
    """Raise HttpError if a request is not valid. Only a resolved ticket can be closed."""
    if not body["subject"].strip():
        raise invalid("subject", "text that is not blank")
    check_references(state, body)
    _form(body["ticketFormId"])
    if body.get("requesterUid") is not None:
        _requester(state, body["requesterUid"])
    people = [body.get("assignedAppUserId"), *(body.get("additionalAssignedTechnicianIds") or [])]
    if any(number is not None and number not in state.users for number in people):
        raise not_found("user")
    if body.get("parentTicketId") is not None:
        state.ticket(body["parentTicketId"])
    status = _status(body["status"])["statusId"]
    if status == CLOSED and (ticket is None or ticket["status"]["statusId"] not in (RESOLVED, CLOSED)):
        raise application_error(400, "ticket_status_not_allowed", "Only a resolved ticket can be closed")


def _requester(state: State, user_uid: str) -> None:
    contacts = state.store.get("contact", {})
    if user_uid.lower() not in {contact["uid"] for contact in contacts.values()}:
        state.user_by_uid(user_uid)


def _status(text: str) -> JSON:
    """Return the status with this id, which is text. Raises HttpError 400, also for a status's name."""
    for status in STATUSES:
        if text == str(status["statusId"]):
            return status
    raise invalid("status", "the id of a status, as text")


def _cc(body: JSON) -> JSON:
    wanted = body.get("cc") or {}
    return {"uids": wanted.get("uids") or [], "emails": wanted.get("emails") or []}


def _values(state: State, body: JSON) -> list[Any]:
    values = []
    known = {entry["id"] for entry in ATTRIBUTES}
    for entry in body.get("attributes") or []:
        if entry["attributeId"] not in known:
            raise not_found("ticket_attribute")
        number = entry.get("id") or state.next_number("ticket_attribute_value", 1)
        values.append({"id": number, **given(entry, "attributeId", "value")})
    return values
