"""Both sides of the alert driver in memory: alerts, tickets, faults, and deliveries that can be lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from connector.common import json_text
from connector.common.json_text import Json
from connector.errors import RowError
from connector.sync.alert_driver import AlertDriver
from connector.sync.deliveries import AlertNews
from connector.sync.mapping_file import load_mapping
from connector.sync.records import (
    AlertReading,
    Asset,
    Client,
    Device,
    ListError,
    Organization,
    TicketReading,
    User,
)
from connector.sync.state import Link, State
from connector.sync.state_queues import Inbox
from tests.sync.sides import NOW, MemorySource, MemoryTarget

MAPPING = """
version: 1
source: rmm
target: psa
clients:
  map:
    - {organization: 1, client: 17}
limits: {tickets_per_hour: 50}
alerts:
  ticket: {type: 25, summary: "{{ alert.message }}", details: "On {{ device.name }}", priority: 3}
  default_user: 310
  stamp: CFStamp
"""


class Killed(BaseException):
    """The process ends here."""


class Faults:
    """What befalls the next calls, in order: "" for nothing, outage, refused, lost, before, after."""

    def __init__(self) -> None:
        self.next: list[str] = []

    def around(self, act: Any) -> Any:
        fault = self.next.pop(0) if self.next else ""
        if fault == "before":
            raise Killed
        if fault == "outage":
            raise RowError("network_error", "no network", refused=True)
        if fault == "refused":
            raise RowError("forbidden", "not allowed", refused=True, status=403)
        value = act()
        if fault == "lost":
            raise RowError("outcome_unknown", "the response was lost", refused=False)
        if fault == "after":
            raise Killed
        return value


@dataclass
class AlertSource(MemorySource):
    """`on` are the alerts that are active, with their starts."""

    on: dict[str, AlertReading] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    broken: bool = False
    resets: list[tuple[str, Any]] = field(default_factory=list)

    def alerts(self) -> Iterable[AlertReading]:
        if self.broken:
            raise ListError("the RMM: a list broke off")
        return list(self.on.values())

    def device_alerts(self, device: int) -> Iterable[AlertReading]:
        return [alert for alert in self.alerts() if alert.device == device]

    def device(self, id: int) -> Device | None:
        if self.broken:
            raise ListError("the RMM: no network")
        self.asked["device"] += 1
        return super().device(id)

    def reset_alert(self, uid: str, note: Mapping[str, Json]) -> None:
        def reset() -> None:
            self.resets.append((uid, note))
            self.on.pop(uid, None)

        self.faults.around(reset)


@dataclass
class Ticket:
    values: dict[str, Any]
    status: str = "open"
    into: int | None = None
    touched: bool = False
    notes: list[str] = field(default_factory=list)


@dataclass
class AlertTarget(MemoryTarget):
    """`tickets_of` are all tickets; `stores_stamps` may be switched off."""

    all: dict[int, Ticket] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    stores_stamps: bool = True
    closes: bool = True
    broken: bool = False
    takes_notes: bool = True
    taken_over: dict[str, int] = field(default_factory=dict)

    def tickets(self, ids: Collection[int]) -> list[TicketReading]:
        if self.broken:
            raise ListError("the PSA: a list broke off")
        return [self._reading(number) for number in ids]

    def _reading(self, number: int) -> TicketReading:
        ticket = self.all.get(number, Ticket({}, "deleted"))
        stamp = ticket.values.get("stamp", "") if self.stores_stamps else ""
        return TicketReading(number, ticket.status, ticket.into, ticket.touched, stamp)

    def stamped_tickets(self, types: Collection[int], since: float) -> list[TicketReading]:
        assert types == {25}
        return [reading for reading in self.tickets([*self.all]) if reading.stamp]

    def find(self, entity: str, values: Mapping[str, Json], since: float) -> int | None:
        assert entity == "ticket"
        if self.broken:
            raise ListError("the PSA: a list broke off")
        self.asked["find"] += 1
        if "alert" in values:
            return self.taken_over.get(values["alert"])
        assert values["client"] == 17
        assert since <= values["until"]
        found = [n for n, ticket in self.all.items() if ticket.values.get("stamp") == values["stamp"]]
        return found[0] if found else None

    def save_ticket(self, id: int | None, values: Mapping[str, Json]) -> int:
        if id is None:
            number: int = self.faults.around(lambda: self._create(values))
            return number
        if "note" in values and not self.takes_notes:
            raise RowError("forbidden", "no right to this outcome", refused=True, status=403)
        self.faults.around(lambda: self._change(id, values))
        return id

    def _create(self, values: Mapping[str, Json]) -> int:
        stamp = values["stamp"]
        assert stamp not in [ticket.values.get("stamp") for ticket in self.all.values()], f"{stamp} twice"
        number = 2000 + len(self.all) + 1
        self.all[number] = Ticket(dict(values))
        return number

    def _change(self, id: int, values: Mapping[str, Json]) -> None:
        ticket = self.all[id]
        if "close" in values:
            if ticket.status == "merged":
                raise RowError("conflict", "the ticket was merged", refused=True)
            if not self.closes:
                raise RowError("conflict", "the ticket stays open: a resolution is mandatory", refused=True)
            ticket.status = "closed"
        if "reopen" in values and ticket.status == "closed":
            ticket.status = "open"
        if "note" in values:
            ticket.notes.append(str(values["note"]))
        for name in ("asset", "user", "summary"):
            if name in values:
                ticket.values[name] = values[name]


class Hook:
    """Deliveries as they are invented here: `[kind, uid, time, device]` and `[ticket]`."""

    warning = steps = ""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def alerts(self, body: Json) -> list[AlertNews]:
        if len(body) == 1:
            return []
        kind, uid, at, device = body
        data = {"message": uid, "activityType": "CONDITION"}
        organization = 1 if device != 99 else None
        return [AlertNews(kind, AlertReading(uid, at, device, organization, f"c{device}", data), at)]

    def tickets(self, body: Json) -> list[int]:
        return body if len(body) == 1 else []

    def register(self, url: str, secrets: Any) -> Any:
        raise NotImplementedError

    remove = register


class Desk:
    """Both sides, the state, and the driver, which can be killed and started again."""

    def __init__(self, folder: Path, mapping: str = MAPPING) -> None:
        self.folder, self.now = folder, NOW
        self.source, self.target = AlertSource(), AlertTarget()
        self.source.org = [Organization(1, "Acme")]
        self.source.dev = [Device(n, 1, None, f"PC-{n}", {"id": n, "name": f"PC-{n}"}) for n in range(1, 40)]
        self.target.client = {17: Client(17, "Acme")}
        self.target.user = [User(310, 17, 40), User(311, 17, 41)]
        path = folder / "mapping.yaml"
        path.write_text(mapping, encoding="utf-8")
        self.mapping = load_mapping(path)
        self.is_started = False
        self.start()
        self.state.save_link(Link("client", 1, 17, "map"))

    def start(self) -> None:
        self.state = State(self.folder, write=True, now=self.now)
        hooks: Any = {"rmm": Hook(self), "psa": Hook(self)}
        self.driver = AlertDriver(self.state, self.source, self.target, self.mapping, lambda: self.now, hooks)
        self.driver.start()

    def run(self, act: Any) -> None:
        """Do something, through as many deaths as there are."""
        while True:
            try:
                act()
                return
            except Killed:
                self.state.close()
                act = self.start

    def close(self) -> None:
        self.state.close()

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.run(self.driver_work)

    def driver_work(self) -> None:
        self.driver.work()

    def poll(self) -> None:
        self.run(lambda: self.driver.poll())

    # What happens.

    def fire(self, uid: str, device: int = 1, *, delivered: bool = True, **data: Any) -> list[Any]:
        """Raise an alert, and return its delivery."""
        self.now += 20
        data = {"message": uid, **data}
        self.source.on[uid] = AlertReading(uid, self.now, device, 1, f"c{device}", data)
        return self.deliver(["started", uid, self.now, device], delivered=delivered)

    def heal(self, uid: str, *, delivered: bool = True) -> list[Any]:
        self.now += 20
        alert = self.source.on.pop(uid)
        return self.deliver(["ended", uid, self.now, alert.device], delivered=delivered)

    def deliver(self, body: list[Any], *, delivered: bool = True) -> list[Any]:
        if delivered:
            raw = json_text.dumps([*body]).encode()
            source = "psa" if len(body) == 1 else "rmm"
            Inbox(self.state).add(source, f"{body}{self.now}", raw, self.now)
            self.run(self.driver_work)
        return body

    def agent(self, ticket: int, status: str, *, into: int | None = None, delivered: bool = False) -> None:
        self.target.all[ticket].status, self.target.all[ticket].into = status, into
        if delivered:
            self.deliver([ticket])

    # What is seen.

    @property
    def tickets(self) -> dict[int, Ticket]:
        return self.target.all

    def ticket(self) -> Ticket:
        (found,) = self.target.all.values()
        return found

    def state_of(self, uid: str) -> str:
        row = self.driver.rows.latest(uid)
        return row.state if row else ""

    def link_asset(self, device: int, asset: Asset) -> None:
        self.target.stock[asset.id] = asset
        self.state.save_link(Link("asset", device, asset.id, "pin"))

    def settings(self, **fields: Any) -> None:
        self.driver._settings = replace(self.driver._settings, **fields)
