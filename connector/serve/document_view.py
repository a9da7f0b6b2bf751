"""The view that returns documents about the actions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from werkzeug.wrappers import Request, Response

from connector.callers.access import Caller
from connector.catalog.catalog import Catalog
from connector.serve.dialects import Schema
from connector.serve.documents import openapi_3_0, openapi_3_1
from connector.serve.responses import json_response
from connector.serve.selection import Selection, Selector
from connector.serve.settings import Settings
from connector.serve.swagger import power_automate, swagger_2_0

PATHS: Mapping[str, Callable[[Selection, str], Schema]] = {
    "openapi.json": openapi_3_1,
    "openapi-3.0.json": openapi_3_0,
    "swagger.json": swagger_2_0,
    "power-automate.json": power_automate,
}
"""The documents, by path."""


_HOST = re.compile(r"[\w.-]+(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?", re.ASCII)


class DocumentView:
    """Returns documents of the actions that the caller may call. Safe for threads."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._selector = Selector(catalog, settings)

    def document(self, request: Request, caller: Caller, path: str) -> Response:
        """Return the document at a path. Raises ProblemError (400)."""
        selection = self._selector.select(request, caller)
        return json_response(PATHS[path](selection, _address(request)))


def _address(request: Request) -> str:
    """Return the address at which the caller reaches the server: that of the nearest proxy, if it says so."""

    def said(name: str) -> str:
        return request.headers.get(name, "").rpartition(",")[2].strip()

    host, scheme = said("X-Forwarded-Host"), said("X-Forwarded-Proto").lower()
    if not _HOST.fullmatch(host):
        host = request.host
    return f"{scheme if scheme in ('http', 'https') else request.scheme}://{host}"
