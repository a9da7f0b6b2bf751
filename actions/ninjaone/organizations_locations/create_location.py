"""Create a location, then write its custom fields, which the API takes by a request of their own."""

from connector.handlers import Inputs, Steps, request


def handle(inputs: Inputs) -> Steps:
    """Create, then set the custom fields where there are any."""
    created = yield inputs.request()
    values = {"id": inputs.organization_id, "locationId": created.member("id")}
    if inputs.fields:
        path = "/v2/organization/{id}/location/{locationId}/custom-fields"
        yield request("PATCH", path, values, body=inputs.fields, idempotent=True)
    return created.json()
