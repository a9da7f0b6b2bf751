"""The source and the target of a sync: the protocols of `records`, implemented with actions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from connector.catalog.catalog import Catalog as Actions
from connector.common.json_text import Json
from connector.errors import RunError
from connector.sync.calls import Calls, load_part, open_calls
from connector.sync.mapping import SyncMapping
from connector.sync.records import (
    AlertReading,
    Asset,
    Catalog,
    Client,
    Device,
    Location,
    Organization,
    Site,
    TicketReading,
    User,
)


class ActionSource:
    """The source whose generators are in `sync_source.py` of its service."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.part: Any = load_part(calls, "sync_source.py", "SyncSource", "source")
        self.key, self.title, self.account = self.part.key, calls.service.title, account_of(calls)
        self.type_members: tuple[str, ...] = self.part.type_members

    def organizations(self) -> Iterator[Organization]:
        """Read all organizations."""
        return self.calls.records(self.part.organizations())

    def locations(self) -> Iterator[Location]:
        """Read all locations."""
        return self.calls.records(self.part.locations())

    def devices(self) -> Iterator[Device]:
        """Read all devices, page by page."""
        return self.calls.records(self.part.devices())

    def custom_fields(self, names: Collection[str]) -> Iterator[tuple[int, Mapping[str, Json]]]:
        """Read these custom fields of all devices that have any."""
        return self.calls.records(self.part.custom_fields(names))

    def last_users(self) -> Iterator[tuple[int, str]]:
        """Read the user who last logged on to each device."""
        return self.calls.records(self.part.last_users())

    def software(self) -> Iterator[tuple[int, list[Json]]]:
        """Read the software of all devices; a device may be yielded several times."""
        return self.calls.records(self.part.software())

    def device(self, id: int) -> Device | None:
        """Read one device; None if it is deleted."""
        found: Device | None = self.calls.read(self.part.device(id))
        return found

    def alerts(self) -> Iterator[AlertReading]:
        """Read all alerts."""
        return self.calls.records(self.part.alerts())

    def device_alerts(self, device: int) -> Iterator[AlertReading]:
        """Read the alerts of one device."""
        return self.calls.records(self.part.device_alerts(device))

    def reset_alert(self, uid: str, note: Mapping[str, Json]) -> None:
        """Reset an alert; it is not an error if the alert no longer exists. Raises RowError."""
        self.calls.result(self.part.reset_alert(uid, note))


