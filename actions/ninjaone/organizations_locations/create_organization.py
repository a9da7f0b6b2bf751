"""Create an organization, then set its custom fields, which requires a separate request."""

from connector.actions.ninjaone import field_values, lookups
from connector.handlers import Inputs, Steps, request


def handle(inputs: Inputs) -> Steps:
    """Resolve names before anything is sent, create the organization, then set its custom fields."""
    template = yield from lookups.id_of(
        inputs, lookups.ORGANIZATION, inputs.template_organization_id, "template_organization_id"
    )
    policies = yield from lookups.policies(inputs)
    fields = yield from field_values.as_sent(inputs, "ORGANIZATION")
    if template:
        inputs = inputs.with_values(template_organization_id=template)
    if policies:
        inputs = inputs.with_values(policies=policies)
    created = yield inputs.request()
    new_id = created.member("id")
    if fields:
        path = "/v2/organization/{id}/custom-fields"
        yield request("PATCH", path, {"id": new_id}, body=fields, idempotent=True)
    return created.json()
