"""The areas of the API that are served. Importing one declares its routes; a new one is added here."""

from __future__ import annotations

from functools import cache

from connector.sandbox import (
    activities,
    devices,
    installers,
    maintenance,
    organizations,
    scripting,
    services,
    ticketing,
    users,
    vulnerabilities,
)
from connector.sandbox.routing import ROUTES, Route, Router

AREAS = (
    activities,
    devices,
    installers,
    maintenance,
    organizations,
    scripting,
    services,
    ticketing,
    users,
    vulnerabilities,
)


def declared_routes() -> list[Route]:
    """The routes of all areas."""
    names = {area.__name__ for area in AREAS}
    return [route for route in ROUTES if route.handle.__module__ in names]


@cache
def router() -> Router:
    """The router of all areas, built once: that takes longer than all the rest of a sandbox."""
    return Router(declared_routes())
