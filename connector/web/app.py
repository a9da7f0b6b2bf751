"""The URL routes of the site and the views of the catalog's own pages.

`ROUTES` also includes the routes of `tryout_pages` and `run_pages`.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from pathlib import Path

from werkzeug.security import safe_join
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from connector.catalog.catalog import Catalog
from connector.errors import RunError
from connector.web import run_pages, tryout_pages
from connector.web.access import refusal
from connector.web.catalog.action_page import make_action_page
from connector.web.catalog.index_page import make_index
from connector.web.catalog.search_index import search_index
from connector.web.render import STATIC
from connector.web.route import Route
from connector.web.site import Site

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain"}
"""Media types by file extension, because those that the operating system defines can differ."""


def _index(site: Site, request: Request) -> Response:
    return site.page("index.html", "", index=make_index(site.actions, site.catalog.all_services()))


def _action(site: Site, request: Request, name: str) -> Response:
    try:
        shown = make_action_page(site.catalog, name, site.actions)
    except RunError:
        return site.page("missing.html", "../", status=404)
    return site.page("action.html", "../", page=shown)


def _search_index(site: Site, request: Request) -> Response:
    return Response(search_index(site.actions), mimetype="text/javascript")


def _static(site: Site, request: Request, name: str) -> Response:
    path = safe_join(str(STATIC), name)
    try:
        with open(path or "", "rb") as file:
            content = file.read()
    except OSError:
        return refusal(404, "File not found.")
    ending = "." + name.rpartition(".")[2]
    return Response(content, mimetype=_TYPES.get(ending) or mimetypes.guess_type(name)[0])


def _syncs(site: Site, request: Request) -> Response:
    if len(site.syncs) == 1:
        return redirect(f"/sync/{next(iter(site.syncs.values())).url_name}")
    return site.page("syncs.html", "", syncs=list(site.syncs.values()))


ROUTES = (
    Route("/", _index),
    Route("/index.html", _index),
    Route("/actions/<name>.html", _action),
    Route("/static/search-index.js", _search_index),
    Route("/static/<path:name>", _static),
    *tryout_pages.ROUTES,
    *run_pages.ROUTES,
    Route("/sync", _syncs),
)


def make_site(catalog: Catalog, syncs: Iterable[Path] = ()) -> Site:
    """Return the pages of a catalog, and of the syncs in these folders. Raises RunError."""
    if not (folders := list(syncs)):
        return Site(catalog, ROUTES)
    # imported only for syncs, because it takes a fifth of the start
    from connector.web import sync_apply, sync_fields, sync_pages, sync_pins
    from connector.web.syncs.folders import sync_folders

    routes = (*sync_pages.ROUTES, *sync_pins.ROUTES, *sync_apply.ROUTES, *sync_fields.ROUTES)
    return Site(catalog, (*ROUTES, *routes), sync_folders(folders))
