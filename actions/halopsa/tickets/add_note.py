"""Add a note to a ticket. The API takes HTML, so plain text is escaped."""

from html import escape

from connector.actions.halopsa import records
from connector.handlers import Inputs, RowError, Steps


def handle(inputs: Inputs) -> Steps:
    """Resolve the outcome by name, and send the note."""
    outcome = yield from records.id_of(
        inputs.outcome, "/api/Outcome", "outcome", "outcome", "outcome", "buttonname"
    )
    changes = {} if inputs.note is None else {"note_html": as_html(inputs.note)}
    sent = records.with_members(inputs.with_values(outcome=outcome).request(), changes)
    try:
        return records.record_of((yield sent))
    except RowError as error:
        if error.status != 403:
            raise
        raise RowError(
            "forbidden",
            f"HaloPSA refuses the outcome {outcome} to this agent, or the agent has no access to ticket "
            f"{inputs.ticket_id}. Choose another outcome, or give the agent permission for this one",
            status=error.status,
            request_id=error.request_id,
            attempts=error.attempts,
        ) from error


def as_html(text: str) -> str:
    """Return plain text as HTML that looks the same, line breaks included."""
    return "<br>".join(escape(line, quote=False) for line in text.splitlines())
