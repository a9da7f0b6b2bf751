"""Close a ticket and read it back: HaloPSA may accept the request and leave the ticket open.

A ticket is closed if `hasbeenclosed` is true; for an open ticket, this is null. Ids of statuses differ from
instance to instance, and several may mean closed.
"""

from connector.actions.halopsa import records
from connector.handlers import Inputs, Json, Note, RowError, Steps

TICKETS = "/api/Tickets"


def handle(inputs: Inputs) -> Steps:
    """Close the ticket if it is open; return the ticket as HaloPSA has it afterwards."""
    ticket = yield from _ticket(inputs)
    if ticket.get("hasbeenclosed") is True:
        yield Note(f"ticket {inputs.ticket_id} is already closed, so nothing was sent")
        return ticket
    status = yield from records.id_of(inputs.status, "/api/Status", "status", "status", "name")
    changes = {}
    if inputs.customfields:
        changes["customfields"] = yield from records.custom_fields(ticket, inputs.customfields)
    sent = yield records.with_members(inputs.with_values(status=status).request(), changes)
    answer = records.record_of(sent)
    ticket = yield from _ticket(inputs)
    if ticket.get("hasbeenclosed") is not True:
        raise RowError("conflict", _refusal(inputs.ticket_id, status, ticket, answer.get("_warning")))
    return ticket


def _ticket(inputs: Inputs) -> Steps:
    """Return the ticket. Raises RowError if it was merged or deleted."""
    ticket = records.record_of((yield records.read(TICKETS, inputs.ticket_id)))
    if ticket.get("merged_into_id"):
        raise RowError(
            "conflict",
            f"ticket {inputs.ticket_id} was merged into ticket {ticket['merged_into_id']}: close that one",
        )
    if ticket.get("deleted"):
        raise RowError("not_found", f"ticket {inputs.ticket_id} was deleted, so it cannot be closed")
    return ticket


def _refusal(number: int, status: int, ticket: Json, warning: Json) -> str:
    """Return the message for a ticket that stayed open, with HaloPSA's message."""
    if ticket.get("status_id") == status:
        return (
            f"ticket {number} has the status {status} now, which HaloPSA does not treat as closed. Choose a "
            "status that closes tickets; list_statuses has them"
        )
    why = f": {warning}" if warning else f". {_MAYBE}"
    return (
        f"HaloPSA accepted the request but left ticket {number} open (status {ticket.get('status_id')}){why}"
    )


_MAYBE = (
    "The ticket type may require fields on closing, or an open child ticket may prevent it; HaloPSA shows "
    "the reason if you close it there"
)
