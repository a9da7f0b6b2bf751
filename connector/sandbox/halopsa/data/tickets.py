"""Creates and changes tickets and their actions, for requests, agents and automations."""

from __future__ import annotations

import re

from connector.sandbox.halopsa.data.seed import (
    AGENT,
    NEW_STATUS,
    REOPENED_STATUS,
    RESOLUTION,
    SUMMARIES,
    TICKETS_FROM,
    TICKETS_PER_CLIENT,
)
from connector.sandbox.halopsa.data.state import State
from connector.sandbox.invented import EPOCH, JSON


def new_ticket(state: State, values: JSON) -> JSON:
    """Add a ticket and return it.

    If a client or site is missing, it is the client of the site, or the main site of the client.
    """
    number = state.next_number("tickets", state.tickets, TICKETS_FROM)
    now = state.clock()
    site_id = values.get("site_id") or state.clients[values["client_id"]]["main_site_id"]
    kind = state.ticket_types[values["tickettype_id"]]
    ticket: JSON = {
        "id": number,
        "details": "",
        "user_id": None,
        "priority_id": 0,
        "sla_id": kind["default_sla"],
        "category_1": "",
        "source": 0,
        "asset_ids": [],
        "agent_id": AGENT["id"],
        **values,
        "site_id": site_id,
        "client_id": state.sites[site_id]["client_id"],
        "status_id": kind["initial_status"],
        "dateoccurred": now,
        "dateclosed": None,
        "last_update": now,
        "hasbeenclosed": None,
        "deleted": False,
        "merged_into_id": 0,
    }
    state.tickets[number] = ticket
    return ticket


def seed_tickets(state: State, count: int) -> None:
    """Add generated tickets of the first clients; some have the status "In Progress"."""
    clients = list(state.clients.values())
    for index in range(count if clients else 0):
        client = clients[index // TICKETS_PER_CLIENT % len(clients)]
        values = {"summary": SUMMARIES[index % len(SUMMARIES)], "tickettype_id": 21, "priority_id": 3}
        ticket = new_ticket(state, {**values, "client_id": client["id"]})
        ticket |= {
            "status_id": REOPENED_STATUS if index % 2 else NEW_STATUS,
            "dateoccurred": EPOCH - 3600.0 * (count - index),
            "last_update": EPOCH - 1800.0 * (count - index),
        }


def change_status(state: State, ticket: JSON, status_id: int, *, forced: bool = False) -> bool:
    """Set the status of a ticket; return whether it has changed.

    A ticket without a resolution can stay open (see `closing` in `traps`); with `forced`, it is closed.
    """
    closes = state.is_closed(status_id)
    if closes and not forced and _is_held_open(state, ticket):
        return False
    if ticket["status_id"] == status_id:
        return False
    ticket |= {
        "status_id": status_id,
        "last_update": state.clock(),
        "hasbeenclosed": True if closes else None,
        "dateclosed": state.clock() if closes else None,
    }
    state.notify("Ticket Status Changed", ticket)
    return True


def _is_held_open(state: State, ticket: JSON) -> bool:
    if state.traps.is_on("closing", "accepted"):
        return False
    if state.custom_values.get(("ticket", ticket["id"]), {}).get(RESOLUTION):
        return False
    if state.traps.is_on("closing", "refused"):
        state.warnings[ticket["id"]] = (
            f"The following fields are mandatory to close this ticket: {RESOLUTION}"
        )
    return True


def note(state: State, ticket_id: int, text: str, *, outcome_id: int, hidden: bool = True) -> JSON:
    """Add an action with a note to a ticket. The note can be HTML."""
    number = state.next_number("actions", state.actions)
    outcome = state.outcomes.get(outcome_id, {})
    action: JSON = {
        "id": number,
        "ticket_id": ticket_id,
        "outcome_id": outcome_id,
        "outcome": outcome.get("outcome", "Note"),
        "note": re.sub(r"<[^>]*>", "", text),
        "note_html": text,
        "hiddenfromuser": hidden,
        "who": AGENT["name"],
        "who_agentid": AGENT["id"],
        "datetime": state.clock(),
    }
    state.actions[number] = action
    return action
