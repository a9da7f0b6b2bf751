"""The parts of a plan: items (one source record each), their changes, stops, and counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Literal

from connector.common.json_text import Json
from connector.errors import ConnectorError

Op = Literal["create", "update", "link", "move", "deactivate", "skip", "conflict"]
Entity = Literal["client", "site", "type", "field", "asset", "ticket"]
ENTITIES: tuple[Entity, ...] = ("client", "site", "type", "field", "asset", "ticket")
"""The kinds of records, in the order in which their items are applied. A ticket's source is its alert."""
UNCHANGED = "unchanged"
MISSING = "missing"


class PlanError(ConnectorError):
    """The counts of a plan do not add up, which is a defect of the connector. Nothing is written."""


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one field of a target record: the old and the new value.

    `field` is an asset field's number, the name of a custom field (`CF…`), or one of these names:
    name, client, site, type, stamp, user, link, warranty_start, warranty_end, software, inactive, top_level,
    inventory_number, notes; for asset types also group and fields. A client, site or type that the same plan
    creates has the value `{"organization": 2}`, `{"location": 3}` or `{"type": "Server"}`.

    `unread` is set if the asset is known only from a list that does not contain the field. The old value is
    then read when the change is applied: `always` overwrites it, `empty` overwrites only an empty value.
    """

    field: int | str
    old: Json
    new: Json
    unread: Literal["", "always", "empty"] = ""


@dataclass(frozen=True, slots=True)
class Item:
    """The planned operation for one source record. `source` is its id; for a type or field, its name.

    `method` is how the target record was found. `candidate_names` are the names of `candidates`, empty if
    unknown. `hash` is saved with the link when the item is applied. `name` is the record's name for display.
    `client` is the client of the asset when the plan was made. `unfit` are candidates that a pin cannot
    choose; `method` of a conflict is "pin" or "map" if the record chosen there cannot be used.
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
    unfit: tuple[int, ...] = ()

    @property
    def named_candidates(self) -> list[tuple[int, str]]:
        """The candidates that a pin can choose, each with its name or an empty string."""
        named = zip(self.candidates, chain(self.candidate_names, repeat("")), strict=False)
        return [(id, name) for id, name in named if id not in self.unfit]

    @property
    def is_write(self) -> bool:
        """Whether applying the item sends a write to the target, or may send one if `is_unread`."""
        return self.op not in ("skip", "conflict") and (self.op == "create" or bool(self.changes))

    @property
    def is_unread(self) -> bool:
        """Whether all changes are `unread`, so that the item may turn out to need no write."""
        return self.is_write and bool(self.changes) and all(change.unread for change in self.changes)

    @property
    def has_unread(self) -> bool:
        """Whether the current value of a changed field is unknown."""
        return any(change.unread for change in self.changes)

    def as_json(self, source_key: str, target_key: str) -> dict[str, Json]:
        """Return the item as in a plan file; the arguments are the JSON keys of the two services' ids."""
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
            **({"unfit": list(self.unfit)} if self.unfit else {}),
        }


def _change_json(change: Change) -> dict[str, Json]:
    found: dict[str, Json] = {"field": change.field, "old": change.old, "new": change.new}
    return {**found, "unread": change.unread} if change.unread else found


def item_from_json(data: Mapping[str, Any], source_key: str, target_key: str) -> Item:
    """Return the item from a JSON object of a plan file. Raises KeyError or TypeError if it is invalid."""
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
        tuple(data.get("unfit", ())),
    )


@dataclass(frozen=True, slots=True)
class Stop:
    """The reason for which an entity is not planned, or for which its items are not applied."""

    entity: Entity
    reason: str


class Counts:
    """The number of records for each entity and operation."""

    def __init__(self) -> None:
        self.of: dict[str, dict[str, int]] = {entity: {} for entity in ENTITIES}

    def add(self, entity: str, op: str) -> None:
        """Count one record of an entity."""
        self.of[entity][op] = self.of[entity].get(op, 0) + 1

    def get(self, entity: str, *ops: str) -> int:
        """Return the number of an entity's records with one of the given operations."""
        return sum(self.of[entity].get(op, 0) for op in ops)

    def require(self, entity: str, records: int) -> None:
        """Raise PlanError unless the entity's counts add up to the number of source records."""
        counted = sum(number for op, number in self.of[entity].items() if op not in (MISSING, "deactivate"))
        if counted != records:
            raise PlanError(f"the plan has {counted} of {records} records for the entity {entity}")


def changed(pairs: Iterable[tuple[int | str, Json, Json]]) -> tuple[Change, ...]:
    """Return a Change for each (field, old, new) whose old and new values differ."""
    return tuple(Change(field, old, new) for field, old, new in pairs if old != new)
