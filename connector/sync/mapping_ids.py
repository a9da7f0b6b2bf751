"""Find the ids and names in a mapping that do not exist in its services, before anything is written.

    for wrong in IdCheck(mapping, target).all(known_ids(source, target)): print(wrong)

The entries of `clients.map`, `clients.skip` and `locations` concern single records: a run reports them as
conflicts of these records. All others are settings, without which a run does not start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from connector.common import strict_yaml
from connector.common.same_name import same_name
from connector.errors import DeclarationError, nearest
from connector.sync.mapping import NEW, AlertMapping, DeviceMapping, SyncMapping
from connector.sync.records import Client, ListError, Location, Organization, Site
from connector.sync.state import DAY, State
from connector.sync.values import FieldDefinition

CHECKED = "ids_checked"
"""The key in the table `meta` of the mapping whose settings were found to exist, and the epoch time of it."""
Keys = tuple[str | int, ...]


class Organizations(Protocol):
    """The lists of the source that are compared with a mapping."""

    def organizations(self) -> Iterable[Organization]:
        """Return all organizations."""

    def locations(self) -> Iterable[Location]:
        """Return the locations of all organizations."""


class Settings(Protocol):
    """The lists of the target that are compared with a mapping."""

    title: str

    def clients(self) -> Iterable[Client]:
        """Return all clients."""

    def sites(self) -> Iterable[Site]:
        """Return all sites."""

    def existing(self, noun: str) -> list[tuple[int, str]] | None:
        """Return pairs (id, name) of the records of a kind; None if the agent may not read them."""

    def ticket_fields(self) -> list[FieldDefinition] | None:
        """Return the custom fields of tickets; None if the agent may not read them."""

    def user_client(self, id: int) -> int | None:
        """Return the id of a user's client; None if the user does not exist."""


@dataclass(frozen=True, order=True)
class Wrong:
    """An id or name in a mapping that does not exist, with its line."""

    line: int
    text: str
    file: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.text}"


@dataclass(frozen=True)
class Reference:
    """An id or name of a record of the target, at `keys` in the mapping."""

    noun: str
    value: int | str
    keys: Keys


@dataclass(frozen=True)
class Known:
    """The ids of both services: `sites` and `locations` with the client and organization of each."""

    organizations: Collection[int]
    locations: Mapping[int, int]
    clients: Collection[int]
    sites: Mapping[int, int]


def known_ids(source: Organizations, target: Settings) -> Known:
    """Return the ids of both services. Raises ListError."""
    return Known(
        {organization.id for organization in source.organizations()},
        {location.id: location.organization for location in source.locations()},
        {client.id for client in target.clients()},
        {site.id: site.client for site in target.sites()},
    )


