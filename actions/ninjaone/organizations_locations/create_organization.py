"""Create an organization, then set its custom fields, which requires a separate request."""

from connector.actions.ninjaone import field_values
from connector.handlers import Inputs, Steps, request


def handle(inputs: Inputs) -> Steps:
    """Convert the custom fields before anything is sent, create the organization, then set them."""
    fields = yield from field_values.as_sent(inputs, "ORGANIZATION")
    if isinstance(inputs.policies, dict):
        inputs = inputs.with_values(policies=[inputs.policies])
    created = yield inputs.request()
    new_id = created.member("id")
    if fields:
        path = "/v2/organization/{id}/custom-fields"
        yield request("PATCH", path, {"id": new_id}, body=fields, idempotent=True)
    return created.json()
