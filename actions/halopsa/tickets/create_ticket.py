"""Create a ticket, with its assets by id and its custom fields by name or id."""

from connector.actions.halopsa import records
from connector.handlers import Inputs, Steps


def handle(inputs: Inputs) -> Steps:
    """Send the ticket with its assets and custom fields."""
    return (yield from records.create(inputs, assets=records.links(inputs.asset_ids)))
