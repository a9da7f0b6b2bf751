"""Set custom fields, each value in the form that its definition asks for."""

from connector.actions.ninjaone import field_values
from connector.handlers import Inputs, Steps, http_handler


def handle(inputs: Inputs) -> Steps:
    """Make the values what the API takes, then send them."""
    fields = yield from field_values.as_sent(inputs, "END_USER")
    return (yield from http_handler(inputs.with_values(fields=fields)))
