"""Prepare the values of a plan item for writing: replace references to created records by their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.common.json_text import Json
from connector.common.same_name import same_name
from connector.sync.plan_items import Change, Item
from connector.sync.records import Asset, Catalog, Target
from connector.sync.state import State
from connector.sync.values import FieldDefinition

WORDS = frozenset(
    ("name", "client", "site", "type", "stamp", "user", "link", "warranty_start", "warranty_end", "group")
) | {"software", "inactive", "top_level", "inventory_number", "notes", "fields", "main_site"}
"""The names of record properties in a change; any other text is the name of an asset field."""
_PARENTS = {"organization": "client", "location": "site"}
_DATES = ("warranty_start", "warranty_end")


class UnresolvedError(Exception):
    """A record to which an item refers was not created; the message is the reason."""


class Resolver:
    """Replaces references to the records that a plan creates by the ids of the created records.

    `first_sites` has the name of the first site of each client that is created, keyed by organization.
    """

    def __init__(self, state: State, target: Target, first_sites: Mapping[int | str, str]) -> None:
        self._first_sites = first_sites
        self._state, self._target = state, target
        self._failed: dict[tuple[str, str], str] = {}
        self._new_clients: set[int] = set()
        self._ids: dict[tuple[str, str], int] = {}
        self._catalog: Catalog | None = None

    def created(self, item: Item, id: int) -> None:
        """Store the id of the target record of an item."""
        self._failed.pop((item.entity, str(item.source)), None)
        self._ids[item.entity, str(item.source)] = id
        if item.entity == "client" and item.op == "create":
            self._new_clients.add(id)
        if item.entity in ("type", "field"):
            self._catalog = None

    def failed(self, item: Item, reason: str) -> None:
        """Store the reason for which the record of an item was not created."""
        self._failed[item.entity, str(item.source)] = reason

    def target_of(self, item: Item) -> int | None:
        """Return the id of the target record of an item; None if there is none."""
        return self._ids.get((item.entity, str(item.source)), item.target)

    def is_new_client(self, client: Any) -> bool:
        """Return whether this plan has created a client, and with it the client's first site."""
        return client in self._new_clients

    def value(self, value: Json) -> Json:
        """Return a value; a reference such as `{"location": 3}` becomes an id. Raises UnresolvedError."""
        if not (isinstance(value, dict) and len(value) == 1):
            return value
        ((noun, source),) = value.items()
        if noun == "type":
            return self._type(str(source))
        if noun not in _PARENTS or not isinstance(source, int):
            return value
        entity = _PARENTS[noun]
        found = self._ids.get((entity, str(source)))
        if found is None:
            link = self._state.links(entity, [source]).get(source)
            found = link.target if link else None
        if found is None:
            reason = self._failed.get((entity, str(source)), "the record was not created")
            raise UnresolvedError(f"{noun} {source}: {reason}")
        return found

    def _type(self, name: str) -> int:
        found = [kind.id for kind in self.catalog.types if same_name(kind.name) == same_name(name)]
        if len(found) != 1:
            reason = self._failed.get(("type", name), "the record was not created")
            raise UnresolvedError(f'asset type "{name}": {reason}')
        return found[0]

    @property
    def catalog(self) -> Catalog:
        """The target's asset types and fields, including newly created ones."""
        if self._catalog is None:
            self._catalog = self._target.catalog()
        return self._catalog

    def definition(self, field: int | str) -> FieldDefinition:
        """Return the definition of an asset field, which determines how its values are compared."""
        if field in _DATES:
            return FieldDefinition(field, str(field), "date")
        found = next((known for known in self.catalog.fields if known.key == field), None)
        return found or FieldDefinition(field, str(field))

    def values_of(self, item: Item, changes: Sequence[Change]) -> dict[int | str, Json]:
        """Return the values to send for a new record."""
        values = {change.field: change.new for change in changes}
        if item.entity == "asset":
            values = self.known(values)
            self.give_fields(values, None)
        if item.entity == "client" and (site := self._first_sites.get(item.source)):
            values["main_site"] = site  # The target creates the first site together with the client.
        return values

    def known(self, values: Mapping[int | str, Json]) -> dict[int | str, Json]:
        """Return an asset's values keyed by the numbers of existing fields. Raises UnresolvedError."""
        return {self._known(field): value for field, value in values.items()}

    def give_fields(self, values: Mapping[int | str, Json], kind: int | None) -> bool:
        """Add the fields that an asset's type lacks; return whether any were added. Raises RowError.

        The type is `values["type"]`, or else `kind`.
        """
        numbers = {field for field in values if isinstance(field, int)}
        number = values.get("type") or kind
        known = next((one for one in self.catalog.types if one.id == number), None)
        declared = self.catalog.fields_of(known) if numbers else frozenset()
        lacking = sorted(numbers - declared) if declared else []
        if known is not None and lacking:
            self._target.save("type", known.id, {"fields": list(lacking)})
            self._catalog = None
        return bool(lacking)

    def _known(self, field: int | str) -> int | str:
        """Return the key of an asset field; for a field that this plan has created, its number."""
        if isinstance(field, int) or field in WORDS or field.startswith("CF"):
            return field
        named = [
            known.key
            for known in self.catalog.fields
            if isinstance(known.key, int) and same_name(known.name) == same_name(field)
        ]
        if len(named) != 1:
            reason = self._failed.get(("field", field), "the record was not created")
            raise UnresolvedError(f"field {field}: {reason}")
        return named[0]


def current_value(asset: Asset, field: int | str) -> Json:
    """Return an asset's current value of the property or field of a change."""
    if field == "user":
        return asset.users[0] if asset.users else None
    if field == "inactive":
        return not asset.is_active
    if field in ("client", "site", "type", "stamp", "name"):
        found: Json = getattr(asset, str(field))
        return found
    return asset.values.get(field)
