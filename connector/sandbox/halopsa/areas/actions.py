"""Endpoints for actions of tickets: notes, which can change the ticket's status."""

from __future__ import annotations

from connector.sandbox.halopsa.api.call import HaloCall, endpoint, integer, query
from connector.sandbox.halopsa.api.lists import page
from connector.sandbox.halopsa.api.writes import RETURN_ALL, Writer, write
from connector.sandbox.halopsa.areas.tickets import visible
from connector.sandbox.halopsa.data.tickets import change_status, note
from connector.sandbox.halopsa.errors import InvalidRecordError, forbidden, gateway_timeout, not_found
from connector.sandbox.invented import JSON
from connector.sandbox.messages import ServerResponse
from connector.sandbox.types import Anything


@endpoint(
    "GET", "/Actions", "listActions", query=query("ticket_id", "count", "page_size", "page_no", "pageinate")
)
def list_actions(call: HaloCall) -> JSON:
    """Return a page of a ticket's actions, newest first.

    Without a ticket in the query, raises the gateway's timeout (504), except with `unfiltered=served` (see
    `traps`).
    """
    ticket_id = integer(call, "ticket_id")
    if ticket_id is None and call.state.traps.is_on("unfiltered", "times_out"):
        raise gateway_timeout()
    if ticket_id is not None:
        visible(call, ticket_id)
    found = [row for row in call.state.actions.values() if ticket_id in (None, row["ticket_id"])]
    return page(call, "actions", found[::-1], lambda row: _shown(call, row["id"]))


@endpoint("GET", "/Actions/{id}", "getAction", query=query("ticket_id", "includedetails"))
def get_action(call: HaloCall, id: int) -> JSON:
    """Return one action."""
    if id not in call.state.actions:
        raise not_found("Action", id)
    visible(call, call.state.actions[id]["ticket_id"])
    return _shown(call, id)


def _shown(call: HaloCall, number: int) -> JSON:
    action = call.state.actions[number]
    return action | {"datetime": call.state.time(action["datetime"])}


def _check(call: HaloCall, record: JSON, path: str) -> None:
    state = call.state
    if record.get("id"):
        get_action(call, record["id"])
        return
    if record.get("ticket_id") is None:
        raise InvalidRecordError(f"{path}.ticket_id", "A ticket must be selected.")
    ticket = visible(call, record["ticket_id"])
    outcome = state.outcomes.get(record.get("outcome_id") or 0)
    if outcome is None and (record.get("outcome_id") or state.traps.is_on("outcome", "required")):
        raise InvalidRecordError(f"{path}.outcome_id", "An Outcome must be entered for this Action")
    if state.traps.is_on("notes", "forbidden") or (outcome or {}).get("forbidden"):
        raise forbidden(state.traps)
    if state.traps.is_on("notes", "refused_when_closed") and state.is_closed(ticket["status_id"]):
        raise InvalidRecordError(f"{path}.ticket_id", "The ticket is closed.")
    if record.get("new_status") and record["new_status"] not in state.statuses:
        raise InvalidRecordError(f"{path}.new_status", "The status does not exist.")


def _save(call: HaloCall, record: JSON) -> int:
    state = call.state
    text = record.get("note_html") or record.get("note") or ""
    if record.get("id"):
        state.actions[record["id"]] |= {"note_html": text, "note": text}
        return int(record["id"])
    hidden = bool(record.get("hiddenfromuser"))
    action = note(state, record["ticket_id"], text, outcome_id=record.get("outcome_id") or 0, hidden=hidden)
    ticket = state.tickets[record["ticket_id"]]
    ticket["last_update"] = state.clock()
    state.notify("Action Added", ticket)
    if record.get("new_status"):
        change_status(state, ticket, record["new_status"])
    return int(action["id"])


_ACTIONS = Writer("Actions", _check, _save, _shown)


@endpoint("POST", "/Actions", "saveActions", query=RETURN_ALL, body=Anything())
def save_actions(call: HaloCall) -> ServerResponse:
    """Add actions to tickets."""
    return write(call, _ACTIONS)


@endpoint("DELETE", "/Actions/{id}", "deleteAction")
def delete_action(call: HaloCall, id: int) -> JSON:
    """Delete an action."""
    found = get_action(call, id)
    del call.state.actions[id]
    return found
