"""The areas of the HaloPSA API that the sandbox serves.

Importing the module of an area declares its endpoints; add the import of a new area here.
"""

from __future__ import annotations

from functools import cache

from connector.sandbox.halopsa.api.call import ENDPOINTS
from connector.sandbox.halopsa.areas import (  # noqa: F401  each declares its endpoints
    actions,
    assets,
    instance,
    organizations,
    set_up,
    tickets,
    webhooks,
)
from connector.sandbox.routing import Router

PREFIX = "/api"


@cache
def router() -> Router:
    """Return the router of all areas. It is cached, because building it is slow."""
    return Router(ENDPOINTS.declared, prefixes=(PREFIX,))
