"""The areas of the NinjaOne API that the sandbox serves.

Importing the module of an area declares its endpoints; add the import of a new area here.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from connector.sandbox.endpoints import Endpoint
from connector.sandbox.ninjaone.api.endpoints import ENDPOINTS
from connector.sandbox.ninjaone.api.fallback import missing_endpoints
from connector.sandbox.ninjaone.api.operations import empty_status
from connector.sandbox.ninjaone.areas import (  # noqa: F401  each declares its endpoints
    account,
    activities,
    assets,
    attachments,
    backup,
    billing,
    checklists,
    devices,
    documents,
    field_reports,
    fields,
    installers,
    inventory,
    knowledge,
    licenses,
    maintenance,
    newer,
    organizations,
    people,
    policies,
    related,
    reports,
    scripting,
    services,
    tabs,
    tags,
    ticketing,
    tickets,
    users,
    vulnerabilities,
)
from connector.sandbox.routing import Router

PREFIXES = ("", "/api")
"""The prefixes of paths: each path, such as `/v2/devices`, is served with each of them."""


def declared_endpoints() -> tuple[Endpoint, ...]:
    """Return the endpoints that the areas declare."""
    return tuple(ENDPOINTS.declared)


@cache
def router() -> Router:
    """Return the router of all areas. It is cached, because building it is slow."""
    declared = declared_endpoints()
    served = [*declared, *missing_endpoints(declared)]
    return Router([replace(entry, empty_status=empty_status(entry.operation)) for entry in served], PREFIXES)
