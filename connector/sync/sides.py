"""The source and target of a sync: the protocols `Source` and `Target`, implemented with action calls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from threading import Event
from typing import Any, TypeVar, cast
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
from connector.sync.values import FieldDefinition


class ActionSource:
    """The source service; the generators of its action calls are in the service's `sync_source.py`."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.part: Any = load_part(calls, "sync_source.py", "SyncSource", "source")
        self.key, self.title, self.account = self.part.key, calls.service.title, account_of(calls)
        self.type_members: tuple[str, ...] = self.part.type_members

    def organizations(self) -> Iterator[Organization]:
        """Return all organizations."""
        return self.calls.records(self.part.organizations())

    def locations(self) -> Iterator[Location]:
        """Return the locations of all organizations."""
        return self.calls.records(self.part.locations())

    def devices(self) -> Iterator[Device]:
        """Return all devices; they are read page by page."""
        return self.calls.records(self.part.devices())

    def custom_fields(self, names: Collection[str]) -> Iterator[tuple[int, Mapping[str, Json]]]:
        """Return (device id, values by name) of the named custom fields, for devices that have values."""
        return self.calls.records(self.part.custom_fields(names))

    def last_users(self) -> Iterator[tuple[int, str]]:
        """Return (device id, name of the user who last logged on) of the devices."""
        return self.calls.records(self.part.last_users())

    def software(self) -> Iterator[tuple[int, list[Json]]]:
        """Return (device id, list of software) of all devices; a list may come in several parts."""
        return self.calls.records(self.part.software())

    def device(self, id: int) -> Device | None:
        """Return one device; None if it was deleted."""
        found: Device | None = self.calls.read(self.part.device(id))
        return found

    def alerts(self) -> Iterator[AlertReading]:
        """Return all active alerts."""
        return self.calls.records(self.part.alerts())

    def device_alerts(self, device: int) -> Iterator[AlertReading]:
        """Return the active alerts of one device."""
        return self.calls.records(self.part.device_alerts(device))

    def reset_alert(self, uid: str, note: Mapping[str, Json]) -> None:
        """Reset an alert. It is no error if the alert does not exist any more. Raises RowError."""
        self.calls.result(self.part.reset_alert(uid, note))


class ActionTarget:
    """The target service; the generators of its action calls are in the service's `sync_target.py`."""

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
        """Return all clients, including inactive ones."""
        return self.calls.records(self.part.clients())

    def sites(self) -> Iterator[Site]:
        """Return all sites, including inactive ones."""
        return self.calls.records(self.part.sites())

    def users(self, client: int) -> Iterator[User]:
        """Return the users of a client."""
        return self.calls.records(self.part.users(client))

    def catalog(self) -> Catalog:
        """Return the asset types and fields; the fields of a type are read when they are first needed."""
        found: Catalog = self.calls.read(self.part.catalog())
        self._type_fields.clear()
        return Catalog(found.types, found.fields, self.type_fields)

    def type_fields(self, id: int) -> frozenset[int]:
        """Return the numbers of an asset type's fields; they are cached after the first read."""
        if id not in self._type_fields:
            self._type_fields[id] = self.calls.read(self.part.type_fields(id))
        return self._type_fields[id]

    def assets(self, client: int | None) -> Iterator[Asset]:
        """Return the assets of a client (None: of all clients), mostly without custom fields and users."""
        return self.calls.records(self.part.assets(client))

    def asset(self, id: int) -> Asset | None:
        """Return one asset with all of its fields; None if it was deleted."""
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
        """Return the id of a record whose creation got no response; None if not found. Raises ListError."""
        found: int | None = self.calls.read(self.part.find(entity, values, since))
        return found

    def other_writers(self) -> dict[str, str] | None:
        """Return messages about other integrations that write the same records, keyed by entity.

        None if the agent may not read the settings of the integrations.
        """
        found: dict[str, str] | None = self.calls.read(self.part.other_writers())
        return found

    def describe(self) -> dict[str, str]:
        """Return the `version` of the instance and the `name` of the signed-in agent, if they can be read."""
        found: dict[str, str] = self.calls.read(self.part.describe())
        return found

    def software_problem(self) -> str:
        """Return why the target does not record the software of assets; empty text if it does."""
        found: str = self.calls.read(self.part.software_problem())
        return found

    def takeover(self) -> dict[str, Any] | None:
        """Return the settings of the target's built-in integration as mapping settings; None if unknown."""
        found: dict[str, Any] | None = self.calls.read(self.part.takeover())
        return found

    def existing(self, noun: str) -> list[tuple[int, str]] | None:
        """Return pairs (id, name) of the records of a kind, such as "ticket type"; None if not permitted."""
        found: list[tuple[int, str]] | None = self.calls.read(self.part.existing(noun))
        return found

    def ticket_fields(self) -> list[FieldDefinition] | None:
        """Return the custom fields of tickets; None if the agent may not read them."""
        found: list[FieldDefinition] | None = self.calls.read(self.part.ticket_fields())
        return found

    def user_client(self, id: int) -> int | None:
        """Return the id of a user's client; None if the user does not exist or cannot be seen."""
        found: int | None = self.calls.read(self.part.user_client(id))
        return found

    def tickets(self, ids: Collection[int]) -> list[TicketReading]:
        """Return tickets by id, in any status; a deleted ticket has the status `deleted`."""
        found: list[TicketReading] = self.calls.read(self.part.tickets(ids))
        return found

    def stamped_tickets(self, types: Collection[int], since: float) -> list[TicketReading]:
        """Read the tickets with a stamp: all open ones, and others that were opened since a time."""
        found: list[TicketReading] = self.calls.read(self.part.stamped_tickets(types, since))
        return found

    def save_ticket(self, id: int | None, values: Mapping[str, Json]) -> int:
        """Create a ticket, or change one, and return its id. Raises RowError.

        For a new ticket, `values` has type, client, site, user, priority, summary, details, source, assets,
        alert, device, stamp, `category_N` and `CF…`; for an existing one, `close` or `reopen` with a status,
        `note` with an `outcome`, or `asset` and `user` to add.
        """
        number: int = self.calls.result(self.part.save_ticket(id, values))
        return number


Side = TypeVar("Side", ActionSource, ActionTarget)


def read_once(side: Side) -> Side:
    """Return a wrapper of a source or target that reads organizations, locations, clients and sites once."""
    return cast(Any, _ReadOnce(side))  # type: ignore[no-any-return]


class _ReadOnce:
    LISTS = ("organizations", "locations", "clients", "sites")

    def __init__(self, side: Any) -> None:
        self._side = side
        self._lists: dict[str, list[Any]] = {}

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._side, name)
        return partial(self._list, name, value) if name in self.LISTS else value

    def _list(self, name: str, read: Callable[[], Iterator[Any]]) -> Iterator[Any]:
        if name not in self._lists:
            self._lists[name] = list(read())
        return iter(self._lists[name])


def account_of(calls: Calls) -> str:
    """Return the account of a connection as text: its host, and its tenant if it has one."""
    settings = "".join(f" {value}" for _, value in sorted(calls.connection.settings.items()))
    return urlsplit(calls.connection.base_url).netloc + settings


def open_sides(
    mapping: SyncMapping, actions: Actions, *, delay_ms: float | None = None, stop: Event | None = None
) -> tuple[ActionSource, ActionTarget]:
    """Sign in to the two services of a mapping and return them; see `open_calls`.

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
    # Only `close_untouched` needs to know whether a ticket was touched: 3 more requests per ticket.
    pair[1].part.is_touched_read = alerts is None or alerts.settings.on_reset == "close_untouched"
    return pair
