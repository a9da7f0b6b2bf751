"""Endpoints for links to agent installers."""

from __future__ import annotations

from connector.sandbox.ninjaone.api.endpoints import ApiCall, endpoint
from connector.sandbox.ninjaone.data.seed import JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import invalid
from connector.sandbox.types import INTEGER, TEXT, Object, one_of

_SUFFIXES = {
    "WINDOWS_MSI": "msi",
    "WINDOWS_ARM64_MSI": "arm64.msi",
    "MAC_DMG": "dmg",
    "MAC_PKG": "pkg",
    "LINUX_DEB": "deb",
    "LINUX_RPM": "rpm",
    "LINUX_ARM64_DEB": "arm64.deb",
    "LINUX_ARM64_RPM": "arm64.rpm",
    "LINUX_ARMV7A_DEB": "armv7a.deb",
    "LINUX_ARMV7A_RPM": "armv7a.rpm",
}
_TYPE = one_of(*_SUFFIXES)


@endpoint(
    "POST",
    "/v2/organization/generate-installer",
    "getInstaller",
    body=Object(
        {
            "organizationId": INTEGER,
            "locationId": INTEGER,
            "installerType": _TYPE,
            "content": Object({"nodeRoleId": TEXT}),
        },
        required=("organizationId", "locationId", "installerType"),
    ),
)
def generate_installer(call: ApiCall) -> JSON:
    """Return a link to an installer.

    The device role in the request is an id as text, `auto`, or empty.
    """
    role = (call.body.get("content") or {}).get("nodeRoleId") or ""
    if role not in ("", "auto"):
        if not role.isdecimal():
            raise invalid("content.nodeRoleId", "an id, auto, or empty text")
        call.state.role(int(role))
    return _link(call.state, call.body["organizationId"], call.body["locationId"], call.body["installerType"])


@endpoint(
    "GET",
    "/v2/organization/{id}/location/{location_id}/installer/{installer_type}",
    "getInstallerForLocation",
    path_types={"installer_type": _TYPE},
)
def get_installer(call: ApiCall, id: int, location_id: int, installer_type: str) -> JSON:
    """Return a link to an installer for which no device role is set."""
    return _link(call.state, id, location_id, installer_type)


def _link(state: State, organization_id: int, location_id: int, kind: str) -> JSON:
    state.location(organization_id, location_id)
    name = f"agent-{organization_id}-{location_id}.{_SUFFIXES[kind]}"
    return {"url": f"https://downloads.example.com/installer/{name}?token={state.fresh_uid()}"}
