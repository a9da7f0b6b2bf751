"""Checks that a list has only items that its filters allow, because an API can ignore a filter."""

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
    """A filter that was sent, the member of each item that must match it, and the allowed values."""

    name: str
    member: str
    allowed: frozenset[str]


@dataclass
class Confirmation:
    """Checks the items of a list against the filters that were sent, except those in `unknown`."""

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
        """A message about filters that could not be checked."""
        return [
            f"{name}: the connector cannot check whether the API applied this filter, because the items have "
            f"no {member}"
            for name, member in self.unknown.items()
        ]


def confirmation(action: Action, values: Mapping[str, Json]) -> Confirmation | None:
    """Return the check of a list for the values of a row, or None if nothing is to be checked."""
    sent = [given for given in action.confirmed_inputs if given.name in values]
    if not sent:
        return None
    return Confirmation(
        tuple(_Filter(given.name, given.confirms, _allowed(values[given.name])) for given in sent)
    )


def _allowed(value: Json) -> frozenset[str]:
    """Return the allowed values of an item: the value, an array's items, or the parts of a comma list."""
    texts = [_text(one) for one in (value if isinstance(value, list) else [value])]
    return frozenset((*texts, *(part.strip() for text in texts for part in text.split(","))))


def _text(value: Json) -> str:
    """Return a value for a comparison, in which 12, 12.0 and "12" are the same."""
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
