"""Update an organization. Its policies and custom fields require separate requests."""

from connector.actions.ninjaone import field_values
from connector.handlers import Inputs, Steps, request


def handle(inputs: Inputs) -> Steps:
    """Send only the requests that are needed, the data of the organization first."""
    policies = [inputs.policies] if isinstance(inputs.policies, dict) else inputs.policies
    fields = yield from field_values.as_sent(inputs, "ORGANIZATION")
    values = {"id": inputs.organization_id}
    result = None
    if inputs.has_body or not (policies or fields):
        yield inputs.request()
    if policies:
        path = "/v2/organization/{id}/policies"
        affected = yield request("PUT", path, values, body=policies, idempotent=True)
        result = {"affectedDeviceIds": affected.json()}
    if fields:
        path = "/v2/organization/{id}/custom-fields"
        yield request("PATCH", path, values, body=fields, idempotent=True)
    return result
