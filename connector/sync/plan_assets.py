"""Plan the asset of a device: create, link, update, move, skip, or report a conflict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connector.common.json_text import Json
from connector.common.same_name import same_name
from connector.sync.asset_fields import AssetFields, Rendered, without
from connector.sync.mapping import DeviceMapping
from connector.sync.matching import Match, UserIndex
from connector.sync.plan_clients import Place, Ref
from connector.sync.plan_items import UNCHANGED, Change, Counts, Item
from connector.sync.records import Asset, AssetType, Catalog, Target
from connector.sync.spool import Spool
from connector.sync.state import Link
from connector.sync.values import FieldDefinition, digest, is_same

_WARRANTY = ("warranty_start", "warranty_end")
_DATE = FieldDefinition("date", "date", "date")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The expected values of a device's asset. `note` is the reason for which its link is invalid."""

    device: int
    name: str
    place: Place
    values: tuple[tuple[int, Json], ...]
    errors: tuple[str, ...]
    user: str
    type: str
    link: str
    warranty: tuple[str | None, str | None] | None
    match: str
    hash: str
    software: Json = None
    note: str = ""

    def as_json(self) -> dict[str, Json]:
        """Return the values as a JSON object, for `from_json`."""
        place = self.place
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {**fields, "place": [place.client, place.site, place.is_own_site, place.is_default]}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Wanted:
        """Return the values from a JSON object made by `as_json`."""
        warranty = data["warranty"]
        return Wanted(
            **{
                **data,
                "place": Place(*data["place"]),
                "values": tuple((place, value) for place, value in data["values"]),
                "errors": tuple(data["errors"]),
                "warranty": None if warranty is None else (warranty[0], warranty[1]),
            }
        )


