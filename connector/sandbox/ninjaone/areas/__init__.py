"""The areas of the API that the sandbox serves. Importing one declares its endpoints; add new ones here."""

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
"""Every published path, such as `/v2/devices`, is served after each of these."""


def declared_endpoints() -> tuple[Endpoint, ...]:
    """Return the endpoints that an area implements."""
    return tuple(ENDPOINTS.declared)


@cache
def router() -> Router:
    """Return the router of all areas. It is cached, because building it is slow."""
    declared = declared_endpoints()
    served = [*declared, *missing_endpoints(declared)]
    return Router([replace(entry, empty_status=empty_status(entry.operation)) for entry in served], PREFIXES)
