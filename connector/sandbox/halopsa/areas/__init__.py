"""The areas of the API that the sandbox serves. Importing one declares its endpoints; add new ones here."""

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
