"""Get the download link of the installer with GET, which requires only the scope Monitoring.

A node role requires another operation.
"""

from connector.handlers import Inputs, Steps, request


def handle(inputs: Inputs) -> Steps:
    """Send one request and return its link. `auto` has the same effect as no node role."""
    if inputs.node_role_id in (None, "auto"):
        return (yield inputs.request()).json()
    body = {
        "organizationId": inputs.organization_id,
        "locationId": inputs.location_id,
        "installerType": inputs.installer_type,
        "content": {"nodeRoleId": inputs.node_role_id},
    }
    return (
        yield request("POST", "/v2/organization/generate-installer", {}, body=body, idempotent=True)
    ).json()
