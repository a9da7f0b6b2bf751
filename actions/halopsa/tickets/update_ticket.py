"""Update a ticket. Custom fields that are not sent may be emptied, so all are read, merged and sent."""

from connector.actions.halopsa import records
from connector.handlers import Inputs, Steps


def handle(inputs: Inputs) -> Steps:
    """Read the ticket if custom fields are given, and send the changes."""
    assets = records.links(inputs.asset_ids)
    return (yield from records.update(inputs, "/api/Tickets", inputs.ticket_id, assets=assets))
