"""Endpoints for tickets: list, get, save and delete."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from connector.sandbox.halopsa.api.bodies import known_values
from connector.sandbox.halopsa.api.call import (
    LIST,
    HaloCall,
    endpoint,
    flag,
    integer,
    integers,
    query,
    require_client,
)
from connector.sandbox.halopsa.api.custom import check_custom, save_custom, shown_custom
from connector.sandbox.halopsa.api.lists import contains, ordered, page
from connector.sandbox.halopsa.api.writes import RETURN_ALL, Writer, write
from connector.sandbox.halopsa.areas.set_up import sla_of
from connector.sandbox.halopsa.data.seed import AGENT
from connector.sandbox.halopsa.data.state import State
from connector.sandbox.halopsa.data.tickets import change_status, new_ticket, note
from connector.sandbox.halopsa.errors import InvalidRecordError, forbidden, not_found
from connector.sandbox.invented import JSON
from connector.sandbox.messages import ServerResponse
from connector.sandbox.types import Anything, epoch_seconds

_FILTERS = query(
    *(
        "client_id",
        "client_ids",
        "site_id",
        "user_id",
        "requesttype_id",
        "requesttype",
        "status_id",
        "status",
    ),
    *("open_only", "closed_only", "includeclosed", "ticketids", "search_summary", "datesearch", "startdate"),
    *("enddate", "alerttype", "asset_id", "deleted", "ticketidonly", "toplevel_id", "category_1"),
)
_DATES = {"dateoccured": "dateoccurred", "datecleared": "dateclosed"}
_HIDDEN = ("details", "details_html", "asset_ids", "ninja_alert_id", "ninja_device_id", "ninja_alert_type")
_ALERT = ("ninja_alert_id", "ninja_device_id", "ninja_alert_type")
_TIMES = ("dateoccurred", "dateclosed", "last_update")
_OWN = ("customfields", "assets", "status_id", "dateoccurred", "dateclosed", "hasbeenclosed", "deleted")
"""Members of requests that are not stored as they are."""


@endpoint("GET", "/Tickets", "listTickets", query={**LIST, **_FILTERS})
def list_tickets(call: HaloCall) -> JSON:
    """Return a page of the tickets, newest first."""
    tests = [*_tests(call)]
    found = [
        ticket
        for ticket in call.state.tickets.values()
        if call.state.sees_client(ticket["client_id"]) and all(test(ticket) for test in tests)
    ]
    rows = ordered(call, found, newest_first=not call.query.get("order"))
    return page(call, "tickets", rows, lambda ticket: _listed(call, ticket))


Test = Callable[[JSON], bool]


def _tests(call: HaloCall) -> Iterable[Test]:
    """Yield a test for each filter in the query, which returns whether a ticket matches it."""
    state, deleted = call.state, flag(call, "deleted")
    yield lambda ticket: bool(ticket["deleted"]) == deleted
    members = {"client_id": "client_id", "site_id": "site_id", "user_id": "user_id", "status_id": "status_id"}
    for name, member in {**members, "requesttype_id": "tickettype_id"}.items():
        if (wanted := integer(call, name)) is not None:
            yield _equals(member, {wanted})
    lists = {
        "client_ids": "client_id",
        "requesttype": "tickettype_id",
        "status": "status_id",
        "ticketids": "id",
    }
    for name, member in lists.items():
        if several := integers(call, name):
            yield _equals(member, set(several))
    only_open = bool(call.query.get("ticketids")) and state.traps.is_on("ticketids", "open_only")
    if flag(call, "open_only") or only_open or call.query.get("includeclosed") == "0":
        yield lambda ticket: not state.is_closed(ticket["status_id"])
    if flag(call, "closed_only") or call.query.get("includeclosed") == "1":
        yield lambda ticket: state.is_closed(ticket["status_id"])
    if (asset := integer(call, "asset_id")) is not None:
        yield lambda ticket: asset in ticket["asset_ids"]
    if "category_1" in call.query:
        yield _equals("category_1", {call.query["category_1"]})
    yield lambda ticket: contains(call, "search", ticket["summary"], ticket["id"])
    yield lambda ticket: contains(call, "search_summary", ticket["summary"])
    yield from _date_tests(call)


def _equals(member: str, wanted: set[Any]) -> Test:
    return lambda ticket: ticket.get(member) in wanted


def _date_tests(call: HaloCall) -> Iterable[Test]:
    """Yield tests for the start and the end date in the query.

    `datesearch` selects the date of the ticket; without it, there are no tests.
    """
    member = _DATES.get(call.query.get("datesearch", ""))
    if member is None:
        return
    for name, sign in (("startdate", 1), ("enddate", -1)):
        if name in call.query:
            try:
                bound = epoch_seconds(call.query[name])
            except ValueError:
                raise InvalidRecordError(name, f"The value '{call.query[name]}' is not valid.") from None
            yield lambda ticket, bound=bound, sign=sign: (  # type: ignore[misc]
                ticket[member] is not None and sign * (ticket[member] - bound) >= 0
            )


def row(state: State, ticket: JSON) -> JSON:
    """Return a ticket as an item of a list, which is also its form in webhooks."""
    shown = {name: value for name, value in ticket.items() if name not in _HIDDEN}
    shown |= {name: state.time(ticket[name]) for name in _TIMES}
    status = state.statuses.get(ticket["status_id"], {})
    user = state.users.get(ticket.get("user_id") or 0, {})
    return shown | {
        "status_name": status.get("name", ""),
        "client_name": state.clients.get(ticket["client_id"], {}).get("name", ""),
        "site_name": state.sites.get(ticket["site_id"], {}).get("name", ""),
        "user_name": user.get("name", "General User"),
        "tickettype_name": state.ticket_types.get(ticket["tickettype_id"], {}).get("name", ""),
    }


def _listed(call: HaloCall, ticket: JSON) -> JSON:
    shown = row(call.state, ticket)
    if flag(call, "ticketidonly"):
        return {name: shown[name] for name in ("id", "status_id", "client_id", "client_name", "sla_id")}
    if call.query.get("alerttype") == "ninjarmm":
        shown |= {name: ticket.get(name) for name in _ALERT}
    if call.state.traps.is_on("list_customfields", "yes"):
        shown["customfields"] = _custom(call.state, ticket["id"])
    return shown


def _custom(state: State, number: int) -> list[JSON]:
    return shown_custom(state, "ticket", state.custom_values.get(("ticket", number), {}))


@endpoint("GET", "/Tickets/{id}", "getTicket", query=query("includedetails", "includelastaction"))
def get_ticket(call: HaloCall, id: int) -> JSON:
    """Return one ticket with its details, custom fields and assets."""
    state, ticket = call.state, visible(call, id)
    shown = row(state, ticket) | {name: ticket.get(name) for name in _HIDDEN if name != "asset_ids"}
    shown["customfields"] = _custom(state, id)
    shown["assets"] = [
        {"id": number, "inventory_number": state.assets.values(number)["inventory_number"]}
        for number in ticket["asset_ids"]
        if state.assets.exists(number)
    ]
    if warning := state.warnings.pop(id, ""):
        shown["_warning"] = warning
    return shown


def visible(call: HaloCall, number: Any) -> JSON:
    """Return a ticket. Raises HttpError 403 or 404 if the agent is not allowed to see it."""
    ticket = call.state.ticket(number)
    if ticket["deleted"] and call.state.traps.is_on("deleted_tickets", "gone"):
        raise not_found("Ticket", number)
    require_client(call, ticket["client_id"], "Ticket", number)
    return ticket


def _check(call: HaloCall, record: JSON, path: str) -> None:
    state = call.state
    known = visible(call, record["id"]) if record.get("id") else None
    if known is None:
        _check_new(call, record, path)
    elif record.get("summary") is not None and not record["summary"].strip():
        raise InvalidRecordError(f"{path}.summary", "A summary must be entered.")
    type_id = record.get("tickettype_id") or (known or {}).get("tickettype_id")
    _check_priority(state, record.get("priority_id"), int(type_id or 0), path)
    if record.get("status_id") is not None and record["status_id"] not in state.statuses:
        raise InvalidRecordError(f"{path}.status_id", "The status does not exist.")
    for index, asset in enumerate(record.get("assets") or []):
        if not state.assets.exists(asset.get("id")):
            raise InvalidRecordError(f"{path}.assets[{index}].id", "The asset does not exist.")
    check_custom(call, "ticket", record, path)


def _check_new(call: HaloCall, record: JSON, path: str) -> None:
    state = call.state
    if not str(record.get("summary") or "").strip():
        raise InvalidRecordError(f"{path}.summary", "A summary must be entered.")
    kind = state.ticket_types.get(record.get("tickettype_id") or 0)
    if kind is None:
        raise InvalidRecordError(f"{path}.tickettype_id", "A ticket type must be selected.")
    if kind.get("forbidden"):
        raise forbidden(state.traps)
    _check_place(call, record, path)


def _check_place(call: HaloCall, record: JSON, path: str) -> None:
    """Check the client, the site and the user of a new ticket.

    Raises InvalidRecordError if one does not exist or does not belong to the other, or if there is neither
    client nor site.
    """
    state, client_id, site_id = call.state, record.get("client_id"), record.get("site_id")
    if client_id is None and site_id is None:
        raise InvalidRecordError(f"{path}.client_id", "A client must be selected.")
    if client_id is not None and client_id not in state.clients:
        raise InvalidRecordError(f"{path}.client_id", "The client does not exist.")
    if site_id is not None:
        site = state.sites.get(site_id)
        if site is None or client_id not in (None, site["client_id"]):
            raise InvalidRecordError(
                f"{path}.site_id", "The site does not exist or belongs to another client."
            )
        client_id = site["client_id"]
    require_client(call, int(client_id or 0), "Client", client_id)
    user_id = record.get("user_id")
    if user_id and (user_id not in state.users or int(state.users[user_id]["site_id"]) != site_id):
        raise InvalidRecordError(f"{path}.user_id", "The user does not belong to the site.")


def _check_priority(state: State, priority: Any, type_id: int, path: str) -> None:
    if priority is None or state.traps.is_on("priorities", "any"):
        return
    sla = sla_of(state, type_id)
    known = [entry["priorityid"] for entry in state.priorities if entry["slaid"] == sla]
    if sla and priority not in known:
        raise InvalidRecordError(
            f"{path}.priority_id", "The priority does not belong to the SLA of the ticket."
        )


def _save(call: HaloCall, record: JSON) -> int:
    state = call.state
    values = known_values(record, "Faults", without=_OWN)
    if state.traps.is_on("stamps", "ignored"):
        values = {name: value for name, value in values.items() if name not in _ALERT}
    if not sla_of(state, record.get("tickettype_id") or state.tickets[record["id"]]["tickettype_id"]):
        values.pop("priority_id", None)
    if record.get("assets") is not None:
        values["asset_ids"] = [asset["id"] for asset in record["assets"]]
    is_new = not record.get("id")
    ticket = new_ticket(state, values) if is_new else state.tickets[record["id"]]
    if not is_new:
        ticket |= values | {"last_update": state.clock()}
    number = int(ticket["id"])
    if state.traps.is_on("stamps", "writable"):
        save_custom(call, "ticket", state.custom_values.setdefault(("ticket", number), {}), record)
    if record.get("note"):
        note(state, number, str(record["note"]), outcome_id=0)
    _announce(state, ticket, record.get("status_id"), is_new=is_new)
    return number


def _announce(state: State, ticket: JSON, status_id: int | None, *, is_new: bool) -> None:
    """Send the webhook events for a saved ticket, and change its status."""
    if is_new:
        state.notify("New Ticket Logged", ticket)
        if state.traps.is_on("automations", "close"):
            state.after.append(lambda: change_status(state, ticket, state.closed_status, forced=True))
    changed = status_id is not None and change_status(state, ticket, status_id)
    if not is_new and not changed:
        state.notify("Ticket Updated", ticket)


_TICKETS = Writer("Faults", _check, _save, get_ticket, dry="_validate_only")


@endpoint("POST", "/Tickets", "saveTickets", query=RETURN_ALL, body=Anything())
def save_tickets(call: HaloCall) -> ServerResponse:
    """Create or update tickets. A ticket whose status is set to a closed one is closed."""
    return write(call, _TICKETS)


@endpoint("DELETE", "/Tickets/{id}", "deleteTicket", query=query("reason"))
def delete_ticket(call: HaloCall, id: int) -> JSON:
    """Delete a ticket."""
    shown = get_ticket(call, id)
    delete(call.state, call.state.tickets[id])
    return shown


def delete(state: State, ticket: JSON) -> None:
    """Mark a ticket as deleted."""
    ticket |= {"deleted": True, "last_update": state.clock(), "agent_id": AGENT["id"]}
    state.notify("Ticket Deleted", ticket)
