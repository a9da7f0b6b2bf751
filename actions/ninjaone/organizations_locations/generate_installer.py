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
    path = "/v2/organization/generate-installer"
    return (yield request("POST", path, {}, body=body, effect="read", idempotent=True)).json()
