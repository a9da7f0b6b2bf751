"""Create a user, with its custom fields by name or id."""

from connector.actions.halopsa import records
from connector.handlers import Inputs, Steps


def handle(inputs: Inputs) -> Steps:
    """Send the user with its full name, which is made of its parts if it is not given."""
    name = None if inputs.name else f"{inputs.first_name} {inputs.surname}"
    return (yield from records.create(inputs, name=name))
