"""Plan the assets of devices: linked devices first, page by page, then the others, client by client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from connector.common.json_text import Json
from connector.common.same_name import same_name
from connector.errors import RowError
from connector.sync.asset_fields import AssetFields, Rendered
from connector.sync.mapping import DeviceMapping
from connector.sync.matching import NOTHING, Match, match_stamped, match_value
from connector.sync.pins import Pins
from connector.sync.plan_assets import AssetChanges, Wanted
from connector.sync.plan_clients import ClientPlan, Place
from connector.sync.plan_items import MISSING, UNCHANGED, Change, Counts, Item
from connector.sync.records import Asset, Device, Target
from connector.sync.spool import Spool
from connector.sync.state import DAY, Link, State, conflict_of
from connector.sync.values import digest, normalized
from connector.templating.scope import Scope

PAGE = 1000
LISTS_TO_MOVE = 2
"""The number of complete lists without a device after which another device may be linked to its asset."""
DEACTIVATED_AFTER_S = 7 * DAY


@dataclass(frozen=True)
class DeviceInputs:
    """The inputs for planning devices."""

    mapping: DeviceMapping
    pins: Pins
    state: State
    target: Target
    spool: Spool
    counts: Counts
    clients: ClientPlan
    fields: AssetFields
    changes: AssetChanges
    full: bool
    now: float
    reads: int = 500
    """The maximum number of assets that are read one by one. For the others, only the fields in lists are
    read."""


class DevicePlan:
    """Plans the assets of all devices. `seen` has the ids of the listed devices."""

    def __init__(self, inputs: DeviceInputs) -> None:
        self._in = inputs
        self.seen: set[int] = set()
        self._values: Counter[int] = Counter()
        self._names: Counter[int] = Counter()
        self._taken: dict[int, int] = {}
        self._pinned_to = {asset: device for device, asset in inputs.pins.device.items()}
        self._reads = 0
        self._is_listed = inputs.full

    def plan(self, devices: Iterable[Device]) -> None:
        """Add every device to the plan, then the missing devices that have a link."""
        pages = iter(devices)
        while page := list(islice(pages, PAGE)):
            new: dict[int, Device] = {}
            for device in page:  # A list that changes while it is read can contain a device twice.
                if device.id not in self.seen:
                    new.setdefault(device.id, device)
            self._page(list(new.values()))
        spool = self._in.spool
        for client in spool.pending_clients():
            self._pending(client)
        self._missing()

    def _page(self, page: list[Device]) -> None:
        ids = [device.id for device in page]
        self.seen.update(ids)
        links = self._in.state.links("asset", ids)
        spool = self._in.spool
        extras = {kind: spool.extras(kind, ids) for kind in ("custom", "last_user", "software")}
        for device in page:
            own = {kind: values.get(device.id) for kind, values in extras.items()}
            if own["software"] is None and self._in.full and self._in.mapping.software:
                own["software"] = []  # The complete software list has no entry for the device.
            self._device(device, links.get(device.id), own)

    def _device(self, device: Device, link: Link | None, extras: Mapping[str, Json]) -> None:
        row = self._scope_row(device, extras)
        scope = Scope(row)
        take = self._in.mapping.take
        try:
            if take is not None and not take.holds(scope):
                self._skip(device, link, "devices.take is false")
                return
        except RowError as error:
            self._skip(device, link, f"devices.take: {error}")
            return
        place = self._in.clients.place(device.organization, device.location, self._in.mapping.default_site)
        if isinstance(place, str):
            self._skip(device, link, place)
            return
        wanted = self._wanted(device, place, scope, extras.get("software"))
        self._count_values(wanted)
        pin = self._in.pins.device.get(device.id)
        target = link.target if link is not None else None
        other = self._pinned_to.get(target, device.id) if target is not None else device.id
        if other != device.id and pin is None:
            reason = f"asset {target}, which it is linked to, is pinned to device {other}"
            self._skip(device, link, f"{reason}: the run after that matches it again")
        elif link is not None and target is not None and pin in (None, target):
            self._linked(wanted, link, scope)
        elif pin is None and link is not None and not self._in.full and link.values_hash == wanted.hash:
            self._same_conflict(wanted, link)
        else:
            self._wait(wanted)

    def _scope_row(self, device: Device, extras: Mapping[str, Json]) -> dict[str, Json]:
        organization = self._in.clients.organizations.get(device.organization)
        location = self._in.clients.locations.get(device.location or 0)
        row: dict[str, Json] = {"device": device.data, "custom": extras.get("custom") or {}}
        if organization is not None:
            row["organization"] = {**organization.data, "id": organization.id, "name": organization.name}
        if location is not None:
            row["location"] = {**location.data, "id": location.id, "name": location.name}
        if extras.get("last_user") is not None:
            row["last_user"] = extras["last_user"]
        return row

    def _wanted(self, device: Device, place: Place, scope: Scope, software: Json) -> Wanted:
        mapping, fields = self._in.mapping, self._in.fields
        rendered = fields.render(scope)
        errors = list(rendered.errors)
        texts = {"user": "", "type": "", "link": ""}
        templates = {
            "user": mapping.user and mapping.user.template,
            "type": mapping.type,
            "link": mapping.link,
        }
        for name, template in templates.items():
            try:
                texts[name] = template.text(scope) if template else ""
            except RowError as error:
                errors.append(f"{name}: {error}")
        value = normalized(fields.match_value(rendered, mapping.match.field) or "")
        warranty = device.warranty if mapping.warranty else None
        site = place.site if place.is_own_site else None
        values = [list(pair) for pair in fields.compared(rendered)]
        members = list(mapping.user.match) if mapping.user else []
        hashed: list[Json] = [
            place.client,
            site,
            values,
            *texts.values(),
            list(warranty or ()),
            errors,
            members,
            value,
        ]
        return Wanted(
            device.id,
            device.name,
            place,
            rendered.values,
            tuple(errors),
            texts["user"],
            texts["type"],
            texts["link"],
            warranty,
            "" if value in mapping.match.ignore else value,
            digest(hashed),
            software,
        )

    def _count_values(self, wanted: Wanted) -> None:
        """Count the devices of a client with the same value; the keys are hashes, to save memory."""
        client = wanted.place.client_id
        if wanted.match:
            self._values[hash((client, wanted.match))] += 1
        if self._in.mapping.match.by_name:
            self._names[hash((client, same_name(wanted.name)))] += 1

    def _linked(self, wanted: Wanted, link: Link, scope: Scope) -> None:
        assert link.target is not None
        software = self._in.changes.software(wanted, link)
        self._taken[link.target] = wanted.device
        if link.values_hash == wanted.hash and not self._in.full and software is None:
            self._in.counts.add("asset", UNCHANGED)
            return
        asset = self._asset(link.target)
        if self._in.full and self._in.fields.uses_current and asset is not None and not asset.is_whole:
            asset = self._in.target.asset(link.target)
        if asset is None:
            self._wait(replace(wanted, note=f"the previously linked asset {link.target} was deleted"))
            return
        rendered = Rendered(wanted.values, wanted.errors)
        if self._in.full:
            rendered = self._in.fields.with_current(rendered, scope, asset)
        wanted = replace(wanted, values=rendered.values, errors=rendered.errors)
        item = self._in.changes.update(wanted, asset, link, software)
        if isinstance(item, Item) and item.has_unread:
            whole = self._asset(asset.id, is_whole=True)
            if whole is not None and whole.is_whole:
                item = self._in.changes.update(wanted, whole, link, software)
        self._add(item)

    def _asset(self, id: int, *, is_whole: bool = False) -> Asset | None:
        """Return an asset; None if it was deleted. With `is_whole`, prefer one read with all fields.

        After `DeviceInputs.reads` single reads, all assets are listed instead, which needs fewer requests.
        """
        found = self._in.spool.asset(id)
        if found is not None and (found.is_whole or not is_whole):
            return found
        if self._reads < self._in.reads:
            self._reads += 1
            return self._in.target.asset(id)
        if found is None and not self._is_listed:
            self.read_assets(self._in.target.assets(None))
            self._is_listed = True
            found = self._in.spool.asset(id)
        return found if found is not None else self._in.target.asset(id)

    def _same_conflict(self, wanted: Wanted, link: Link) -> None:
        """Add the conflict of the last run again, because neither the device nor the mapping has changed."""
        known = conflict_of(link)
        match = Match(
            candidates=tuple(known.get("candidates", ())),
            reason=known.get("reason", "not decided yet"),
            names=tuple(known.get("names", ())),
            unfit=tuple(known.get("unfit", ())),
        )
        self._add(self._in.changes.conflict(wanted, match))

    def _wait(self, wanted: Wanted) -> None:
        client = wanted.place.client_id or 0
        self._in.spool.add_pending(client, wanted.device, wanted.match, wanted.name, wanted.as_json())

    def _pending(self, client: int) -> None:
        """Match the unlinked devices of a client: by pin, then stamp, then match field, then name."""
        spool = self._in.spool
        if client and not self._is_listed:
            self.read_assets(self._in.target.assets(client))
        found: dict[int, Match] = {}
        for matcher in (self._pinned, self._stamped, self._by_value, self._by_name) if client else ():
            for device, value, name in spool.pending_keys(client):
                if device in found:
                    continue
                match = matcher(client, device, value, name)
                if match.target is not None:
                    self._taken[match.target] = device
                if match is not NOTHING:
                    found[device] = match
        for data in spool.pending(client):
            wanted = Wanted.from_json(data)
            self._add(self._decided(wanted, found.get(wanted.device, NOTHING)))

    def _decided(self, wanted: Wanted, match: Match) -> Item:
        if match.is_conflict:
            taken = (id for id in match.candidates if self._pinned_to.get(id, wanted.device) != wanted.device)
            unfit = tuple(dict.fromkeys((*match.unfit, *taken)))
            return self._in.changes.conflict(wanted, replace(match, unfit=unfit))
        asset = self._asset(match.target) if match.target is not None else None
        if asset is None:
            return self._in.changes.create(wanted)
        item = self._in.changes.link(wanted, asset, match.method)
        if not item.has_unread:
            return item
        whole = self._asset(asset.id, is_whole=True)
        if whole is None:
            return self._in.changes.create(wanted)
        return self._in.changes.link(wanted, whole, match.method) if whole.is_whole else item

    def read_assets(self, assets: Iterable[Asset]) -> int:
        """Store assets for matching; return their number."""
        fields, key = self._in.fields, self._in.mapping.match.field
        return self._in.spool.add_assets(assets, lambda asset: normalized(fields.value_of(asset, key) or ""))

    def _pinned(self, client: int, device: int, value: str, name: str) -> Match:
        pin = self._in.pins.device.get(device)
        if pin is None:
            return NOTHING
        asset = self._asset(pin)
        if asset is None or not asset.is_active:
            problem = "does not exist" if asset is None else "is inactive"
            return Match(None, "pin", (pin,), f"the pinned asset {pin} {problem}", unfit=(pin,))
        if asset.client != client:
            reason = f"the pinned asset {pin} is in another client ({asset.client})"
            return Match(None, "pin", (pin,), reason, unfit=(pin,))
        return Match(pin, "pin")

    def _stamped(self, client: int, device: int, value: str, name: str) -> Match:
        match = match_stamped(device, client, self._in.spool.stamped(device))
        asset = self._asset(match.target) if match.target is not None else None
        owner = self._owner(asset) if asset is not None else None
        if asset is None or owner in (None, device):
            return match
        return Match(candidates=(asset.id,), reason=f"asset {asset.id} belongs to device {owner}")

    def _by_value(self, client: int, device: int, value: str, name: str) -> Match:
        if not value:
            return NOTHING
        what = f"{self._in.mapping.match.field} = {value}"
        devices = self._values[hash((client, value))]
        found = self._in.spool.with_value(client, value)
        return match_value(device, what, "field", devices, found, self._owner)

    def _by_name(self, client: int, device: int, value: str, name: str) -> Match:
        if not self._in.mapping.match.by_name:
            return NOTHING
        devices = self._names[hash((client, same_name(name)))]
        found = self._in.spool.with_name(client, name)
        return match_value(device, f'the name "{name}"', "name", devices, found, self._owner)

    def _owner(self, asset: Asset) -> int | None:
        """Return the id of the device that owns an asset; None if it has been missing for long."""
        for device, pin in self._in.pins.device.items():
            if pin == asset.id:
                return device
        if asset.id in self._taken:
            return self._taken[asset.id]
        for link in self._in.state.links_to("asset", asset.id):
            gone = link.source not in self.seen and link.missing_runs >= LISTS_TO_MOVE
            return None if gone else link.source
        return asset.stamp

    def _missing(self) -> None:
        """Count the missing linked devices; deactivate the assets of those missing for a week."""
        for link in self._in.state.each_link("asset"):
            if link.source in self.seen or link.target is None or link.target in self._taken:
                continue
            since = link.missing_since
            is_long = since is not None and self._in.now - since >= DEACTIVATED_AFTER_S
            if self._in.mapping.missing == "deactivate" and is_long and not link.deactivated:
                change = (Change("inactive", False, True),)
                reason = "the device has been missing for a week"
                self._add(
                    Item("deactivate", "asset", link.source, link.target, "link", change, reason=reason)
                )
            else:
                self._in.counts.add("asset", MISSING)

    def _skip(self, device: Device, link: Link | None, reason: str) -> None:
        target = link.target if link else None
        if target is not None:
            self._taken[target] = device.id
        self._add(Item("skip", "asset", device.id, target, reason=reason, name=device.name))

    def _add(self, item: Item | str) -> None:
        if isinstance(item, str):
            self._in.counts.add("asset", item)
            return
        self._in.counts.add("asset", item.op)
        self._in.spool.add_item(item)
