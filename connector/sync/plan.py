"""Make a plan: the list of changes that a sync run would make. Making a plan writes to neither service.

    with make_plan(inputs) as plan:
        for item in plan.items(): ...

Every organization, location and device of the source is counted once, as an item or as unchanged; otherwise
PlanError is raised. A plan that exceeds a limit is still complete, but the entity's items are not applied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from connector.common.plurals import counted
from connector.sync.asset_fields import AssetFields, FieldCounts, bind_fields
from connector.sync.mapping import SyncMapping
from connector.sync.pins import Pins
from connector.sync.plan_assets import AssetChanges
from connector.sync.plan_clients import ClientPlan
from connector.sync.plan_devices import DeviceInputs, DevicePlan
from connector.sync.plan_items import ENTITIES, UNCHANGED, Change, Counts, Entity, Item, Op, Stop
from connector.sync.records import Source, Target
from connector.sync.spool import Spool
from connector.sync.state import State

MIN_SHRINKAGE, SHRINKAGE = 20, 0.30
"""A list is ignored if it lost at least this many records, and more than this share, since the last run."""
MIN_VISIBLE = 0.70
MIN_HIDDEN = 5
"""The plan stops if less than this share of the linked records, and so many fewer, are visible."""
UPDATES_FROM = 50
"""The number of updates above which the limit on the percentage of updates applies."""


@dataclass(frozen=True)
class PlanInputs:
    """The inputs of a plan.

    With `full`, all assets of the target are read and compared. With `believe`, lists are accepted that have
    become much shorter since the last run.
    """

    mapping: SyncMapping
    pins: Pins
    state: State
    source: Source
    target: Target
    now: float
    full: bool = False
    believe: bool = False


@dataclass
class Plan:
    """The changes that a run would make.

    `sources` has the number of source records by kind, and `seen` their ids by entity. `stops` has the
    entities for which nothing is planned, `limits` those whose items exceed a limit and may not be applied.
    `alerts` are the uids of the alerts that were considered, `writers` other integrations that write the same
    records.
    """

    spool: Spool
    source_key: str
    target_key: str
    mapping_digest: str
    made: float
    full: bool
    counts: Counts = field(default_factory=Counts)
    sources: dict[str, int] = field(default_factory=dict)
    seen: dict[str, set[int]] = field(default_factory=dict)
    alerts: set[str] = field(default_factory=set)
    writers: list[str] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    limits: list[Stop] = field(default_factory=list)
    fields: FieldCounts = field(default_factory=FieldCounts)

    def __enter__(self) -> Plan:
        return self

    def __exit__(self, *exc: object) -> None:
        self.spool.close()

    def items(self, *ops: Op, entities: Collection[Entity] = ENTITIES) -> Iterator[Item]:
        """Yield the plan's items in the order of application, without those of entities in `stops`.

        With `ops` or `entities`, only items of these.
        """
        return self.spool.items(self._entities & {*entities}, ops)

    @property
    def _entities(self) -> set[Entity]:
        return {*ENTITIES} - {stop.entity for stop in self.stops}

    def hashes(self) -> Iterator[tuple[int, str]]:
        """Yield (device id, hash) of unchanged devices whose hash is to be saved with their links."""
        return ((device, str(value)) for device, value in self.spool.all_extras("hash"))

    @property
    def writes(self) -> int:
        """The number of items that certainly send a write when the plan is applied."""
        writes, unread, _ = self.spool.count_items(self._entities)
        return writes - unread

    @property
    def most_writes(self) -> int:
        """The maximum number of writes: it includes assets that are compared only when they are applied."""
        return self.spool.count_items(self._entities)[0]

    @property
    def unread(self) -> int:
        """The number of items with fields that are compared only when the item is applied."""
        return self.spool.count_items(self._entities)[2]

    def header(self) -> dict[str, Any]:
        """Return the plan without its items, as a JSON object."""
        return {
            "version": 1,
            "made": self.made,
            "full": self.full,
            "mapping": self.mapping_digest,
            "sources": self.sources,
            "counts": self.counts.of,
            "stops": [{"entity": stop.entity, "reason": stop.reason} for stop in self.stops],
            "limits": [{"entity": stop.entity, "reason": stop.reason} for stop in self.limits],
            "writers": self.writers,
            "fields": {"no_value": self.fields.no_value, "errors": self.fields.errors},
        }


def empty_plan(inputs: PlanInputs) -> Plan:
    """Return a plan without items."""
    digest = inputs.mapping.digest
    return Plan(Spool(), inputs.source.key, inputs.target.key, digest, inputs.now, inputs.full)


def make_plan(inputs: PlanInputs) -> Plan:
    """Return a new plan.

    Raises ListError if a list is incomplete, and DeclarationError if the target lacks a mapped field.
    """
    plan = empty_plan(inputs)
    try:
        _Maker(inputs, plan).make()
    except BaseException:
        plan.spool.close()
        raise
    return plan


class _Maker:
    def __init__(self, inputs: PlanInputs, plan: Plan) -> None:
        self._in, self._plan = inputs, plan
        self._last = inputs.state.last_counts()

    def make(self) -> None:
        mapping, plan = self._in.mapping, self._plan
        organizations = list(self._in.source.organizations())
        locations = list(self._in.source.locations())
        clients = {client.id: client for client in self._in.target.clients()}
        sites = list(self._in.target.sites())
        links = {entity: self._in.state.links(entity) for entity in ("client", "site")}
        self._count("client", "organizations", (found.id for found in organizations))
        self._count("site", "locations", (found.id for found in locations))
        linked = {link.target for link in links["client"].values() if link.target is not None}
        self._require_visible("client", "clients", len(linked), len(linked & clients.keys()))
        if self._stopped("client"):
            return
        client_plan = ClientPlan(mapping.clients, self._in.pins, plan.spool, plan.counts)
        client_plan.plan_clients(organizations, clients, links["client"])
        plan.counts.require("client", plan.sources["organizations"])
        if not self._stopped("site"):
            client_plan.plan_sites(locations, sites, links["site"])
            plan.counts.require("site", plan.sources["locations"])
            if mapping.devices is not None:
                self._devices(client_plan)
        self._limits()

    def _devices(self, clients: ClientPlan) -> None:
        mapping, plan, state = self._in.mapping, self._plan, self._in.state
        devices = mapping.devices
        assert devices is not None
        catalog = self._in.target.catalog()
        fields = AssetFields(bind_fields(devices, catalog, mapping.path))
        plan.fields = fields.counts
        for bound in fields.created():
            self._create_field(str(bound.definition.key), bound.definition.type)
        default = clients.site_clients.get(devices.default_site) if devices.default_site else None
        changes = AssetChanges(devices, catalog, fields, self._in.target, plan.spool, plan.counts, default)
        device_plan = DevicePlan(
            DeviceInputs(
                devices,
                self._in.pins,
                state,
                self._in.target,
                plan.spool,
                plan.counts,
                clients,
                fields,
                changes,
                self._in.full,
                self._in.now,
                mapping.limits.reads,
            )
        )
        if self._in.full and not self._read_assets(device_plan):
            return
        self._read_extras()
        device_plan.plan(self._in.source.devices())
        self._count("asset", "devices", device_plan.seen)
        plan.counts.require("asset", plan.sources["devices"])

    def _create_field(self, name: str, kind: str) -> None:
        changes = (Change("name", None, name), Change("type", None, kind))
        self._plan.counts.add("field", "create")
        self._plan.spool.add_item(Item("create", "field", name, method="new", changes=changes, name=name))

    def _read_assets(self, device_plan: DevicePlan) -> bool:
        """Read all assets of the target; return False if too few linked assets are among them."""
        device_plan.read_assets(self._in.target.assets(None))
        linked = [link.target for link in self._in.state.each_link("asset") if link.target is not None]
        visible = self._plan.spool.count_assets(linked)
        return self._require_visible("asset", "assets", len(linked), visible)

    def _read_extras(self) -> None:
        devices, spool, source = self._in.mapping.devices, self._plan.spool, self._in.source
        assert devices is not None
        if devices.custom_fields:
            spool.add_extras("custom", source.custom_fields(sorted(devices.custom_fields)))
        if devices.uses("last_user"):
            spool.add_extras("last_user", source.last_users())
        if devices.software and self._in.full:
            spool.add_lists("software", source.software())

    def _count(self, entity: Entity, name: str, ids: Iterable[int]) -> None:
        seen = set(ids)
        self._plan.seen[entity], self._plan.sources[name] = seen, len(seen)
        before = self._last.get(name, 0)
        lost = before - len(seen)
        if not self._in.believe and lost >= MIN_SHRINKAGE and lost > SHRINKAGE * before:
            what = f"{self._in.source.title} lists {len(seen):,} {name}, but {before:,} last time"
            self._stop(entity, f"{what}: nothing was planned; use --full if the shorter list is correct")

    def _require_visible(self, entity: Entity, noun: str, linked: int, visible: int) -> bool:
        if linked - visible < MIN_HIDDEN or visible >= MIN_VISIBLE * linked:
            return True
        title = self._in.target.title
        self._stop(
            entity, f"{title} lists {visible:,} of {linked:,} linked {noun}: the agent may have lost access"
        )
        return False

    def _stop(self, entity: Entity, reason: str) -> None:
        self._plan.stops.append(Stop(entity, reason))

    def _stopped(self, entity: Entity) -> bool:
        return any(stop.entity == entity for stop in self._plan.stops)

    def _limits(self) -> None:
        """Add the entities whose planned creations or updates exceed a limit to `Plan.limits`."""
        plan, limits = self._plan, self._in.mapping.limits
        for entity, noun in (("client", "client"), ("site", "site"), ("type", "type"), ("asset", "asset")):
            creates = plan.counts.get(entity, "create")
            if creates > limits.creates:
                verb = "would be created; the limit is"
                what = f"{counted(creates, noun)} {verb} {limits.creates:,}"
                reason = f"{what}: use --beyond-limits, or raise the limit"
                plan.limits.append(Stop(entity, reason))  # type: ignore[arg-type]
        updates = plan.counts.get("asset", "update", "move", "deactivate")
        assets = plan.counts.get("asset", "update", "move", UNCHANGED) + plan.counts.get(
            "asset", "deactivate"
        )
        if updates > UPDATES_FROM and 100 * updates > limits.updates_percent * assets:
            what = f"{updates:,} of {assets:,} assets would be updated"
            limit = f"the limit is {limits.updates_percent} %"
            reason = f"{what}, {limit}: use --beyond-limits, or raise the limit"
            plan.limits.append(Stop("asset", reason))