class ActionTarget:
    """The target whose generators are in `sync_target.py` of its service."""

    def __init__(self, calls: Calls, stamp_field: str | None = None) -> None:
        self.calls = calls
        self.part: Any = load_part(calls, "sync_target.py", "SyncTarget", "target")
        self.part.stamp_field = stamp_field
        self.key, self.title, self.account = self.part.key, calls.service.title, account_of(calls)
        self._type_fields: dict[int, frozenset[int]] = {}

    @property
    def ahead_s(self) -> float:
        """The seconds by which the target's clock is ahead of the local one."""
        return self.calls.client.server_ahead_s

    def clients(self) -> Iterator[Client]:
        """Read all clients, inactive ones included."""
        return self.calls.records(self.part.clients())

    def sites(self) -> Iterator[Site]:
        """Read all sites, inactive ones included."""
        return self.calls.records(self.part.sites())

    def users(self, client: int) -> Iterator[User]:
        """Read the users of a client."""
        return self.calls.records(self.part.users(client))

    def catalog(self) -> Catalog:
        """Read asset types and fields; the fields of a type are read when they are first needed."""
        found: Catalog = self.calls.read(self.part.catalog())
        self._type_fields.clear()
        return Catalog(found.types, found.fields, self.type_fields)

    def type_fields(self, id: int) -> frozenset[int]:
        """Return the numbers of a type's fields, which are read once."""
        if id not in self._type_fields:
            self._type_fields[id] = self.calls.read(self.part.type_fields(id))
        return self._type_fields[id]

    def assets(self, client: int | None) -> Iterator[Asset]:
        """Read the assets of a client, or all, with their fields; most are incomplete."""
        return self.calls.records(self.part.assets(client))

    def asset(self, id: int) -> Asset | None:
        """Read one asset with all of its fields; None if it is deleted."""
        found: Asset | None = self.calls.read(self.part.asset(id))
        return found

    def save(
        self, entity: str, id: int | None, values: Mapping[Any, Json], current: Asset | None = None
    ) -> int:
        """Create or update a record and return its id. Raises RowError."""
        number: int = self.calls.result(self.part.save(entity, id, values, current))
        if entity in ("type", "field"):
            self._type_fields.pop(number, None)
            self.calls.forget_lookups()
        return number

    def find(self, entity: str, values: Mapping[Any, Json], since: float) -> int | None:
        """Look up a record whose creation has no known outcome. Raises ListError for an incomplete list."""
        found: int | None = self.calls.read(self.part.find(entity, values, since))
        return found

    def other_writers(self) -> dict[str, str] | None:
        """Return other integrations that write the same records, keyed by entity; None if not readable."""
        found: dict[str, str] | None = self.calls.read(self.part.other_writers())
        return found

    def describe(self) -> dict[str, str]:
        """Return the `version` of the instance and the `name` of the agent, as far as they can be read."""
        found: dict[str, str] = self.calls.read(self.part.describe())
        return found

    def software_problem(self) -> str:
        """Return why the target does not keep the software of assets; an empty text if it does."""
        found: str = self.calls.read(self.part.software_problem())
        return found

    def takeover(self) -> dict[str, Any] | None:
        """Return the settings of the target's own integration as mapping settings; None if unknown."""
        found: dict[str, Any] | None = self.calls.read(self.part.takeover())
        return found

    def missing_ids(self, wanted: Mapping[str, Json]) -> list[str]:
        """Return a message for each id of tickets that does not exist."""
        found: list[str] = self.calls.read(self.part.missing_ids(wanted))
        return found

    def tickets(self, ids: Collection[int]) -> list[TicketReading]:
        """Read tickets in any state; the status of a deleted one says so."""
        found: list[TicketReading] = self.calls.read(self.part.tickets(ids))
        return found

    def stamped_tickets(self, types: Collection[int], since: float) -> list[TicketReading]:
        """Read the tickets with a stamp: all open ones, and others that were opened since a time."""
        found: list[TicketReading] = self.calls.read(self.part.stamped_tickets(types, since))
        return found

    def save_ticket(self, id: int | None, values: Mapping[str, Json]) -> int:
        """Create a ticket, or change one, and return its id. Raises RowError.

        To create: type, client, site, user, priority, summary, details, source, assets, alert, device, stamp,
        `category_N` and `CF…`. To change: `close` and `reopen` with a status; `note` with an `outcome`;
        `asset` and `user`, which are added.
        """
        number: int = self.calls.result(self.part.save_ticket(id, values))
        return number


def account_of(calls: Calls) -> str:
    """Return the account of a connection: its host, and its tenant if it has one."""
    settings = "".join(f" {value}" for _, value in sorted(calls.connection.settings.items()))
    return urlsplit(calls.connection.base_url).netloc + settings


def open_sides(
    mapping: SyncMapping, actions: Actions, *, delay_ms: float | None = None, stop: Event | None = None
) -> tuple[ActionSource, ActionTarget]:
    """Return both sides of a mapping, signed in; see `open_calls`.

    Connection files are relative to the mapping's folder. Raises RunError and ConnectionSetupError.
    """
    if mapping.source == mapping.target:
        raise RunError(f"{mapping.path}: source and target are the same connection")
    folder = mapping.path.parent
    source = open_calls(actions, mapping.source, folder=folder, delay_ms=delay_ms, stop=stop)
    target = open_calls(
        actions,
        mapping.target,
        folder=folder,
        pace_percent=mapping.pace_percent,
        delay_ms=delay_ms,
        stop=stop,
    )
    alerts = mapping.alerts
    pair = ActionSource(source), ActionTarget(target, alerts.stamp if alerts else None)
    # This takes three more requests per ticket, and only one setting uses it.
    pair[1].part.is_touched_read = alerts is None or alerts.settings.on_reset == "close_untouched"
    return pair
