"""The actions that a server offers, and the names of their tools if each one is a tool."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from typing import Any

from connector.callers.sessions import service_of
from connector.catalog.action import Action
from connector.catalog.catalog import Catalog, search_actions
from connector.common.json_text import Json
from connector.errors import RunError, nearest
from connector.mcp.settings import Settings

MAX_FOUND = 25
"""The maximum number of actions in the result of a search."""


class Offer:
    """The offered actions. All declarations are read once. Raises RunError for a name that does not exist."""

    def __init__(self, catalog: Catalog, settings: Settings, services: tuple[str, ...]) -> None:
        self.catalog, self.services = catalog, services
        offered = [action for service in services for action in catalog.actions(service)]
        if settings.read_only:
            offered = [action for action in offered if action.effect == "read"]
        self.is_direct = bool(settings.tools or settings.areas)
        if self.is_direct:
            offered = _selected(offered, settings)
        self.actions = {action.name: action for action in offered}
        self.direct = _by_tool_name(offered) if self.is_direct else {}

    def action(self, name: str) -> Action:
        """Return an offered action. The service's name can be omitted if there is one service.

        Raises RunError, with the most similar name, if it is not offered.
        """
        found = self.actions.get(name)
        if found is None and len(self.services) == 1:
            found = self.actions.get(self.catalog.service(self.services[0]).prefix + name)
        if found is None:
            raise RunError(f'no action "{name}"{nearest(name, self.actions)}; search_actions finds actions')
        return found

    def search(self, words: str) -> dict[str, Json]:
        """Return the actions with all of the words, or else those with most of them; without words, areas."""
        wanted = words.split()
        if not wanted:
            return {"areas": self._areas(), "hint": "Search with words, such as `device maintenance`."}
        found = self._having(wanted)
        partly = not found
        if partly:
            counts = Counter(name for word in dict.fromkeys(wanted) for name in self._having([word]))
            most = max(counts.values(), default=0)
            found = [name for name in counts if counts[name] == most]
        shown = [self.actions[name] for name in found[:MAX_FOUND]]
        result: dict[str, Json] = {"actions": [_entry(action) for action in shown], "found": len(found)}
        if partly and found:
            result["hint"] = "No action has all of the words; these have most of them."
        elif len(found) > len(shown):
            result["hint"] = f"These are the first {len(shown)}; use more words to find fewer."
        elif not found:
            result["hint"] = "Search without words to list the areas."
        return result

    def _having(self, words: list[str]) -> list[str]:
        """Return the names of the offered actions that have every word."""
        return [action.name for action in search_actions(self.actions.values(), words)]

    def _areas(self) -> list[Json]:
        counted = Counter((action.service, action.area) for action in self.actions.values())
        return [
            {"service": service, "area": area, "actions": count}
            for (service, area), count in sorted(counted.items())
        ]


def tool_name(action: Action) -> str:
    """Return the name of an action's tool. Several model APIs refuse a name with a dot."""
    return action.name.replace(".", "_")


def _by_tool_name(actions: list[Action]) -> dict[str, Action]:
    """Return actions by the names of their tools. Raises RunError if two tools would have the same name."""
    found: dict[str, Action] = {}
    for action in actions:
        other = found.setdefault(tool_name(action), action)
        if other is not action:
            raise RunError(f"{action.name} and {other.name} have the same tool name: select one of them")
    return found


def _entry(action: Action) -> dict[str, Any]:
    return {
        "name": action.name,
        "title": action.title,
        "summary": action.summary,
        "area": action.area,
        "effect": action.effect_name,
    }


def _selected(offered: list[Action], settings: Settings) -> list[Action]:
    """Return the actions that `tools` or `areas` select. Raises RunError if one of them selects none."""
    for pattern in settings.tools:
        if not any(fnmatchcase(action.name, pattern) for action in offered):
            known = nearest(pattern, [action.name for action in offered])
            raise RunError(f'--tools: no action "{pattern}"{known}')
    for area in settings.areas:
        if not any(area in action.area_names for action in offered):
            names = {name for action in offered for name in action.area_names}
            raise RunError(f'--areas: no area "{area}"{nearest(area, names)}')
    return [
        action
        for action in offered
        if any(fnmatchcase(action.name, pattern) for pattern in settings.tools)
        or any(area in action.area_names for area in settings.areas)
    ]


def services_of(catalog: Catalog, settings: Settings) -> tuple[str, ...]:
    """Return the services of a server: the one that is set, those of its connections, or all of them.

    Raises RunError if the service that is set does not exist, or no connection is one of it.
    """
    named = {service_of(catalog, name) for name in settings.connections}
    if not settings.service:
        return tuple(name for name in catalog.services if name in named or not named)
    service = catalog.service(settings.service).name
    if named and service not in named:
        raise RunError(f"--service {service}: no --connection is one of {service}")
    return (service,)
