"""Create an organization, then write its custom fields, which the API takes by a request of their own."""

from connector.handlers import Inputs, Steps, request


def handle(inputs: Inputs) -> Steps:
    """Create, then set the custom fields where there are any."""
    create = inputs.request()
    if isinstance(inputs.policies, dict):
        create = create.with_body("policies", [inputs.policies])
    created = yield create
    new_id = created.member("id")
    if inputs.fields:
        path = "/v2/organization/{id}/custom-fields"
        yield request("PATCH", path, {"id": new_id}, body=inputs.fields, idempotent=True)
    return created.json()