class AssetChanges:
    """Compares devices with assets. Reads the users of a client when a device of the client has changed."""

    def __init__(
        self,
        mapping: DeviceMapping,
        catalog: Catalog,
        fields: AssetFields,
        target: Target,
        spool: Spool,
        counts: Counts,
        default_client: int | None,
    ) -> None:
        self._default_client = default_client
        self._mapping, self._fields, self._target = mapping, fields, target
        self._spool, self._counts = spool, counts
        self._catalog = catalog
        self._types = {found.id: found for found in catalog.types}
        self._type_names: dict[str, list[AssetType]] = {}
        for found in catalog.types:
            self._type_names.setdefault(same_name(found.name), []).append(found)
        self._new_types: set[str] = set()
        self._users: dict[int, UserIndex] = {}

    def create(self, wanted: Wanted) -> Item:
        """Return the item that creates an asset for a device, or a skip item with the reason."""
        kind, problem = self._type(wanted.type)
        if problem:
            return self._skip(wanted, None, problem)
        wanted = self._fitting(wanted, self._types.get(kind) if isinstance(kind, int) else None)
        place = wanted.place
        changes = [Change("client", None, place.client), Change("type", None, kind)]
        changes += [Change("site", None, place.site)] if place.site is not None else []
        changes.append(Change("stamp", None, wanted.device))
        fields = list(self._fields.changes(Rendered(wanted.values), None))
        if all(change.field != "inventory_number" for change in fields):
            changes.append(Change("name", None, wanted.name))
        changes += [*fields, *self._others(wanted, None)]
        software = self.software(wanted, None)
        changes += [Change("software", None, wanted.software)] if software else []
        return self._item("create", wanted, None, "new", changes, software)

    def link(self, wanted: Wanted, asset: Asset, method: str) -> Item:
        """Return the item that links a device to an existing asset, with the changes of the asset."""
        stamp = [] if asset.stamp == wanted.device else [Change("stamp", asset.stamp, wanted.device)]
        software = self.software(wanted, None)
        changes, problem = self._changes(wanted, asset, software)
        if problem:
            return self._item("link", wanted, asset, method, stamp, None, (problem,), is_whole=False)
        return self._item("link", wanted, asset, method, [*stamp, *changes], software, wanted.errors)

    def update(self, wanted: Wanted, asset: Asset, link: Link, software: str | None) -> Item | str:
        """Return the item that updates the asset of a linked device; UNCHANGED if nothing differs.

        Fields that asset lists do not contain are compared only if the device has changed.
        """
        if not asset.is_active and not link.deactivated:
            return self._skip(
                wanted, asset, f"asset {asset.id} is inactive, but was not deactivated by the sync"
            )
        client = wanted.place.client
        if client != asset.client:
            if wanted.place.is_default:
                return self._skip(wanted, asset, "the device's organization no longer has a client")
            if self._mapping.moved != "follow" and asset.client != self._default_client:
                moved = f"the device moved to client {client}"
                reason = f"{moved}; asset {asset.id} is in client {asset.client} (moved: report)"
                return self._skip(wanted, asset, reason)
        active = [] if asset.is_active else [Change("inactive", True, False)]
        changes, problem = self._changes(wanted, asset, software)
        if problem:
            return self._skip(wanted, asset, problem)
        if link.values_hash == wanted.hash and client == asset.client:
            changes = [change for change in changes if not change.unread]
        if not active and not changes and not wanted.errors:
            if link.values_hash != wanted.hash:
                self._spool.add_extras("hash", [(wanted.device, wanted.hash)])
            return UNCHANGED
        if not active and not changes:
            return self._item("skip", wanted, asset, "link", [], None, wanted.errors)
        op = "move" if client != asset.client else "update"
        return self._item(op, wanted, asset, "link", [*active, *changes], software, wanted.errors)

    def _names(self, assets: Iterable[int]) -> tuple[str, ...]:
        """Return the names of assets by id; empty text for an asset that was not read."""
        found = [self._spool.asset(id) for id in assets]
        return tuple(asset.name if asset is not None else "" for asset in found)

    def conflict(self, wanted: Wanted, match: Match) -> Item:
        """Return the conflict item of a device with ambiguous assets, which requires a user's decision."""
        return Item(
            "conflict",
            "asset",
            wanted.device,
            method=match.method,
            candidates=match.candidates,
            reason=match.reason,
            name=wanted.name,
            hash=wanted.hash,
            candidate_names=match.names or self._names(match.candidates),
            unfit=match.unfit,
        )

    def _skip(self, wanted: Wanted, asset: Asset | None, reason: str) -> Item:
        return Item(
            "skip", "asset", wanted.device, asset.id if asset else None, reason=reason, name=wanted.name
        )

    def _item(
        self,
        op: Any,
        wanted: Wanted,
        asset: Asset | None,
        method: str,
        changes: list[Change],
        software: str | None,
        errors: tuple[str, ...] | None = None,
        *,
        is_whole: bool = True,
    ) -> Item:
        problems = wanted.errors if errors is None else errors
        return Item(
            op,
            "asset",
            wanted.device,
            asset.id if asset else None,
            method,
            tuple(changes),
            reason="; ".join([*([wanted.note] if wanted.note else []), *problems]),
            name=wanted.name,
            hash=wanted.hash if is_whole else None,
            software_hash=software,
            client=asset.client if asset else None,
        )

    def _changes(self, wanted: Wanted, asset: Asset, software: str | None) -> tuple[list[Change], str]:
        """Return the changes of an asset, and empty text or the reason for which it must not be written."""
        kind = self._types.get(asset.type or 0)
        wanted = self._fitting(wanted, kind)
        changes = [*self._moves(wanted, asset), *self._fields.changes(Rendered(wanted.values), asset)]
        changes += self._others(wanted, asset)
        changes += self._type_changes(wanted, asset)
        if software is not None:
            changes.append(Change("software", None, wanted.software))
        if any(isinstance(change.field, int) and not change.unread for change in changes):
            declared = self._catalog.fields_of(kind)
            if hidden := len(declared - asset.shown):
                return [], (
                    f"asset {asset.id}: its type has {len(declared)} fields, of which the agent can read "
                    f"{len(declared) - hidden}. An update would clear the other {hidden}. Give the agent "
                    "access to all asset fields"
                )
        return changes, ""

    def _moves(self, wanted: Wanted, asset: Asset) -> Iterator[Change]:
        place = wanted.place
        if place.is_default:
            return
        if place.client != asset.client:
            yield Change("client", asset.client, place.client)
            yield Change("site", asset.site, place.site)
            if self._user(wanted) is None and not asset.shows("user"):
                yield Change("user", None, None, unread="always")
            elif asset.users and self._user(wanted) is None:
                yield Change("user", asset.users[0], None)
        elif place.is_own_site and place.site != asset.site:
            yield Change("site", asset.site, place.site)

    def _others(self, wanted: Wanted, asset: Asset | None) -> Iterator[Change]:
        users = asset.users if asset is not None else ()
        values = asset.values if asset is not None else {}
        warranty = wanted.warranty or (None, None)
        new: dict[str, Json] = {"user": self._user(wanted), "link": wanted.link or None}
        new |= {"warranty_start": warranty[0], "warranty_end": warranty[1]}
        for field, value in new.items():
            old = (users[0] if users else None) if field == "user" else values.get(field)
            if value is None or (field == "user" and value in users):
                continue
            if asset is not None and not asset.shows(field):
                yield Change(field, None, value, unread="always")
            elif not (is_same(old, value, _DATE) if field in _WARRANTY else old == value):
                yield Change(field, old, value)

    def _type_changes(self, wanted: Wanted, asset: Asset) -> Iterator[Change]:
        if self._mapping.type_when == "always" and wanted.type:
            kind, problem = self._type(wanted.type)
            if not problem and kind != asset.type:
                yield Change("type", asset.type, kind)

    def _fitting(self, wanted: Wanted, kind: AssetType | None) -> Wanted:
        """Return a copy without the values of fields that the asset's type does not have."""
        numbers = [place for place, _ in wanted.values if isinstance(self._key(place), int)]
        declared = self._catalog.fields_of(kind) if numbers else frozenset()
        if kind is None or not declared:
            return wanted
        unfit = {
            place: self._key(place)
            for place in numbers
            if self._key(place) not in declared
            and str(self._fields.bound[place].mapping.key) not in self._mapping.create_fields
        }
        if not unfit:
            return wanted
        errors = tuple(f"field {key}: the asset type {kind.name} does not have it" for key in unfit.values())
        fitting = without(Rendered(wanted.values, wanted.errors), frozenset(unfit), errors)
        return replace(wanted, values=fitting.values, errors=fitting.errors)

    def _key(self, place: int) -> int | str:
        return self._fields.bound[place].definition.key

    def software(self, wanted: Wanted, link: Link | None) -> str | None:
        """Return the hash of a device's software; None if it was not read or equals the last written one."""
        if wanted.software is None:
            return None
        if not wanted.software and (link is None or link.software_hash is None):
            return None  # Nothing to clear: the sync has never written software to this asset.
        found = digest([wanted.software])
        return None if link is not None and link.software_hash == found else found

    def _type(self, name: str) -> tuple[Ref | dict[str, str] | None, str]:
        """Return (id, "") of an asset type, a reference to a new one, or (None, error message)."""
        if not name:
            return None, "the device has no asset type: the template devices.type has no value"
        name = self._mapping.types.get(name, name)
        found = self._type_names.get(same_name(name), [])
        if len(found) == 1:
            return found[0].id, ""
        if found:
            return None, f'{len(found)} asset types are called "{name}"'
        if not self._mapping.create_types:
            return None, f'there is no asset type "{name}", and create_types is off'
        if same_name(name) not in self._new_types:
            self._new_types.add(same_name(name))
            numbers: list[Json] = [
                key for found in self._fields.bound if isinstance(key := found.definition.key, int)
            ]
            changes = (
                Change("name", None, name),
                Change("group", None, self._mapping.type_group),
                Change("fields", None, numbers),
            )
            self._counts.add("type", "create")
            self._spool.add_item(Item("create", "type", name, method="new", changes=changes, name=name))
        return {"type": name}, ""

    def _user(self, wanted: Wanted) -> int | None:
        client = wanted.place.client_id
        if client is None or not wanted.user or self._mapping.user is None:
            return None
        if client not in self._users:
            self._users[client] = UserIndex(self._target.users(client), self._mapping.user.match)
        return self._users[client].match(wanted.user)
