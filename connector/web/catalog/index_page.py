"""The data of the first page: all actions by area, and the filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connector.catalog.action import EFFECTS, Action
from connector.catalog.naming import title
from connector.catalog.service import Service
from connector.hosts.lhub_build import DOCUMENTED

AREA_TITLES = {
    "alerts_activities": "Alerts and activities",
    "custom_fields": "Custom fields",
    "itam_licenses": "Assets and licenses",
    "knowledge_base": "Knowledge base",
    "organizations_locations": "Organizations and locations",
    "users_roles": "Users and roles",
}
"""The titles of areas whose title is not derived from their name."""

HOSTS: Mapping[str, tuple[str, frozenset[str]]] = {"lhub": ("LogicHub / Devo SOAR", frozenset(DOCUMENTED))}
"""The host platforms: the title of each, and the actions that it offers by default."""


@dataclass(frozen=True)
class Card:
    """One entry of a list of actions."""

    name: str
    title: str
    summary: str
    effect: str
    request: str
    paged: bool
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class Area:
    """An area and its actions. `name` is unique on the page."""

    name: str
    title: str
    service: str
    cards: list[Card]


@dataclass(frozen=True)
class Index:
    """The data of the first page: all actions by area, and the filters with their counts.

    `services` has the title and the number of actions of each service, by its name.
    """

    areas: Sequence[Area]
    services: Mapping[str, tuple[str, int]]
    effects: Mapping[str, int]
    paged: int
    hosts: Mapping[str, tuple[str, int]]

    @property
    def count(self) -> int:
        """The number of actions."""
        return sum(len(area.cards) for area in self.areas)


def make_index(actions: Iterable[Action], services: Iterable[Service]) -> Index:
    """Return the data of the first page."""
    by_name = {service.name: service for service in services}
    areas: dict[str, Area] = {}
    for action in actions:
        title = area_title(action, by_name[action.service])
        area = areas.setdefault(area_key(action), Area(area_key(action), title, action.service, []))
        area.cards.append(make_card(action))
    order = list(by_name)
    shown = sorted(areas.values(), key=lambda area: (order.index(area.service), area.title))
    cards = [card for area in shown for card in area.cards]
    counts = {name: sum(len(area.cards) for area in shown if area.service == name) for name in order}
    return Index(
        shown,
        {name: (by_name[name].title, count) for name, count in counts.items() if count},
        {effect: sum(card.effect == effect for card in cards) for effect in EFFECTS},
        sum(card.paged for card in cards),
        {key: (name, sum(key in card.hosts for card in cards)) for key, (name, _) in HOSTS.items()},
    )


def make_card(action: Action) -> Card:
    """Return an action's entry in the list."""
    return Card(
        action.name,
        action.title,
        action.summary,
        action.effect,
        f"{action.method} {action.path}",
        bool(action.paging),
        tuple(key for key, (_, names) in HOSTS.items() if action.name in names),
    )


def area_key(action: Action) -> str:
    """Return the name of an action's area, unique among the areas of all services."""
    return action.area if action.name == action.own_name else f"{action.service}-{action.area}"


def area_title(action: Action, service: Service) -> str:
    """Return the title of an action's area, after the service's title if its action names are qualified."""
    words = AREA_TITLES.get(action.area) or title(action.area).capitalize()
    return f"{service.title}: {words}" if service.prefix else words
