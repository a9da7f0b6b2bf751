"""The items of a plan as a table: filtered, by page, with old and new values as text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.common.json_text import Json
from connector.common.same_name import same_name
from connector.errors import shorten
from connector.sync.plan_file import PlanFile, key_of
from connector.sync.plan_items import ENTITIES, MISSING, UNCHANGED, Change, Item

PAGE = 50
_MAX_LENGTH = 300
REFERENCES = {
    "organization": "the new client of organization",
    "location": "the new site of location",
    "type": "the new type",
}
OPS = ("create", "update", "link", "move", "deactivate", "skip", "conflict")
UNDONE = ("skip", "conflict")
"""The operations of items that write nothing."""


@dataclass(frozen=True)
class ChangeRow:
    """One changed field; an empty text means no value. If `is_unread`, the old value is not known yet."""

    field: str
    old: str
    new: str
    is_unread: bool


@dataclass(frozen=True)
class ItemRow:
    """One item of the plan, and its changed fields."""

    key: str
    item: Item
    changes: Sequence[ChangeRow]

    @property
    def may_apply(self) -> bool:
        """Return whether the item can be applied, which it cannot if it writes nothing."""
        return self.item.op not in UNDONE


@dataclass(frozen=True)
class Filter:
    """The filter for the items to show; an empty text matches everything."""

    entity: str = ""
    op: str = ""
    text: str = ""

    def matches(self, item: Item) -> bool:
        """Return whether an item matches the filter."""
        if self.entity not in ("", item.entity) or self.op not in ("", item.op):
            return False
        if not self.text:
            return True
        words = (item.name, str(item.source), str(item.target or ""), item.reason)
        wanted = same_name(self.text)
        return any(wanted in same_name(word) for word in words)

    @property
    def query(self) -> Mapping[str, str]:
        """The filter as the query parameters of a URL."""
        pairs = (("entity", self.entity), ("op", self.op), ("q", self.text))
        return {name: value for name, value in pairs if value}


@dataclass(frozen=True)
class PlanTable:
    """A page of a plan's items. `found` is the number of items that match the filter."""

    rows: Sequence[ItemRow]
    found: int
    page: int

    @property
    def first(self) -> int:
        """The number of the first item on the page."""
        return (self.page - 1) * PAGE + 1

    @property
    def more(self) -> bool:
        """Return whether there is a next page."""
        return self.found > self.page * PAGE


def make_table(plan: PlanFile, shown: Filter, page: int) -> PlanTable:
    """Return a page of a plan's items. Raises RunError for a plan that cannot be read."""
    found = 0
    rows: list[ItemRow] = []
    for item in plan.items():
        if shown.matches(item):
            found += 1
            if (page - 1) * PAGE < found <= page * PAGE:
                rows.append(item_row(item))
    return PlanTable(rows, found, page)


def count_rows(plan: PlanFile) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return the number of records by entity and operation.

    The last operations are `unchanged` and `missing`.
    """
    ops = (*OPS, UNCHANGED, MISSING)
    known = [(entity, plan.counts.get(entity, {})) for entity in ENTITIES]
    return [(entity, [(op, of.get(op, 0)) for op in ops]) for entity, of in known if of]


def item_row(item: Item) -> ItemRow:
    """Return an item as the table shows it."""
    return ItemRow(key_of(item), item, [_change(change) for change in item.changes])


def _change(change: Change) -> ChangeRow:
    return ChangeRow(str(change.field), value_text(change.old), value_text(change.new), bool(change.unread))


def value_text(value: Json) -> str:
    """Return a value as text, shortened."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict) and len(value) == 1:
        ((noun, source),) = value.items()
        if noun in REFERENCES:
            return f"{REFERENCES[noun]} {source}"
    if isinstance(value, str):
        return shorten(value, _MAX_LENGTH)
    return shorten(json.dumps(value, ensure_ascii=False), _MAX_LENGTH)
