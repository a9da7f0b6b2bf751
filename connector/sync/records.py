"""The records of both sides of a sync, and the two protocols that read and write them.

An implementation reads complete lists or raises `ListError`: an incomplete list counts as not read. Nothing
here is specific to a vendor: `data` is a record as returned by the source's API, for templates; `values` are
an asset's fields by their key in the mapping (a number, `CF…`, or a name), and `stamp` is the source's id
that is stored in the target's record.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from connector.common.json_text import Json
from connector.errors import RunStoppedError
from connector.sync.values import FieldDefinition


class ListError(RunStoppedError):
    """A list could not be read to its end, so it must not be used."""


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization of the source."""

    id: int
    name: str
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Location:
    """A location of an organization."""

    id: int
    organization: int
    name: str
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Device:
    """A device. `warranty` is its start and end as dates, of which either may be missing."""

    id: int
    organization: int
    location: int | None
    name: str
    data: Mapping[str, Json] = field(default_factory=dict)
    warranty: tuple[str | None, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the target."""

    id: int
    name: str
    is_active: bool = True
    stamp: int | None = None
    main_site: int | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A site of a client."""

    id: int
    client: int
    name: str
    is_active: bool = True
    stamp: int | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user of a client; `values` has the members that users are matched by, such as `login`."""

    id: int
    client: int
    site: int | None = None
    is_active: bool = True
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AssetType:
    """An asset type, with the ids of its fields."""

    id: int
    name: str
    group: int | None = None
    fields: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset as it was read. `shown` are the numbers of the asset fields in the response, set or not.

    `name` is its inventory number. `values` has what is set: asset fields keyed by number, custom fields by
    name, and `inventory_number`, `notes`, `warranty_start`, `warranty_end`, `link`. An asset that is not
    `is_whole` is a row of a list, without custom fields and users; the others have the record as `data`.
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
        """Return whether the asset's value in a field is known, even if the field is empty."""
        return self.is_whole or key in self.shown or key in self.values


@dataclass(frozen=True)
class Catalog:
    """The declarations of the target: its asset types and the fields of assets, including custom ones.

    If a list of types does not include the fields of each type, `type_fields` reads those of one type.
    """

    types: tuple[AssetType, ...] = ()
    fields: tuple[FieldDefinition, ...] = ()
    type_fields: Callable[[int], frozenset[int]] | None = None

    def fields_of(self, kind: AssetType | None) -> frozenset[int]:
        """Return the numbers of a type's fields; none for an unknown type."""
        if kind is None or kind.fields or self.type_fields is None:
            return kind.fields if kind is not None else frozenset()
        return self.type_fields(kind.id)


@dataclass(frozen=True, slots=True)
class AlertReading:
    """A current alert. `start` is when it began, in epoch seconds; `data` is the API's object."""

    uid: str
    start: float
    device: int | None = None
    organization: int | None = None
    condition: str = ""
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TicketReading:
    """A ticket as it was read. A merged one names the ticket that it was merged into.

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
    """The side with devices and alerts. `key` names it in plans; `account` is the owner of the data."""

    key: str
    title: str
    account: str

    def organizations(self) -> Iterable[Organization]:
        """Read all organizations."""

    def locations(self) -> Iterable[Location]:
        """Read all locations."""

    def devices(self) -> Iterable[Device]:
        """Read all devices, page by page."""

    def custom_fields(self, names: Collection[str]) -> Iterable[tuple[int, Mapping[str, Json]]]:
        """Read these custom fields of all devices that have any."""

    def last_users(self) -> Iterable[tuple[int, str]]:
        """Read the user who last logged on to each device."""

    def software(self) -> Iterable[tuple[int, list[Json]]]:
        """Read the software of all devices; a device may be yielded several times, with parts of its list."""

    def device(self, id: int) -> Device | None:
        """Read one device; None if it is deleted."""

    def alerts(self) -> Iterable[AlertReading]:
        """Read all alerts."""

    def device_alerts(self, device: int) -> Iterable[AlertReading]:
        """Read the alerts of one device."""

    def reset_alert(self, uid: str, note: Mapping[str, Json]) -> None:
        """Reset an alert; it is not an error if the alert no longer exists."""


class Target(Protocol):
    """The side with clients, assets and tickets. `key` names it in plans; `account` is the tenant."""

    key: str
    title: str
    account: str

    @property
    def ahead_s(self) -> float:
        """The seconds by which the target's clock is ahead of the local one."""

    def clients(self) -> Iterable[Client]:
        """Read all clients, inactive ones included."""

    def sites(self) -> Iterable[Site]:
        """Read all sites, inactive ones included."""

    def users(self, client: int) -> Iterable[User]:
        """Read the users of a client."""

    def catalog(self) -> Catalog:
        """Read asset types and fields."""

    def assets(self, client: int | None) -> Iterable[Asset]:
        """Read the assets of a client, or all; inactive ones included, with their fields."""

    def asset(self, id: int) -> Asset | None:
        """Read one asset with all of its fields; None if it is deleted."""

    def save(self, entity: str, id: int | None, values: Mapping[Any, Json], current: Any = None) -> int:
        """Create a record, or update the one with an id, and return its id.

        `values` has the fields of a plan item's changes; `current` is the asset as it was just read, whose
        other fields stay as they are.
        """

    def find(self, entity: str, values: Mapping[Any, Json], since: float) -> int | None:
        """Look up a record whose creation has no known outcome. Raises ListError for an incomplete list."""

    def tickets(self, ids: Collection[int]) -> Iterable[TicketReading]:
        """Read tickets in any state; the status of a deleted one says so."""

    def stamped_tickets(self, types: Collection[int], since: float) -> Iterable[TicketReading]:
        """Read the tickets of these types (none: of any type) that have a stamp, with their times.

        They are all open ones, and those closed or deleted that were opened since a time.
        """

    def save_ticket(self, id: int | None, values: Mapping[str, Json]) -> int:
        """Create a ticket, change its status, or add a note or an asset to it, and return its id."""
