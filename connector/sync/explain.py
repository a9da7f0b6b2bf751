"""Explain how the asset of a device is found: each step of matching, the compared values, the result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.common.same_name import same_name
from connector.errors import RowError, RunError, count_of
from connector.sync.asset_fields import AssetFields, bind_fields
from connector.sync.plan import PlanInputs, make_plan
from connector.sync.plan_items import Item
from connector.sync.records import Asset, Client, Device, Location, Organization, Site, Source
from connector.sync.state import Link, conflict_of
from connector.sync.values import normalized
from connector.templating.scope import Scope


@dataclass(frozen=True)
class Step:
    """One step of matching: its name, the data that it compares, and the assets that it finds."""

    step: str
    looked_at: str
    found: str


class _OfOrganization:
    """A source whose `devices` returns only the devices of one organization."""

    def __init__(self, source: Source, organization: int) -> None:
        self._source, self._organization = source, organization

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def devices(self) -> Iterator[Device]:
        """Yield the devices of the organization."""
        return (found for found in self._source.devices() if found.organization == self._organization)


def decisions(inputs: PlanInputs, organization: int | None) -> dict[tuple[str, int | str], Item]:
    """Return the items of a new plan, keyed by (entity, source id); None plans all organizations."""
    some: Any = inputs.source if organization is None else _OfOrganization(inputs.source, organization)
    with make_plan(PlanInputs(**{**vars(inputs), "source": some, "believe": True})) as plan:
        return {(item.entity, item.source): item for item in plan.items()}


def record_of(inputs: PlanInputs, noun: str, id: int) -> Organization | Location | Device | None:
    """Read an organization, location or device; None if the source does not have it."""
    if noun == "device":
        return inputs.source.device(id)
    listed: Iterable[Organization | Location] = (
        inputs.source.organizations() if noun == "organization" else inputs.source.locations()
    )
    return next((found for found in listed if found.id == id), None)


def steps_of(
    inputs: PlanInputs, record: Organization | Location | Device, client: int | None
) -> Iterator[Step]:
    """Yield the steps of matching a record, in order; `client` is the client of its organization."""
    if isinstance(record, Device):
        yield from device_steps(inputs, record, client)
    elif isinstance(record, Organization):
        row = inputs.mapping.clients.rows.get(record.id)
        pin, mapped = inputs.pins.organization.get(record.id), row.client if row else None
        yield from _named_steps(inputs, "client", record, pin, mapped, list(inputs.target.clients()))
    else:
        row = inputs.mapping.clients.rows.get(record.organization)
        pin, mapped = inputs.pins.location.get(record.id), row.locations.get(record.id) if row else None
        if client is None:
            yield Step("client", f"organization {record.organization}", "the organization has no client")
            return
        sites = [site for site in inputs.target.sites() if site.client == client]
        yield from _named_steps(inputs, "site", record, pin, mapped, sites, f" of client {client}")


def _named_steps(
    inputs: PlanInputs,
    noun: str,
    record: Organization | Location,
    pin: int | None,
    mapped: int | str | None,
    records: Sequence[Client | Site],
    where: str = "",
) -> Iterator[Step]:
    yield Step("pin", "pins.yaml", f"{noun} {pin}" if pin else "none")
    yield Step("map", "mapping.yaml", f"{noun} {mapped}" if mapped else "none")
    link = inputs.state.links(noun, [record.id]).get(record.id)
    yield Step("link", "state.db", f"{noun} {link.target}, by {link.method}" if link else "none")
    where = f"{count_of(len(records), noun)}{where}"
    stamped = [found for found in records if found.stamp == record.id]
    yield Step("stamp", where, _all_of(noun, stamped))
    if inputs.mapping.clients.match == "name":
        named = [found for found in records if same_name(found.name) == same_name(record.name)]
        yield Step("name", f'"{record.name}", in {where}', _all_of(noun, named))


def device_steps(inputs: PlanInputs, device: Device, client: int | None) -> Iterator[Step]:
    """Yield the steps of matching a device, in order; `client` is the client of its organization."""
    pin = inputs.pins.device.get(device.id)
    yield Step("pin", "pins.yaml", f"asset {pin}" if pin else "none")
    link = inputs.state.links("asset", [device.id]).get(device.id)
    yield Step("link", "state.db", _link_text(link) if link else "none")
    if client is None:
        yield Step("client", f"organization {device.organization}", "the organization has no client")
        return
    assets = list(inputs.target.assets(client))
    where = f"{len(assets)} assets of client {client}"
    yield Step("stamp", where, _listed(a for a in assets if a.stamp == device.id))
    devices = inputs.mapping.devices
    if devices is None:
        return
    key = devices.match.field
    if key is not None:
        fields = AssetFields(bind_fields(devices, inputs.target.catalog(), inputs.mapping.path))
        value = _match_value(inputs, fields, device, key)
        what = f"field {key} = {value or 'no value'}, in {where}"
        if value in devices.match.ignore:
            yield Step("field", what, "the value is ignored")
        else:
            named = (a for a in assets if value and normalized(fields.value_of(a, key) or "") == value)
            yield Step("field", what, _listed(named))
    if devices.match.by_name:
        named = (a for a in assets if same_name(a.name) == same_name(device.name))
        yield Step("name", f'"{device.name}", in {where}', _listed(named))


def _match_value(inputs: PlanInputs, fields: AssetFields, device: Device, key: int | str) -> str:
    devices = inputs.mapping.devices
    assert devices is not None
    custom: Any = {}
    if devices.custom_fields:
        custom = dict(inputs.source.custom_fields(sorted(devices.custom_fields))).get(device.id, {})
    try:
        rendered = fields.render(Scope(_scope_of(inputs, device, dict(custom))))
    except RowError as error:
        raise RunError(f"device {device.id}: {error}") from error
    return normalized(fields.match_value(rendered, key) or "")


def _scope_of(inputs: PlanInputs, device: Device, custom: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that templates of fields read, as in a plan."""
    devices = inputs.mapping.devices
    found: dict[str, Any] = {"device": device.data, "custom": custom}
    assert devices is not None
    for noun, id in (("organization", device.organization), ("location", device.location)):
        if devices.uses(noun) and id is not None and (record := record_of(inputs, noun, id)) is not None:
            found[noun] = {**record.data, "id": record.id, "name": record.name}
    if devices.uses("last_user"):
        users = dict(inputs.source.last_users())
        found |= {"last_user": users[device.id]} if device.id in users else {}
    return found


def _link_text(link: Link) -> str:
    if link.target is not None:
        return f"asset {link.target}, by {link.method}"
    return f"none, because of a conflict: {conflict_of(link).get('reason', 'not decided yet')}"


def _listed(assets: Iterable[Asset]) -> str:
    return _all_of("asset", assets)


def _all_of(noun: str, records: Iterable[Asset | Client | Site]) -> str:
    found = [f"{noun} {a.id}{'' if a.is_active else ' (inactive)'}" for a in records]
    return ", ".join(found) or "none"
