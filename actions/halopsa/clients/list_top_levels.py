"""List the top levels, from a response with or without an enclosing object."""

from connector.actions.halopsa.records import rows_of
from connector.handlers import Inputs, Steps


def handle(inputs: Inputs) -> Steps:
    """Return the top levels."""
    return rows_of((yield inputs.request()))
