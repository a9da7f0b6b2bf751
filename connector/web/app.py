"""What is answered at which address. A page's own content is made elsewhere; here it only meets HTTP.

A group of pages (such as those that run actions) brings its own `Route`s: `ROUTES` lists them all.
"""

from __future__ import annotations

import mimetypes
from functools import cached_property
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.security import safe_join
from werkzeug.wrappers import Request, Response

from connector.action import Action
from connector.catalog import Catalog
from connector.errors import ConnectorError, RunFault
from connector.web import run_pages, try_pages
from connector.web.action_page import make_action_page
from connector.web.doors import refusal
from connector.web.drafts import Drafts
from connector.web.index_page import make_index
from connector.web.render import STATIC, Renderer
from connector.web.route import Route
from connector.web.run_control import RunControl
from connector.web.search_index import search_index

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain"}
"""Said here, as a machine's own list of types may say otherwise."""


class Site:
    """The pages of a catalogue, as a view behind the `Doors`. Safe for threads."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.csrf_token = ""
        self.drafts, self.control = Drafts(), RunControl()
        rules = [Rule(route.rule, endpoint=route, methods=route.methods) for route in ROUTES]
        self._map = Map(rules, strict_slashes=False, merge_slashes=False)

    def __call__(self, request: Request) -> Response:
        """Answer one request that was let in."""
        try:
            route, values = self._map.bind_to_environ(request.environ).match()
            response: Response = route.view(self, request, **values)
            return response
        except HTTPException as error:
            if error.code == 404:
                return self.page("missing.html", "../" * (request.path.count("/") - 1), status=404)
            return refusal(error.code or 500, error.description or error.name)
        except ConnectorError as error:
            return self.page("fault.html", "", status=500, message=str(error))

    @cached_property
    def renderer(self) -> Renderer:
        """What renders the pages, with the token that their forms need."""
        return Renderer(served=True, csrf_token=self.csrf_token)

    @cached_property
    def actions(self) -> list[Action]:
        """All actions, loaded once."""
        return list(self.catalog.actions())

    def load(self) -> None:
        """Make ready what the first page needs. Raises RunFault."""
        self.renderer.page("index.html", "", index=make_index(self.actions))

    @cached_property
    def actions_by_name(self) -> dict[str, Action]:
        """The same by their names."""
        return {action.name: action for action in self.actions}

    def action(self, name: str) -> Action:
        """Give an action. Raises RunFault for an unknown one."""
        return self.actions_by_name.get(name) or self.catalog.action(name)

    def page(self, template: str, root: str, status: int = 200, **values: Any) -> Response:
        """Render a template. `root` is the way from the page's address to the first page, such as `../`."""
        return Response(self.renderer.page(template, root, **values), status, mimetype="text/html")

    def close(self) -> None:
        """End what pages need of the server; the runs that they have started go on."""
        self.control.close()
        self.drafts.close()


def _index(site: Site, request: Request) -> Response:
    return site.page("index.html", "", index=make_index(site.actions))


def _action(site: Site, request: Request, name: str) -> Response:
    try:
        shown = make_action_page(site.catalog, name, site.actions)
    except RunFault:
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
        return refusal(404, "There is no such file.")
    ending = "." + name.rpartition(".")[2]
    return Response(content, mimetype=_TYPES.get(ending) or mimetypes.guess_type(name)[0])


ROUTES = (
    Route("/", _index),
    Route("/index.html", _index),
    Route("/actions/<name>.html", _action),
    Route("/static/search-index.js", _search_index),
    Route("/static/<path:name>", _static),
    *try_pages.ROUTES,
    *run_pages.ROUTES,
)
