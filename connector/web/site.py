"""The site: its routes, its error pages and the data that its views share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.errors import ConnectorError
from connector.state.tried_once import each_tried_once
from connector.web.access import refusal
from connector.web.catalog.index_page import make_index
from connector.web.render import Renderer
from connector.web.route import Route
from connector.web.runs.control import RunControl
from connector.web.syncs.commands import SyncCommands
from connector.web.tryout.drafts import Drafts

if TYPE_CHECKING:
    from connector.web.syncs.folders import SyncFolder


class Site:
    """The pages of a catalog, as a view for `AccessControl`. Safe for threads."""

    def __init__(
        self, catalog: Catalog, routes: Sequence[Route], syncs: Mapping[str, SyncFolder] | None = None
    ) -> None:
        self.catalog, self.syncs = catalog, dict(syncs or {})
        self.csrf_token = ""
        self.drafts, self.control, self.sync_commands = Drafts(), RunControl(), SyncCommands()
        rules = [Rule(route.rule, endpoint=route, methods=route.methods) for route in routes]
        self._map = Map(rules, strict_slashes=False, merge_slashes=False)

    def __call__(self, request: Request) -> Response:
        """Return the response to a request that has passed the access checks."""
        try:
            route, values = self._map.bind_to_environ(request.environ).match()
            with each_tried_once():
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
        """The renderer of the pages, with the CSRF token for their forms."""
        return Renderer(served=True, csrf_token=self.csrf_token)

    @cached_property
    def actions(self) -> list[Action]:
        """All actions of the catalog; they are loaded once."""
        return list(self.catalog.actions())

    def load(self) -> None:
        """Load everything that the first page shows. Raises RunError."""
        self.renderer.page("index.html", "", index=make_index(self.actions, self.catalog.all_services()))

    @cached_property
    def actions_by_name(self) -> dict[str, Action]:
        """All actions, keyed by name."""
        return {action.name: action for action in self.actions}

    def action(self, name: str) -> Action:
        """Return the action with this name. Raises RunError if there is none."""
        return self.actions_by_name.get(name) or self.catalog.action(name)

    def page(self, template: str, root: str, status: int = 200, **values: Any) -> Response:
        """Return a rendered page.

        `root` is the relative URL from the page to the first page, such as `../`.
        """
        return Response(self.renderer.page(template, root, **values), status, mimetype="text/html")

    def close(self) -> None:
        """Stop the server's sandbox and delete drafts; runs that were started continue."""
        self.control.close()
        self.drafts.close()
