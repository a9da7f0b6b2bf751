"""List the top levels, from a response with or without an enclosing object."""

from connector.actions.halopsa.records import rows_of
from connector.handlers import Inputs, Steps


def handle(inputs: Inputs) -> Steps:
    """Return the rows."""
    return rows_of((yield inputs.request()))
