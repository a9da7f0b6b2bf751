"""Compared program (a): a typical integration for the LogicHub SDK that updates devices.

The SDK runs it in file mode (`python -m lhub_integ.shim_exec -e ...`): for every row, it compiles and renders
the six templates, calls the function, and writes the result.
"""

import json

import requests
from lhub_integ import action
from lhub_integ.params import ConnectionParam, JinjaTemplatedStr

BASE_URL = ConnectionParam("base_url")
CLIENT_ID = ConnectionParam("client_id")
CLIENT_SECRET = ConnectionParam("client_secret")


def sign_in():
    """Return an access token for the client credentials of the connection."""
    answer = requests.post(
        f"{BASE_URL.read()}/ws/oauth/token",
        data={
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID.read(),
            "client_secret": CLIENT_SECRET.read(),
        },
        timeout=30,
    )
    answer.raise_for_status()
    return answer.json()["access_token"]


HEADERS = {"Authorization": f"Bearer {sign_in()}"}


@action("Update Device Information")
def update_device(
    device_id: JinjaTemplatedStr,
    display_name: JinjaTemplatedStr,
    user_data: JinjaTemplatedStr,
    node_role_id: JinjaTemplatedStr,
    organization_id: JinjaTemplatedStr,
    location_id: JinjaTemplatedStr,
):
    """Change a device's name, data, role and location."""
    try:
        body = {
            "displayName": display_name,
            "userData": json.loads(user_data),
            "nodeRoleId": int(node_role_id),
            "organizationId": int(organization_id),
            "locationId": int(location_id),
        }
        url = f"{BASE_URL.read()}/v2/device/{int(device_id)}"
        answer = requests.patch(url, json=body, headers=HEADERS, timeout=30)
        answer.raise_for_status()
    except (ValueError, requests.RequestException) as error:
        return {"has_error": True, "error": str(error), "result": None}
    return {"has_error": False, "error": None, "result": answer.json() if answer.content else None}
