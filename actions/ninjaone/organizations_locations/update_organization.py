"""Update an organization; its policies and custom fields are changed by requests of their own."""

from connector.handlers import Inputs, Steps, request


def handle(inputs: Inputs) -> Steps:
    """Send only what is needed, the organization's own data first."""
    policies, fields = inputs.policies, inputs.fields
    values = {"id": inputs.organization_id}
    result = None
    if inputs.has_body or not (policies or fields):
        yield inputs.request()
    if policies:
        wanted = [policies] if isinstance(policies, dict) else policies
        path = "/v2/organization/{id}/policies"
        answer = yield request("PUT", path, values, body=wanted, idempotent=True)
        result = {"affectedDeviceIds": answer.json()}
    if fields:
        path = "/v2/organization/{id}/custom-fields"
        yield request("PATCH", path, values, body=fields, idempotent=True)
    return result
