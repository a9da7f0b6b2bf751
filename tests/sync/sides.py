"""Both sides in memory, for plans: a source, a target that counts what is asked of it, and a small apply."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from connector.common.json_text import Json
from connector.sync.mapping_file import load_mapping
from connector.sync.pins import Pins
from connector.sync.plan import Plan, PlanInputs, make_plan
from connector.sync.plan_items import Item
from connector.sync.records import (
    Asset,
    AssetType,
    Catalog,
    Client,
    Device,
    Location,
    Organization,
    Site,
    User,
)
from connector.sync.state import Link, State
from connector.sync.values import FieldDefinition

NOW = 1_800_000_000.0


@dataclass
class MemorySource:
    key: str = "rmm"
    title: str = "The RMM"
    account: str = "rmm.example"
    org: list[Organization] = field(default_factory=list)
    loc: list[Location] = field(default_factory=list)
    dev: list[Device] = field(default_factory=list)
    custom: dict[int, dict[str, Json]] = field(default_factory=dict)
    users: dict[int, str] = field(default_factory=dict)
    programs: dict[int, list[Json]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    def organizations(self) -> Iterable[Organization]:
        return self.org

    def locations(self) -> Iterable[Location]:
        return self.loc

    def devices(self) -> Iterable[Device]:
        return self.dev

    def custom_fields(self, names: Collection[str]) -> Iterable[tuple[int, Mapping[str, Json]]]:
        self.asked["custom_fields"] += 1
        return [(id, {k: v for k, v in found.items() if k in names}) for id, found in self.custom.items()]

    def last_users(self) -> Iterable[tuple[int, str]]:
        return self.users.items()

    def software(self) -> Iterable[tuple[int, list[Json]]]:
        self.asked["software"] += 1
        return self.programs.items()

    def device(self, id: int) -> Device | None:
        return next((device for device in self.dev if device.id == id), None)

    def alerts(self) -> Iterable[Any]:
        return ()

    def device_alerts(self, device: int) -> Iterable[Any]:
        return ()

    def reset_alert(self, uid: str, note: Mapping[str, Json]) -> None:
        raise AssertionError("a plan writes nothing")


@dataclass
class MemoryTarget:
    key: str = "psa"
    title: str = "The PSA"
    account: str = "acme"
    ahead_s: float = 0.0
    client: dict[int, Client] = field(default_factory=dict)
    site: dict[int, Site] = field(default_factory=dict)
    user: list[User] = field(default_factory=list)
    declared: Catalog = field(default_factory=lambda: Catalog((AssetType(1, "Server"),)))
    stock: dict[int, Asset] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    def clients(self) -> Iterable[Client]:
        return list(self.client.values())

    def sites(self) -> Iterable[Site]:
        return list(self.site.values())

    def users(self, client: int) -> Iterable[User]:
        self.asked["users"] += 1
        return [user for user in self.user if user.client == client]

    def catalog(self) -> Catalog:
        return self.declared

    def assets(self, client: int | None) -> Iterable[Asset]:
        self.asked["assets"] += 1
        return [asset for asset in self.stock.values() if client in (None, asset.client)]

    def asset(self, id: int) -> Asset | None:
        self.asked["asset"] += 1
        return self.stock.get(id)

    def save(self, entity: str, id: int | None, values: Mapping[str, Json], current: Any = None) -> int:
        raise AssertionError("a plan writes nothing")

    def find(self, entity: str, values: Mapping[str, Json], since: float) -> int | None:
        raise AssertionError("a plan looks nothing up")

    def tickets(self, ids: Collection[int]) -> Iterable[Any]:
        return ()

    def save_ticket(self, id: int | None, values: Mapping[str, Json]) -> int:
        raise AssertionError("a plan writes nothing")


FIELDS = (
    FieldDefinition(117, "Serial"),
    FieldDefinition(44, "Memory", "number"),
    FieldDefinition(51, "Rack"),
    FieldDefinition(60, "Kind", "choice", {1: "Physical", 2: "Virtual"}),
    FieldDefinition(70, "Bought", "date"),
    FieldDefinition("CFTag", "CFTag"),
)
MAPPING = """
version: 1
source: rmm
target: psa
clients: {take: all, create: CREATE}
devices:
  type: "{{ device.kind }}"
  match: {field: 117}
  fields: {117: "{{ device.serial }}"}
