"""The areas of the API that are served. Importing one declares its routes; a new one is added here."""

from __future__ import annotations

from functools import cache

from connector.sandbox.ninjaone.api import generic
from connector.sandbox.ninjaone.areas import (  # noqa: F401  each declares its routes
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
from connector.sandbox.routing import ROUTES, Route, Router


def declared_routes() -> tuple[Route, ...]:
    """The routes that an area answers by hand or from a collection."""
    return _DECLARED


_DECLARED = tuple(ROUTES)


@cache
def router() -> Router:
    """The router of all areas, built once: that takes longer than all the rest of a sandbox."""
    declared = declared_routes()
    return Router([*declared, *generic.missing_routes(declared)])
