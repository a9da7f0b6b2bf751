"""Create a client, with its custom fields by name or id."""

from connector.actions.halopsa import records
from connector.handlers import Inputs, Steps


def handle(inputs: Inputs) -> Steps:
    """Send the client with its custom fields."""
    return (yield from records.create(inputs))
