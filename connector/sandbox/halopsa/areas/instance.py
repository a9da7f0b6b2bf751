"""Endpoints for the instance: its sign-in address, version, agent, and built-in integration."""

from __future__ import annotations

from connector.sandbox.halopsa.api.call import HaloCall, endpoint, flag, query
from connector.sandbox.halopsa.data.seed import AGENT, CLIENTS_FROM, VERSION
from connector.sandbox.halopsa.errors import forbidden
from connector.sandbox.invented import JSON

TENANT = "sandbox"
PUBLIC = ("getAuthInfo", "getInstanceInfo")
"""The operations that require no token."""
_FIELD_MAPPINGS = (
    {"fiid": 117, "name": "Serial Number", "thirdpartyname": "system.serialNumber", "isassetfield": True},
    {"fiid": 52, "name": "Operating System", "thirdpartyname": "os.name", "isassetfield": True},
)


@endpoint("GET", "/authinfo", "getAuthInfo")
def get_auth_info(call: HaloCall) -> JSON:
    """Return the address for signing in."""
    return {"auth_url": f"{call.base_url}/auth", "tenant_id": TENANT}


@endpoint("GET", "/InstanceInfo", "getInstanceInfo")
def get_instance_info(call: HaloCall) -> JSON:
    """Return the version of the instance."""
    return {"version": VERSION, "product": "HaloPSA", "tenant_id": TENANT, "hosted": True}


@endpoint("GET", "/Agent/me", "getAgentMe")
def get_me(call: HaloCall) -> JSON:
    """Return the agent whose permissions the client app has."""
    return dict(AGENT)


@endpoint("GET", "/Control", "getControl", query=query("includeintegrationsettings", "integrationmoduleid"))
def get_control(call: HaloCall) -> JSON:
    """Return settings of the instance, with those of the built-in integration if requested."""
    traps = call.state.traps
    if traps.is_on("integration", "forbidden"):
        raise forbidden(traps)
    settings: JSON = {"id": 1, "instance_name": "Sandbox", "version": VERSION}
    if flag(call, "includeintegrationsettings"):
        settings |= _integration(call, is_on=traps.is_on("integration", "on"))
    return settings


def _integration(call: HaloCall, *, is_on: bool) -> JSON:
    """Return the settings of the built-in integration with NinjaOne.

    It maps NinjaOne's organization n to the nth client.
    """
    state = call.state
    found: JSON = {
        "halointegrator_ninjarmm": is_on,
        "ninja_alert_webhooks": is_on,
        "ninja_sitemappings": [],
        "ninja_fieldmappings": [],
        "ninjatoplevel": 1,
        "ninjadefaultsite": 0,
        "ninjarmmassettypefield": "nodeClass",
        "ninja_alert_type": 25 if is_on else 0,
        "ninja_alert_user": 0,
        "ninjarmmmatchname": False,
    }
    if is_on:
        found["ninja_fieldmappings"] = [
            {**row, "newrecords": True, "populateemptyvalue": True, "dontupdate": False}
            for row in _FIELD_MAPPINGS
        ]
        found["ninja_sitemappings"] = [
            {
                "halo_id": site["id"],
                "halo_name": site["name"],
                "halo_client_id": site["client_id"],
                "third_party_id": str(number),
                "third_party_client_id": str(site["client_id"] - CLIENTS_FROM + 1),
                "third_party_name": site["name"],
            }
            for number, site in enumerate(state.sites.values(), 1)
        ]
    return found
