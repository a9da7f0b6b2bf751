"""The data of the first page: all actions by area, and the filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connector.catalog.action import EFFECTS, Action
from connector.catalog.naming import title
from connector.hosts.lhub_build import DOCUMENTED

AREA_TITLES = {
    "alerts_activities": "Alerts and activities",
    "custom_fields": "Custom fields",
    "itam_licenses": "Assets and licenses",
    "knowledge_base": "Knowledge base",
    "organizations_locations": "Organizations and locations",
    "users_roles": "Users and roles",
}
"""Titles of areas that differ from their names."""

HOSTS: Mapping[str, tuple[str, frozenset[str]]] = {"lhub": ("LogicHub / Devo SOAR", frozenset(DOCUMENTED))}
"""The host platforms: their titles, and the actions that they offer by default."""


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
    """An area and its actions."""

    name: str
    title: str
    cards: Sequence[Card]


@dataclass(frozen=True)
class Index:
    """The first page: all actions by area, and the filters with their counts."""

    areas: Sequence[Area]
    effects: Mapping[str, int]
    paged: int
    hosts: Mapping[str, tuple[str, int]]

    @property
    def count(self) -> int:
        """The number of actions."""
        return sum(len(area.cards) for area in self.areas)


def make_index(actions: Iterable[Action]) -> Index:
    """Return the data of the first page."""
    areas: dict[str, list[Card]] = {}
    for action in actions:
        areas.setdefault(action.area, []).append(make_card(action))
    shown = [Area(name, area_title(name), cards) for name, cards in areas.items()]
    shown.sort(key=lambda area: area.title)
    cards = [card for area in shown for card in area.cards]
    return Index(
        shown,
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


def area_title(area: str) -> str:
    """Return the title of an area."""
    return AREA_TITLES.get(area) or title(area).capitalize()
