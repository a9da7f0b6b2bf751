"""Set custom fields, each value in the format that its definition requires."""

from connector.actions.ninjaone import field_values
from connector.handlers import Inputs, Steps, http_handler


def handle(inputs: Inputs) -> Steps:
    """Convert the values to the format of the API, then send them."""
    fields = yield from field_values.as_sent(inputs, "LOCATION")
    return (yield from http_handler(inputs.with_values(fields=fields)))
