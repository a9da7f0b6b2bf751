"""Update a location; its custom fields are changed by a request of their own."""

from connector.actions.ninjaone import field_values, lookups
from connector.handlers import Inputs, Steps, http_handler, request


def handle(inputs: Inputs) -> Steps:
    """Find out what names mean; then send only what is needed, the location's own data first."""
    inputs = yield from lookups.organization_and_location(inputs)
    fields = yield from field_values.as_sent(inputs, "LOCATION")
    values = {"id": inputs.organization_id, "locationId": inputs.location_id}
    result = None
    if inputs.has_body or not fields:
        result = yield from http_handler(inputs)
    if fields:
        path = "/v2/organization/{id}/location/{locationId}/custom-fields"
        yield request("PATCH", path, values, body=fields, idempotent=True)
    return result
