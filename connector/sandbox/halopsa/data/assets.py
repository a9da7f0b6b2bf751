"""Assets: generated when they are read, with the changes that requests made to them.

An asset is a pure function of the seed and its id until a request changes it; only changes are stored. The
assets of each client are indexed on first use, so that a sandbox with 50,000 assets starts immediately.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.halopsa.data.seed import ASSETS_FROM, CLIENTS_FROM, TYPE_OF_DEVICE
from connector.sandbox.invented import JSON, company_of, place_of, serial_number

_KEPT_SELECTIONS = 8
_MODELS = {101: "Rack 2", 102: "Desk 14", 103: "Book 13", 104: "Rack 2"}
_SYSTEMS = {101: "Windows Server 2022", 102: "Windows 11 Pro", 103: "macOS 26.1", 104: "Ubuntu 24.04.2 LTS"}


@dataclass
class Changes:
    """The changes of one asset since it was generated; for an added asset, all of its values.

    None means that a value is as generated.
    """

    values: JSON = field(default_factory=dict)
    fields: dict[int, str] = field(default_factory=dict)
    custom: JSON = field(default_factory=dict)
    users: list[int] | None = None
    software: list[JSON] | None = None


class Assets:
    """All assets. `sites[n - 1]` has the ids of the sites of the generated client n.

    With `linked`, asset n has the id of device n of NinjaOne, as another integration would have set it.
    """

    def __init__(
        self, seed: int, count: int, sites: Sequence[Sequence[int]], *, linked: bool = False
    ) -> None:
        self._seed = seed
        self._linked = linked
        self.count = count if sites else 0
        self._sites = sites
        self._changes: dict[int, Changes] = {}
        self._removed: set[int] = set()
        self._next = ASSETS_FROM + self.count
        self._of_client: dict[int, dict[int, None]] | None = None
        self._selections: dict[Any, list[int]] = {}
        self.inactive: set[int] = set()

    def exists(self, asset_id: int) -> bool:
        """Return whether an asset exists."""
        known = ASSETS_FROM <= asset_id < ASSETS_FROM + self.count or asset_id in self._changes
        return known and asset_id not in self._removed

    def ids(self) -> Iterator[int]:
        """Yield the ids of all assets in ascending order."""
        for asset_id in range(ASSETS_FROM, self._next):
            if asset_id not in self._removed:
                yield asset_id

    def add(self, values: JSON) -> int:
        """Add an asset with these values, and return its id."""
        asset_id = self._next
        self._next += 1
        self._changes[asset_id] = Changes()
        self.set_values(asset_id, values)
        return asset_id

    def remove(self, asset_id: int) -> None:
        """Delete an asset."""
        if self._of_client is not None:
            self._of_client.get(self.values(asset_id)["client_id"], {}).pop(asset_id, None)
        self._removed.add(asset_id)
        self._selections.clear()

    def values(self, asset_id: int) -> JSON:
        """Return the members of an asset, except fields, customfields, users and software."""
        changed = self._changes.get(asset_id)
        generated = self._generated(asset_id)
        return generated if changed is None else generated | changed.values

    def set_values(self, asset_id: int, values: JSON) -> None:
        """Set members of an asset."""
        stored = self._changes.setdefault(asset_id, Changes()).values
        before = self.client_of(asset_id) if self._of_client is not None else None
        stored |= values
        if self._of_client is not None:
            self._of_client.get(before or 0, {}).pop(asset_id, None)
            self._of_client.setdefault(self.client_of(asset_id), {})[asset_id] = None
        if "inactive" in values:
            (self.inactive.add if values["inactive"] else self.inactive.discard)(asset_id)
        self._selections.clear()

    def fields(self, asset_id: int) -> dict[int, str]:
        """Return the values of an asset's fields, keyed by field id. Empty values can be missing."""
        changed = self._changes.get(asset_id)
        return self._generated_fields(asset_id) | (changed.fields if changed else {})

    def set_fields(self, asset_id: int, values: dict[int, str]) -> None:
        """Set values of an asset's fields. Values that are equal to the generated ones are not stored."""
        stored = self._changes.setdefault(asset_id, Changes()).fields
        generated = self._generated_fields(asset_id)
        for number, value in values.items():
            if generated.get(number) == value:
                stored.pop(number, None)
            else:
                stored[number] = value

    def changes(self, asset_id: int) -> Changes:
        """Return the changes of an asset, for reading."""
        return self._changes.get(asset_id) or Changes()

    def change(self, asset_id: int) -> Changes:
        """Return the changes of an asset, for writing anything except its values and fields."""
        return self._changes.setdefault(asset_id, Changes())

    def client_of(self, asset_id: int) -> int:
        """Return the id of the asset's client."""
        changed = self._changes.get(asset_id)
        if changed is not None and "client_id" in changed.values:
            return int(changed.values["client_id"])
        return CLIENTS_FROM + self._company(asset_id) - 1 if self._is_generated(asset_id) else 0

    def type_of(self, asset_id: int) -> int:
        """Return the id of the asset's type."""
        changed = self._changes.get(asset_id)
        if changed is not None and "assettype_id" in changed.values:
            return int(changed.values["assettype_id"])
        return self._type(asset_id)

    def of_client(self, client_id: int) -> list[int]:
        """Return the ids of a client's assets, ascending."""
        if self._of_client is None:
            self._of_client = {}
            for asset_id in self.ids():
                self._of_client.setdefault(self.client_of(asset_id), {})[asset_id] = None
        return sorted(self._of_client.get(client_id, ()))

    def select(self, key: Any, choose: Callable[[], list[int]]) -> list[int]:
        """Return the ids that `choose` returns. They are cached, by `key`, until an asset changes."""
        if key not in self._selections:
            if len(self._selections) >= _KEPT_SELECTIONS:
                self._selections.clear()
            self._selections[key] = choose()
        return self._selections[key]

    def _is_generated(self, asset_id: int) -> bool:
        return ASSETS_FROM <= asset_id < ASSETS_FROM + self.count

    def _company(self, asset_id: int) -> int:
        return company_of(self._seed, asset_id - ASSETS_FROM + 1, len(self._sites))

    def _type(self, asset_id: int) -> int:
        return TYPE_OF_DEVICE[(asset_id - ASSETS_FROM) % len(TYPE_OF_DEVICE)]

    def _generated(self, asset_id: int) -> JSON:
        if not self._is_generated(asset_id):
            return {}
        number, company = asset_id - ASSETS_FROM + 1, self._company(asset_id)
        sites = self._sites[company - 1]
        return {
            "inventory_number": f"A{number:05d}",
            "client_id": CLIENTS_FROM + company - 1,
            "site_id": sites[place_of(self._seed, number, company) % len(sites)],
            "assettype_id": self._type(asset_id),
            "inactive": False,
            "status_id": 1,
            "ninjarmm_id": number if self._linked else 0,
            "notes": "",
        }

    def _generated_fields(self, asset_id: int) -> dict[int, str]:
        if not self._is_generated(asset_id):
            return {}
        type_id = self._type(asset_id)
        fields = {117: serial_number(asset_id - ASSETS_FROM + 1), 44: "16 GB", 52: _SYSTEMS[type_id]}
        if type_id != 104:
            fields[51] = _MODELS[type_id]
        return fields
