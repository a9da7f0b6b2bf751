"""Update a site. Custom fields that are not sent may be emptied, so all are read, merged and sent."""

from connector.actions.halopsa import records
from connector.handlers import Inputs, Steps


def handle(inputs: Inputs) -> Steps:
    """Read the site if custom fields are given, and send the changes."""
    return (yield from records.update(inputs, "/api/Site", inputs.site_id))
