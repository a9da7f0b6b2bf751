"""The actions of a document: those that its reader may call, and that the query selects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from werkzeug.wrappers import Request

from connector.callers.access import Caller
from connector.callers.problems import ProblemError
from connector.callers.sessions import services_of
from connector.catalog.action import EFFECTS, Action
from connector.catalog.catalog import Catalog
from connector.common.comma_separated import comma_separated
from connector.errors import nearest
from connector.serve.options import check_names, flag
from connector.serve.settings import Settings


@dataclass(frozen=True)
class Selection:
    """The actions of a document, and whether their ids can be names."""

    actions: Sequence[Action]
    names: bool


class Selector:
    """Selects the actions of documents."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._catalog, self._settings = catalog, settings

    @cached_property
    def _actions(self) -> list[Action]:
        return [action for action in self._catalog.actions() if not self._settings.missing_folder(action)]

    def select(self, request: Request, caller: Caller) -> Selection:
        """Return the selected actions. Raises ProblemError (400) for a name that does not exist."""
        check_names(request, ("areas", "actions", "effect", "names"))
        names = _listed(request, "actions", [action.name for action in self._actions])
        effects = _listed(request, "effect", EFFECTS)
        areas = _listed(request, "areas", [name for action in self._actions for name in action.area_names])
        services = services_of(self._catalog, self._settings, caller.rights)
        selected = [
            action
            for action in self._actions
            if action.service in services
            and caller.rights.allows(action)
            and (not names or action.name in names)
            and (not effects or action.effect in effects)
            and (not areas or areas & set(action.area_names))
        ]
        return Selection(selected, flag(request, "names"))


def _listed(request: Request, parameter: str, known: Sequence[str]) -> set[str]:
    """Return the names in a parameter, separated by commas; empty if it is not given."""
    given = set(comma_separated(request.args.get(parameter, "")))
    for name in given - set(known):
        raise ProblemError(400, f'{parameter}: there is no "{name}"{nearest(name, set(known))}')
    return given