class IdCheck:
    """Compares a mapping with its services. `unchecked` has what the agent may not read."""

    def __init__(self, mapping: SyncMapping, target: Settings) -> None:
        self._mapping, self._target = mapping, target
        self._users: dict[int, int | None] = {}
        self.unchecked: list[str] = []

    def all(self, known: Known) -> list[Wrong]:
        """Return everything in the mapping that does not exist, in the order of the lines."""
        return sorted([*self.rows(known), *self.settings(known.sites)])

    def rows(self, known: Known) -> Iterator[Wrong]:
        """Yield the ids of `clients.map` and `clients.skip` that do not exist.

        An id that belongs to a record which does not exist is not reported a second time.
        """
        for row in self._mapping.clients.rows.values():
            at: Keys = ("clients", "map", row.at)
            has_organization = row.organization in known.organizations
            has_client = row.client == NEW or row.client in known.clients
            if not has_organization:
                yield self._wrong((*at, "organization"), f"organization {row.organization} does not exist")
            if not has_client:
                yield self._unseen((*at, "client"), f"client {row.client}")
            for location, site in row.locations.items():
                keys = (*at, "locations", location)
                if has_organization:
                    what, home = f"location {location}", known.locations.get(location)
                    yield from self._member(keys, what, "organization", row.organization, home, "")
                if isinstance(site, int) and (has_client or site not in known.sites):
                    home = known.sites.get(site)
                    yield from self._member(keys, f"site {site}", "client", row.client, home, self._where)
            if row.default_user is not None:
                client = row.client if has_client else None
                yield from self._user(row.default_user, (*at, "default_user"), client)
        for index, organization in enumerate(self._mapping.clients.skip):
            if organization not in known.organizations:
                text = f"organization {organization} does not exist"
                yield self._wrong(("clients", "skip", index), text)

    def settings(self, sites: Mapping[int, int] | None = None) -> Iterator[Wrong]:
        """Yield the ids and names that do not exist, except those of `rows`."""
        devices, alerts = self._mapping.devices, self._mapping.alerts
        if devices is not None and devices.default_site is not None:
            known = sites if sites is not None else {site.id: site.client for site in self._target.sites()}
            if devices.default_site not in known:
                yield self._unseen(("devices", "default_site"), f"site {devices.default_site}")
        wanted: dict[str, list[Reference]] = {}
        for reference in references(self._mapping):
            wanted.setdefault(reference.noun, []).append(reference)
        for noun, group in wanted.items():
            yield from self._existing(noun, group)
        if alerts is not None:
            if alerts.default_user is not None:
                yield from self._user(alerts.default_user, ("alerts", "default_user"), None)
            yield from self._ticket_fields(alerts)

    def _existing(self, noun: str, group: list[Reference]) -> Iterator[Wrong]:
        found = self._target.existing(noun)
        if not found:  # An agent without the permission can also get an empty list.
            self.unchecked.append(f"{noun}s")
            return
        ids, names = {id for id, _ in found}, [str(name) for _, name in found if name]
        alike = set(map(same_name, names)) if noun == "asset type" else set(names)
        for one in group:
            value = same_name(str(one.value)) if noun == "asset type" else one.value
            if value not in (alike if isinstance(value, str) else ids):
                guess = nearest(value, names, ignore_case=True) if isinstance(value, str) else ""
                yield self._unseen(one.keys, f"{noun} {one.value}", guess)

    def _ticket_fields(self, alerts: AlertMapping) -> Iterator[Wrong]:
        wanted = {"stamp": alerts.stamp, "activity_type_to": alerts.activity_type_to}
        named = {key: name for key, name in wanted.items() if name is not None and name.startswith("CF")}
        fields = (self._target.ticket_fields() or []) if named else []
        if named and not fields:
            self.unchecked.append("custom fields of tickets")
            return
        known = {str(field.key): field for field in fields}
        for key, name in named.items():
            if name not in known:
                yield self._unseen(("alerts", key), f"custom field {name} of tickets", nearest(name, known))
            elif key == "stamp" and known[name].type != "text":
                kind = known[name].type.replace("_", "/")
                yield self._wrong(
                    ("alerts", key), f"{name} is a field of the type {kind}: a stamp requires a text field"
                )

    def _user(self, user: int, keys: Keys, client: int | str | None) -> Iterator[Wrong]:
        if user not in self._users:
            self._users[user] = self._target.user_client(user)
        home = self._users[user]
        if home is None:
            yield self._unseen(keys, f"user {user}")
        elif home and client is not None:
            yield from self._member(keys, f"user {user}", "client", client, home, self._where)

    def _member(
        self, keys: Keys, what: str, noun: str, wanted: int | str, home: int | None, where: str
    ) -> Iterator[Wrong]:
        """Yield an error if a record does not exist, or belongs to another one than `wanted`."""
        if home is None:
            yield self._wrong(keys, f"{what} does not exist{where}")
        elif home != wanted:
            other = f", not to {noun} {wanted}" if isinstance(wanted, int) else ", not to a new one"
            yield self._wrong(keys, f"{what} belongs to {noun} {home}{other}")

    @property
    def _where(self) -> str:
        return f" in {self._target.title}, or the agent that signs in cannot see it"

    def _unseen(self, keys: Keys, what: str, guess: str = "") -> Wrong:
        return self._wrong(keys, f"{what} does not exist{self._where}{guess}")

    def _wrong(self, keys: Keys, text: str) -> Wrong:
        path = self._mapping.path
        name = "" if keys[0] == "clients" else ".".join(map(str, keys)) + ": "
        return Wrong(strict_yaml.line_of(path, keys), name + text, str(path))


def references(mapping: SyncMapping) -> Iterator[Reference]:
    """Yield the ids and names of settings, except users, sites, and custom fields of tickets."""
    if mapping.clients.top_level is not None:
        yield Reference("top level", mapping.clients.top_level, ("clients", "top_level"))
    if mapping.devices is not None:
        yield from _of_devices(mapping.devices)
    if mapping.alerts is not None:
        yield from _of_alerts(mapping.alerts)


def _of_devices(devices: DeviceMapping) -> Iterator[Reference]:
    if devices.type_group is not None:
        yield Reference("asset group", devices.type_group, ("devices", "type_group"))
    if not devices.create_types:
        for value, name in devices.types.items():
            yield Reference("asset type", name, ("devices", "types", value))


def _of_alerts(alerts: AlertMapping) -> Iterator[Reference]:
    tickets: list[tuple[Keys, object]] = [(("ticket",), alerts.ticket)]
    tickets += [(("rules", n, "ticket"), rule.ticket) for n, rule in enumerate(alerts.rules) if rule.ticket]
    for keys, ticket in tickets:
        for noun, key in (("ticket type", "type"), ("priority", "priority")):
            value = getattr(ticket, key)
            if value is not None:
                yield Reference(noun, value, ("alerts", *keys, key))
    for key in ("closed_status", "reopen_status"):
        value = getattr(alerts, key)
        if value is not None:
            yield Reference("ticket status", value, ("alerts", key))
    if alerts.note_outcome is not None:
        yield Reference("outcome", alerts.note_outcome, ("alerts", "note_outcome"))


def require_settings(mapping: SyncMapping, target: Settings, state: State, now: float) -> None:
    """Raise DeclarationError if a setting of the mapping names something that does not exist.

    The settings of a mapping are compared when it has changed, and once a day.
    """
    digest, _, since = (state.meta(CHECKED) or "").partition(" ")
    if digest == mapping.digest and 0 <= now - float(since) < DAY:
        return
    try:
        wrong = sorted(IdCheck(mapping, target).settings())
    except ListError:
        if digest == mapping.digest:
            return  # The next run compares the unchanged mapping again.
        raise
    if wrong:
        raise DeclarationError("\n".join(map(str, wrong)))
    state.set_meta(CHECKED, f"{mapping.digest} {now}")
