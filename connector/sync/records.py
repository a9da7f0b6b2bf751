"""The records of the source and target services, and the two protocols that read and write them.

An implementation returns complete lists and records, or raises `ListError`. In the records, `data` is the
JSON object that the source's API returned, for templates; `values` has an asset's field values, keyed as in
the mapping (a number, `CF…`, or a name); `stamp` is the id of the source record, as stored in the target
record.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from connector.common.json_text import Json
from connector.errors import RunStoppedError
from connector.sync.values import FieldDefinition


class ListError(RunStoppedError):
    """A list was not read completely, or a record not at all, so the sync must not act on what it has.

    `__cause__` is the RowError of the call that failed, if there is one.
    """


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization of the source service."""

    id: int
    name: str
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Location:
    """A location of an organization of the source service."""

    id: int
    organization: int
    name: str
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the source service. `warranty` has its start and end date; either may be None."""

    id: int
    organization: int
    location: int | None
    name: str
    data: Mapping[str, Json] = field(default_factory=dict)
    warranty: tuple[str | None, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the target service."""

    id: int
    name: str
    is_active: bool = True
    stamp: int | None = None
    main_site: int | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A site of a client of the target service."""

    id: int
    client: int
    name: str
    is_active: bool = True
    stamp: int | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user of a client; `values` has the user fields that can be matched, such as `login`."""

    id: int
    client: int
    site: int | None = None
    is_active: bool = True
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AssetType:
    """An asset type of the target service, with the ids of its fields."""

    id: int
    name: str
    group: int | None = None
    fields: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset that was read from the target service.

    `shown` has the numbers of the asset fields that the response contains, empty or not. `name` is the
    inventory number. `values` has the non-empty values: asset fields by number, custom fields by name, and
    `inventory_number`, `notes`, `warranty_start`, `warranty_end`, `link`. `is_whole` is false for an asset
    from a list, which lacks custom fields and users. `data` is the complete record.
    """

    id: int
    client: int
    site: int | None = None
    type: int | None = None
    name: str = ""
    is_active: bool = True
    stamp: int | None = None
    users: tuple[int, ...] = ()
    values: Mapping[int | str, Json] = field(default_factory=dict)
    shown: frozenset[int] = frozenset()
    is_whole: bool = True
    data: Json = None

    def shows(self, key: int | str) -> bool:
        """Return whether the response contained a field, so that its value is known, even if it is empty."""
        return self.is_whole or key in self.shown or key in self.values


@dataclass(frozen=True)
class Catalog:
    """The asset types of the target service, and its asset fields, including custom fields.

    If the API's list of types does not contain their fields, `type_fields` reads the fields of one type.
    """

    types: tuple[AssetType, ...] = ()
    fields: tuple[FieldDefinition, ...] = ()
    type_fields: Callable[[int], frozenset[int]] | None = None

    def fields_of(self, kind: AssetType | None) -> frozenset[int]:
        """Return the numbers of an asset type's fields; empty for an unknown type."""
        if kind is None or kind.fields or self.type_fields is None:
            return kind.fields if kind is not None else frozenset()
        return self.type_fields(kind.id)


@dataclass(frozen=True, slots=True)
class AlertReading:
    """An active alert. `start` is the epoch time of its start; `data` is the alert's JSON object."""

    uid: str
    start: float
    device: int | None = None
    organization: int | None = None
    condition: str = ""
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TicketReading:
    """A ticket that was read. `into` is the ticket into which a merged ticket was merged.

    `opened` and `closed` are times in epoch seconds, 0 if unknown.
    """

    id: int
    status: str
    into: int | None = None
    is_touched: bool = False
    stamp: str = ""
    opened: float = 0.0
    closed: float = 0.0


class Source(Protocol):
    """The service with the devices and alerts. `key` is its name in plans; `account` owns the data."""

    key: str
    title: str
    account: str

    def organizations(self) -> Iterable[Organization]:
        """Return all organizations."""

    def locations(self) -> Iterable[Location]:
        """Return the locations of all organizations."""

    def devices(self) -> Iterable[Device]:
        """Return all devices; they are read page by page."""

    def custom_fields(self, names: Collection[str]) -> Iterable[tuple[int, Mapping[str, Json]]]:
        """Return (device id, values by name) of the named custom fields, for devices that have values."""

    def last_users(self) -> Iterable[tuple[int, str]]:
        """Return (device id, name of the user who last logged on) of the devices."""

    def software(self) -> Iterable[tuple[int, list[Json]]]:
        """Return (device id, list of software) of all devices; a list may come in several parts."""

    def device(self, id: int) -> Device | None:
        """Return one device; None if it was deleted."""

    def alerts(self) -> Iterable[AlertReading]:
        """Return all active alerts."""

    def device_alerts(self, device: int) -> Iterable[AlertReading]:
        """Return the active alerts of one device."""

    def reset_alert(self, uid: str, note: Mapping[str, Json]) -> None:
        """Reset an alert. It is no error if the alert does not exist any more."""


class Target(Protocol):
    """The service with the clients, assets and tickets. `key` is its name in plans."""

    key: str
    title: str
    account: str

    @property
    def ahead_s(self) -> float:
        """The seconds by which the target's clock is ahead of the local one."""

    def clients(self) -> Iterable[Client]:
        """Return all clients, including inactive ones."""

    def sites(self) -> Iterable[Site]:
        """Return all sites, including inactive ones."""

    def users(self, client: int) -> Iterable[User]:
        """Return the users of a client."""

    def catalog(self) -> Catalog:
        """Return the asset types and the asset fields."""

    def assets(self, client: int | None) -> Iterable[Asset]:
        """Return the assets of a client (None: of all clients) with their fields, including inactive ones."""

    def asset(self, id: int) -> Asset | None:
        """Return one asset with all of its fields; None if it was deleted."""

    def save(self, entity: str, id: int | None, values: Mapping[Any, Json], current: Any = None) -> int:
        """Create a record (`id` None) or update one; return the record's id.

        `values` has the new values, keyed like a plan item's changes. `current` is the asset as just read:
        its other field values are sent again, unchanged.
        """

    def find(self, entity: str, values: Mapping[Any, Json], since: float) -> int | None:
        """Return the id of a record whose creation got no response; None if not found. Raises ListError."""

    def tickets(self, ids: Collection[int]) -> Iterable[TicketReading]:
        """Return tickets by id, in any status; a deleted ticket has the status `deleted`."""

    def stamped_tickets(self, types: Collection[int], since: float) -> Iterable[TicketReading]:
        """Read the tickets of these types (none: of any type) that have a stamp, with their times.

        They are all open ones, and those closed or deleted that were opened since a time.
        """

    def save_ticket(self, id: int | None, values: Mapping[str, Json]) -> int:
        """Create a ticket, change its status, or add a note or an asset to it; return the ticket's id."""
