"""Update a location; its custom fields are changed by a request of their own."""

from connector.handlers import Inputs, Steps, http_handler, request


def handle(inputs: Inputs) -> Steps:
    """Send only what is needed, the location's own data first."""
    values = {"id": inputs.organization_id, "locationId": inputs.location_id}
    result = None
    if inputs.has_body or not inputs.fields:
        result = yield from http_handler(inputs)
    if inputs.fields:
        path = "/v2/organization/{id}/location/{locationId}/custom-fields"
        yield request("PATCH", path, values, body=inputs.fields, idempotent=True)
    return result
