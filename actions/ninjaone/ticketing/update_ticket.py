"""Change fields of a ticket, although the API only accepts complete tickets.

The ticket is read, merged, and written with its version. The formats that are read and written differ.
"""

import re
from dataclasses import replace

from connector.actions.ninjaone.lookups import listing
from connector.actions.ninjaone.older_values import with_current_priority
from connector.handlers import Inputs, Json, Note, Request, RowError, Steps, query_text, request

KEPT = (
    *("version", "clientId", "ticketFormId", "locationId", "nodeId", "subject", "type", "assignedAppUserId"),
    *("requesterUid", "severity", "priority", "tags", "additionalAssignedTechnicianIds", "followupTime"),
)
"""Members that are written as they are read. `parentTicketId` is missing, because responses do not have
it."""


def handle(inputs: Inputs) -> Steps:
    """Read the ticket, merge the given inputs, and write it back."""
    path, number = "/v2/ticketing/ticket/{ticketId}", {"ticketId": inputs.ticket_id}
    read = yield request("GET", path, number, effect="read")
    ticket = read.json()
    version = read.member("version")
    if inputs.version not in (None, version):
        raise RowError(
            "conflict",
            f"ticket {inputs.ticket_id} has version {version}, not {inputs.version}: it was changed in "
            "between. Nothing was written; check it with get_ticket",
        )
    inputs = yield from with_current_priority(inputs)
    update = inputs.request()
    body = merged(ticket, update.body)
    if not body.get("requesterUid"):
        raise RowError(
            "input_invalid",
            f"requester_uid is required: ticket {inputs.ticket_id} has no requester, and the API does not "
            "update a ticket without one. use list_ticket_users_and_contacts to find a uid",
        )
    return (yield from _write(inputs, ticket, replace(update, body=body))).json()


def merged(ticket: Json, given: Json) -> Json:
    """Return the request body: the ticket as it was read, with the given members replaced."""
    body = {name: ticket[name] for name in KEPT if ticket.get(name) is not None}
    if ticket.get("status"):
        body["status"] = query_text(ticket["status"]["statusId"])
    body["cc"] = {**(ticket.get("ccList") or {}), **(given.get("cc") or {})}
    attributes = {value["attributeId"]: value for value in _written(ticket.get("attributeValues") or ())}
    for value in given.get("attributes") or ():
        attributes[value["attributeId"]] = {**attributes.get(value["attributeId"], {}), **value}
    body["attributes"] = list(attributes.values())
    body |= {name: value for name, value in given.items() if name not in ("cc", "attributes", "version")}
    return {name: value for name, value in body.items() if name in given or value not in ({}, [])}


def _written(values: Json) -> Json:
    """Return attribute values in the format for writing, which is text; they are read as any JSON."""
    return [
        {**value, "value": query_text(value["value"])} for value in values if value.get("value") is not None
    ]


def _write(inputs: Inputs, ticket: Json, put: Request) -> Steps:
    """Write the ticket; if the API rejects closing it, resolve it first."""
    try:
        return (yield from _put(inputs, put))
    except RowError as error:
        if error.code == "conflict" or "status" not in inputs or not _is_refused_value(error):
            raise
        refusal = error
    resolved = yield from _resolved_before(inputs, ticket)
    if resolved is None:
        raise refusal
    changed = yield from _put(inputs, put.with_body("status", resolved))
    yield Note("status: the API rejected closing the ticket directly, so it is resolved first")
    return (yield from _put(inputs, put.with_body("version", changed.member("version"))))


def _resolved_before(inputs: Inputs, ticket: Json) -> Steps:
    """Return the id of Resolved if the ticket is to be closed and is not resolved yet, else None."""
    statuses = yield from listing(inputs, "/v2/ticketing/statuses")
    named = {status.get("name"): status["statusId"] for status in statuses}
    # A built-in status is its own parent.
    built_in = {str(status["statusId"]): status.get("parentId") for status in statuses}
    resolved, closed = named.get("RESOLVED"), named.get("CLOSED")
    before = str((ticket.get("status") or {}).get("statusId"))
    if (
        None in (resolved, closed)
        or built_in.get(inputs.status) != closed
        or built_in.get(before) == resolved
    ):
        return None
    return str(resolved)


def _put(inputs: Inputs, put: Request) -> Steps:
    """Send the complete ticket. Raises RowError (`conflict`) if it was changed in between."""
    try:
        return (yield put)
    except RowError as error:
        # The API's response to a version conflict is not documented. A 409, a 412, and an error message about
        # the version are treated as one.
        by_words = error.refused and re.search("version|optimistic|stale", str(error), re.IGNORECASE)
        if error.code != "conflict" and error.status != 412 and not by_words:
            raise
        raise RowError(
            "conflict",
            f"ticket {inputs.ticket_id} was changed after it was read (version {put.body['version']}), so "
            "nothing was written. Run the row again: it is then merged into the current ticket",
            status=error.status,
            request_id=error.request_id,
            attempts=error.attempts,
        ) from error


def _is_refused_value(error: RowError) -> bool:
    """Return whether the API rejected the values, rather than the credentials or the request rate."""
    return error.code == "api_error" and error.status is not None and 400 <= error.status < 500
