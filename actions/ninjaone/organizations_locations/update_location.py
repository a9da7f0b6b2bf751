"""Update a location. Its custom fields require a separate request."""

from connector.actions.ninjaone import field_values
from connector.handlers import Inputs, Steps, http_handler, request


def handle(inputs: Inputs) -> Steps:
    """Send only the requests that are needed, the data of the location first."""
    fields = yield from field_values.as_sent(inputs, "LOCATION")
    values = {"id": inputs.organization_id, "locationId": inputs.location_id}
    result = None
    if inputs.has_body or not fields:
        result = yield from http_handler(inputs)
    if fields:
        path = "/v2/organization/{id}/location/{locationId}/custom-fields"
        yield request("PATCH", path, values, body=fields, idempotent=True)
    return result
