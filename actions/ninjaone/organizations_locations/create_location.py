"""Create a location, then set its custom fields, which requires a separate request."""

from connector.actions.ninjaone import field_values
from connector.handlers import Inputs, Steps, request


def handle(inputs: Inputs) -> Steps:
    """Convert the custom fields before anything is sent, create the location, then set them."""
    fields = yield from field_values.as_sent(inputs, "LOCATION")
    created = yield inputs.request()
    values = {"id": inputs.organization_id, "locationId": created.member("id")}
    if fields:
        path = "/v2/organization/{id}/location/{locationId}/custom-fields"
        yield request("PATCH", path, values, body=fields, idempotent=True)
    return created.json()
