"""The parts of a plan: items, each with one source record and its change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Literal

from connector.common.json_text import Json
from connector.errors import ConnectorError

Op = Literal["create", "update", "link", "move", "deactivate", "skip", "conflict"]
Entity = Literal["client", "site", "type", "field", "asset"]
ENTITIES: tuple[Entity, ...] = ("client", "site", "type", "field", "asset")
"""The entities, in the order in which their items are applied."""
UNCHANGED = "unchanged"
MISSING = "missing"


class PlanError(ConnectorError):
    """The counts of a plan do not match, which is a defect of the connector. Nothing is written."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a record of the target, before and after.

    `field` is an asset field's number, the name of a custom field (`CF…`), or one of these names:
    name, client, site, type, stamp, user, link, warranty_start, warranty_end, software, inactive, top_level,
    inventory_number, notes, and of types: group, fields. A client, site, type that the same plan creates is
    `{"organization": 2}`, `{"location": 3}`, `{"type": "Server"}`.

    A change is `unread` if the asset was only seen in a list, which does not show the field: the old value is
    read when the change is applied, and `always` overwrites it, `empty` only does so if it is empty.
    """

    field: int | str
    old: Json
    new: Json
    unread: Literal["", "always", "empty"] = ""


@dataclass(frozen=True, slots=True)
class Item:
    """The change of one record. `source` is its id, or the name of a type or field.

    `method` is how the record of the target was found. `candidate_names` are the names of `candidates`, empty
    if they are not known; old plans have none. `hash` is kept with the link once the item is
    applied; `name` is for people; `client` is where an asset was when the plan was made.
    """

    op: Op
    entity: Entity
    source: int | str
    target: int | None = None
    method: str = ""
    changes: tuple[Change, ...] = ()
    candidates: tuple[int, ...] = ()
    reason: str = ""
    name: str = ""
    hash: str | None = None
    software_hash: str | None = None
    client: int | None = None
    candidate_names: tuple[str, ...] = ()

    @property
    def named_candidates(self) -> list[tuple[int, str]]:
        """The candidates, each with its name or an empty string."""
        return list(zip(self.candidates, chain(self.candidate_names, repeat("")), strict=False))

    @property
    def is_write(self) -> bool:
        """Whether applying it sends a write to the target, or may send one if it `is_unread`."""
        return self.op not in ("skip", "conflict") and (self.op == "create" or bool(self.changes))

    @property
    def is_unread(self) -> bool:
        """Whether it is known only when the item is applied whether the record differs."""
        return self.is_write and bool(self.changes) and all(change.unread for change in self.changes)

    @property
    def has_unread(self) -> bool:
        """Whether the current value is not known."""
        return any(change.unread for change in self.changes)

    def as_json(self, source_key: str, target_key: str) -> dict[str, Json]:
        """Return the item as it is in a plan's file; the arguments are the JSON keys of the two systems."""
        return {
            "op": self.op,
            "entity": self.entity,
            source_key: self.source,
            target_key: self.target,
            "method": self.method,
            "changes": [_change_json(change) for change in self.changes],
            "candidates": list(self.candidates),
            "reason": self.reason,
            "name": self.name,
            "hash": self.hash,
            "software_hash": self.software_hash,
            "client": self.client,
            **({"candidate_names": list(self.candidate_names)} if self.candidate_names else {}),
        }


def _change_json(change: Change) -> dict[str, Json]:
    found: dict[str, Json] = {"field": change.field, "old": change.old, "new": change.new}
    return {**found, "unread": change.unread} if change.unread else found


def item_from_json(data: Mapping[str, Any], source_key: str, target_key: str) -> Item:
    """Read an item back. Raises KeyError or TypeError if it is not one."""
    return Item(
        data["op"],
        data["entity"],
        data[source_key],
        data[target_key],
        data["method"],
        tuple(Change(c["field"], c["old"], c["new"], c.get("unread", "")) for c in data["changes"]),
        tuple(data["candidates"]),
        data["reason"],
        data.get("name", ""),
        data.get("hash"),
        data.get("software_hash"),
        data.get("client"),
        tuple(data.get("candidate_names", ())),
    )


@dataclass(frozen=True, slots=True)
class Stop:
    """Why nothing of an entity is planned, or why its items are not applied."""

    entity: Entity
    reason: str


class Counts:
    """The number of records for each entity and operation."""

    def __init__(self) -> None:
        self.of: dict[str, dict[str, int]] = {entity: {} for entity in ENTITIES}

    def add(self, entity: str, op: str) -> None:
        """Count a record."""
        self.of[entity][op] = self.of[entity].get(op, 0) + 1

    def get(self, entity: str, *ops: str) -> int:
        """Return the number of records with one of these operations."""
        return sum(self.of[entity].get(op, 0) for op in ops)

    def require(self, entity: str, records: int) -> None:
        """Raise PlanError unless every record is counted once."""
        counted = sum(number for op, number in self.of[entity].items() if op not in (MISSING, "deactivate"))
        if counted != records:
            raise PlanError(f"the plan has {counted} of {records} records for the entity {entity}")


def changed(pairs: Iterable[tuple[int | str, Json, Json]]) -> tuple[Change, ...]:
    """Return the changes of those fields whose old and new values differ."""
    return tuple(Change(field, old, new) for field, old, new in pairs if old != new)