"""


@dataclass
class Sync:
    """Both sides, a folder with the mapping and the state, and what is done with them."""

    folder: Path
    mapping: str = MAPPING.replace("CREATE", "false")
    source: MemorySource = field(default_factory=MemorySource)
    target: MemoryTarget = field(default_factory=MemoryTarget)
    pins: Pins = field(default_factory=Pins)
    now: float = NOW
    runs: int = 0

    def __post_init__(self) -> None:
        self.target.declared = replace(self.target.declared, fields=FIELDS)
        self.state = State(self.folder, write=True, now=self.now)

    def plan(self, **options: Any) -> Plan:
        path = self.folder / "mapping.yaml"
        path.write_text(self.mapping, encoding="utf-8")
        inputs = PlanInputs(load_mapping(path), self.pins, self.state, self.source, self.target, self.now)
        return make_plan(replace(inputs, **options))

    def items(self, **options: Any) -> list[Item]:
        with self.plan(**options) as plan:
            return list(plan.items())

    def item(self, entity: str, source: int | str, **options: Any) -> Item | None:
        found = [item for item in self.items(**options) if (item.entity, item.source) == (entity, source)]
        assert len(found) < 2
        return found[0] if found else None

    def run(self, **options: Any) -> list[Item]:
        """Plan, and apply in memory what may be applied; return what was written."""
        self.runs += 1
        with self.plan(**options) as plan:
            items = list(plan.items())
            stopped = {stop.entity for stop in plan.limits}
            for item in items:
                if item.entity not in stopped:
                    self._apply(item)
            for device, value in plan.hashes():
                self.state.save_link(replace(self.state.links("asset", [device])[device], values_hash=value))
            for entity, seen in plan.seen.items():
                self.state.seen(entity, self.runs, seen)
                self.state.unseen(entity, self.runs, self.now)
            run = self.state.begin_run("run", self.now)
            self.state.end_run(run, self.now, "ok", plan.sources)
        return [item for item in items if item.is_write and item.entity not in stopped]

    def _apply(self, item: Item) -> None:
        values = {change.field: self._resolved(change.new) for change in item.changes}
        if item.op == "conflict" and item.entity == "asset":
            known = {"candidates": item.candidates, "names": item.candidate_names}
            note = json.dumps({**known, "reason": f"{len(item.candidates)} candidates"})
            self.state.save_link(
                Link("asset", int(item.source), None, "conflict", values_hash=item.hash, note=note)
            )
        if item.op in ("skip", "conflict"):
            return
        if item.entity == "type":
            types = self.target.declared.types
            new = AssetType(len(types) + 1, str(item.source))
            self.target.declared = replace(self.target.declared, types=(*types, new))
            return
        if item.entity == "field":
            new_field = FieldDefinition(900 + len(self.target.declared.fields), str(item.source))
            declared = self.target.declared
            self.target.declared = replace(declared, fields=(*declared.fields, new_field))
            return
        records: Any = {
            "client": self.target.client,
            "site": self.target.site,
            "asset": self.target.stock,
        }[item.entity]
        id = item.target or max(records, default=0) + 1
        records[id] = self._written(item.entity, id, records.get(id), values)
        link = Link(item.entity, int(item.source), id, item.method, values_hash=item.hash)
        deactivated = item.op == "deactivate"
        self.state.save_link(replace(link, software_hash=item.software_hash, deactivated=deactivated))

    def _written(self, entity: str, id: int, old: Any, values: dict[int | str, Any]) -> Any:
        if entity == "client":
            old = old or Client(id, "")
            return replace(old, name=values.get("name", old.name), stamp=values.get("stamp", old.stamp))
        if entity == "site":
            old = old or Site(id, values["client"], "")
            return replace(old, name=values.get("name", old.name), stamp=values.get("stamp", old.stamp))
        old = old or Asset(id, values["client"])
        own = {
            k: v for k, v in values.items() if k not in ("client", "site", "type", "stamp", "user", "name")
        }
        if "inactive" in own:
            old = replace(old, is_active=not own.pop("inactive"))
        user = values.get("user", old.users[0] if old.users else None)
        return replace(
            old,
            client=values.get("client", old.client),
            site=values.get("site", old.site),
            type=values.get("type", old.type),
            stamp=values.get("stamp", old.stamp),
            name=values.get("name", old.name),
            users=() if user is None else (user,),
            values={**old.values, **own},
        )

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, dict) and len(value) == 1:
            ((noun, source),) = value.items()
            if noun == "type":
                return next(t.id for t in self.target.declared.types if t.name == source)
            entity = {"organization": "client", "location": "site"}.get(noun)
            if entity:
                return self.state.links(entity, [source])[source].target
        return value


def changes(item: Item | None) -> dict[Any, tuple[Any, Any]]:
    assert item is not None
    return {change.field: (change.old, change.new) for change in item.changes}


def device(id: int, organization: int = 1, location: int | None = None, **data: Any) -> Device:
    data = {"id": id, "kind": "Server", "serial": f"SN{id}", **data}
    return Device(id, organization, location, data.pop("name", f"PC-{id}"), data)


def asset(id: int, client: int = 17, **fields: Any) -> Asset:
    values = {117: fields.pop("serial")} if "serial" in fields else {}
    return Asset(id, client, **{"type": 1, "values": {**values, **fields.pop("values", {})}, **fields})


def small(folder: Path, **options: Any) -> Sync:
    """Return one organization with two locations, which is a client with two sites."""
    sync = Sync(folder, **options)
    sync.source.org = [Organization(1, "Acme")]
    sync.source.loc = [Location(2, 1, "Main"), Location(3, 1, "Lab")]
    sync.target.client = {17: Client(17, "ACME ", main_site=40)}
    sync.target.site = {40: Site(40, 17, "main"), 41: Site(41, 17, "lab")}
    return sync
