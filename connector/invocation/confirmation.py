"""Checks that the items of a list match the filters of the request, because an API can ignore a filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.catalog.action import Action
from connector.common.absent import ABSENT
from connector.common.json_text import Json
from connector.errors import shorten
from connector.http.messages import Response, query_text


@dataclass(frozen=True)
class _Filter:
    """A filter of the request, the member of each item that must match it, and the allowed values."""

    name: str
    member: str
    allowed: frozenset[str]


@dataclass
class Confirmation:
    """Checks a list's items against the filters of its request; those in `unknown` cannot be checked."""

    filters: tuple[_Filter, ...]
    unknown: dict[str, str] = field(default_factory=dict)

    def check(self, items: list[Json], response: Response) -> None:
        """Raise RowError (`bad_response`) for an item that a filter does not allow."""
        for one in self.filters:
            for item in items:
                value = _member(item, one.member)
                if value is ABSENT:
                    self.unknown[one.name] = one.member
                elif _text(value) not in one.allowed:
                    raise response.bad(_refusal(one, item, value))

    @property
    def warnings(self) -> list[str]:
        """The warnings about filters that could not be checked."""
        return [
            f"{name}: the connector cannot check whether the API applied this filter, because the items have "
            f"no {member}"
            for name, member in self.unknown.items()
        ]


def confirmation(action: Action, values: Mapping[str, Json]) -> Confirmation | None:
    """Return the check of the list that a row requests, or None if no filter can be checked."""
    sent = [given for given in action.confirmed_inputs if given.name in values]
    if not sent:
        return None
    return Confirmation(
        tuple(_Filter(given.name, given.confirms, _allowed(values[given.name])) for given in sent)
    )


def _allowed(value: Json) -> frozenset[str]:
    """Return the allowed values of an item's member.

    They are the filter's value, or the items of an array or of a comma-separated list.
    """
    texts = [_text(one) for one in (value if isinstance(value, list) else [value])]
    return frozenset((*texts, *(part.strip() for text in texts for part in text.split(","))))


def _text(value: Json) -> str:
    """Return a value as text for comparison; 12, 12.0 and "12" are equal."""
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return query_text(whole).strip().casefold()


def _member(item: Json, path: str) -> Json:
    for name in path.split("."):
        item = item.get(name, ABSENT) if isinstance(item, Mapping) else ABSENT
    return item


def _refusal(one: _Filter, item: Json, value: Json) -> str:
    named = f" (id {shorten(query_text(item['id']), 40)})" if "id" in item else ""
    return (
        f"the API did not apply the filter {one.name}: an item{named} has {one.member} "
        f"{shorten(query_text(value), 60)}. The result is not the requested list"
    )
