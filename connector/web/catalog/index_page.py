"""What the first page shows: all actions by area, and what they can be filtered by."""

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
"""Areas whose title is more than their name."""

HOSTS: Mapping[str, tuple[str, frozenset[str]]] = {"lhub": ("LogicHub / Devo SOAR", frozenset(DOCUMENTED))}
"""The hosts: their titles, and which actions they offer unless told otherwise."""


@dataclass(frozen=True)
class Card:
    """What a list of actions says of one."""

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
    """The first page: everything by area, and what can be filtered by, with counts."""

    areas: Sequence[Area]
    effects: Mapping[str, int]
    paged: int
    hosts: Mapping[str, tuple[str, int]]

    @property
    def count(self) -> int:
        """How many actions there are."""
        return sum(len(area.cards) for area in self.areas)


def make_index(actions: Iterable[Action]) -> Index:
    """Gather what the first page shows."""
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
    """Return what the list shows of an action."""
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
