"""Update a user. Custom fields that are not sent may be emptied, so all are read, merged and sent."""

from connector.actions.halopsa import records
from connector.handlers import Inputs, Steps


def handle(inputs: Inputs) -> Steps:
    """Read the user if custom fields are given, and send the changes."""
    return (yield from records.update(inputs, "/api/Users", inputs.user_id))
