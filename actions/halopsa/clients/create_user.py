"""Create a user, with its custom fields by name or id."""

from connector.actions.halopsa import records
from connector.handlers import Inputs, Steps


def handle(inputs: Inputs) -> Steps:
    """Send the user with the full name, by default the first name and the surname."""
    name = None if inputs.name else f"{inputs.first_name} {inputs.surname}"
    return (yield from records.create(inputs, name=name))
