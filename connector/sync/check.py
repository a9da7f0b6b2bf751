"""Find problems of a sync by reading both services, before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from connector.common import strict_yaml
from connector.common.json_text import Json
from connector.common.plurals import counted
from connector.common.same_name import same_name
from connector.errors import DeclarationError, RowError, nearest
from connector.sync.asset_fields import AssetFields, bind_fields
from connector.sync.folder import SyncFolder
from connector.sync.mapping import AlertMapping, DeviceMapping, UserMapping
from connector.sync.mapping_check import unknown_members, unknown_paths
from connector.sync.mapping_ids import IdCheck, Known, known_ids
from connector.sync.pins import Noun
from connector.sync.records import Catalog, Device
from connector.sync.sides import ActionSource, ActionTarget
from connector.sync.templates import MappingTemplate
from connector.templating.scope import Scope

Level = Literal["ok", "warning", "error"]
SAMPLE = 200
SHOWN = 8
CLIENTS = 5
"""The number of clients whose users are sampled."""


@dataclass(frozen=True)
class Finding:
    """One result of the check: a level, a subject, and a message."""

    level: Level
    subject: str
    text: str


class Checker:
    """Checks a sync. `findings` raises ListError if one of the services cannot be read.

    With `beside`, another integration that writes to the target is a warning instead of an error. `unless` is
    added to that message: the option that accepts the other integration.
    """

    def __init__(
        self,
        folder: SyncFolder,
        source: ActionSource,
        target: ActionTarget,
        *,
        beside: bool = False,
        unless: str = "",
    ) -> None:
        self._unless = unless
        self._folder, self._mapping = folder, folder.mapping
        self._source, self._target, self._beside = source, target, beside

    def findings(self) -> Iterator[Finding]:
        """Yield the results of all checks."""
        for warning in self._mapping.warnings:
            yield Finding("warning", "Mapping", warning)
        known = known_ids(self._source, self._target)
        catalog = self._target.catalog()
        yield from self._rights(len(known.organizations), len(known.clients), catalog)
        yield from self._ids(known)
        for text in self._pins(known):
            yield Finding("warning", "Pins", text)
        yield from self._organizations()
        yield from self._writers()
        if self._mapping.alerts is not None:
            yield from self._tickets(self._mapping.alerts)
        devices = self._mapping.devices
        if devices is not None:
            yield from self._devices(devices, catalog)

    def _rights(self, organizations: int, clients: int, catalog: Catalog) -> Iterator[Finding]:
        source, target = self._source, self._target
        reads = f"signed in; can read {counted(organizations, 'organization')}"
        yield Finding("ok", source.title, reads)
        found = target.describe()
        types = counted(len(catalog.types), "asset type")
        version = f"{found['version']}, " if found.get("version") else ""
        agent = f" as {found['name']}" if found.get("name") else ""
        yield Finding(
            "ok", target.title, f"{version}signed in{agent}; can read {counted(clients, 'client')}, {types}"
        )
        if target.calls.connection.read_only:
            yield Finding(
                "warning", target.title, "the connection is read-only: only `sync plan` is possible"
            )
        alerts = self._mapping.alerts
        if source.calls.connection.read_only and alerts and alerts.settings.on_close == "reset":
            text = "the connection is read-only, so alerts cannot be reset: set alerts.on_close to leave"
            yield Finding("error", source.title, text)

    def _ids(self, known: Known) -> Iterator[Finding]:
        mapping = self._mapping
        check = IdCheck(mapping, self._target)
        problems = check.all(known)
        for problem in problems:
            yield Finding("error", "Mapping", str(problem))
        for what in check.unchecked:
            text = f"the agent has no permission to read the {what}, so their ids are not checked"
            yield Finding("warning", "Mapping", text)
        if not problems:
            rows = mapping.clients.rows.values()
            parts = [
                counted(len(rows), "organization"),
                counted(sum(len(r.locations) for r in rows), "location"),
            ]
            if mapping.devices is not None:
                parts.append(counted(len(mapping.devices.fields), "field"))
            unread = "every id that can be read exists" if check.unchecked else "every id exists"
            yield Finding("ok", "Mapping", f"{', '.join(parts)}; {unread}")

    def _pins(self, known: Known) -> Iterator[str]:
        """Yield a warning for each pinned organization, location, client and site that does not exist."""
        places: tuple[tuple[Noun, Collection[int], str, Collection[int]], ...] = (
            ("organization", known.organizations, "client", known.clients),
            ("location", known.locations, "site", known.sites),
        )
        for noun, sources, of_target, targets in places:
            for source, target in self._folder.pins.of(noun).items():
                wrong = f"{noun} {source}" if source not in sources else f"{of_target} {target}"
                if source not in sources or target not in targets:
                    line = strict_yaml.line_of(self._folder.pins_file, (f"{noun}s", source))
                    file = self._folder.pins_file
                    yield f"{file}, line {line}: {wrong} does not exist, or cannot be seen"

    def _organizations(self) -> Iterator[Finding]:
        """Warn of organizations that are skipped because `clients.take` fails or has no value."""
        take = self._mapping.clients.take
        if isinstance(take, str):
            return
        found = list(self._source.organizations())
        rows = [{**one.data, "id": one.id, "name": one.name} for one in found]
        for warning in unknown_paths("organization", [("clients.take", take)], rows):
            yield Finding("warning", "Mapping", warning)
        if problem := _problem(take, "organization", rows):
            yield Finding("warning", "Mapping", f"clients.take {problem}")

    def _writers(self) -> Iterator[Finding]:
        writers = self._target.other_writers()
        if writers is None:
            text = "no permission to read whether the target's built-in integration is turned on"
            yield Finding("warning", "Two writers", text)
        for text in (writers or {}).values():
            level: Level = "warning" if self._beside else "error"
            yield Finding(level, "Two writers", f"{text}: turn it off{self._unless}")

    def _tickets(self, alerts: AlertMapping) -> Iterator[Finding]:
        """Warn of tickets that would have no client, because the mapping has no default user."""
        if alerts.default_user is not None:
            return
        most = counted(alerts.settings.tickets_per_hour, "ticket")
        refused = [f"the ticket about held alerts (more than {most} within an hour)"]
        if alerts.unmapped == "default_user":
            refused.append("tickets for alerts of organizations without a client")
        text = f"{self._target.title} refuses tickets without a client: {' and '.join(refused)}"
        yield Finding("warning", "Tickets", f"alerts.default_user is not set, and {text}")

    def _devices(self, devices: DeviceMapping, catalog: Catalog) -> Iterator[Finding]:
        counts: dict[str, Counter[str]] = {name: Counter() for name in self._source.type_members}
        types: Counter[str] = Counter()
        sample: list[Device] = []
        for device in self._source.devices():
            for name in counts:
                counts[name][str(device.data.get(name) or "(none)")] += 1
            types[devices.type.text(Scope({"device": device.data}))] += 1
            if len(sample) < SAMPLE:
                sample.append(device)
        for name, values in counts.items():
            yield Finding("ok", f"device.{name}", _listed(values))
        yield from self._types(devices, types, catalog)
        custom = self._custom(devices)
        names = sorted({name for values in custom.values() for name in values})
        for warning in unknown_members(devices, [device.data for device in sample], names):
            yield Finding("warning", "Fields", warning)
        try:
            fields = AssetFields(bind_fields(devices, catalog, self._mapping.path))
        except DeclarationError as error:
            yield Finding("error", "Fields", str(error))
            return
        if devices.take is not None:
            data = [device.data for device in sample]
            if problem := _problem(devices.take, "device", data):
                yield Finding("warning", "Fields", f"devices.take {problem}")
        for device in sample:
            fields.render(Scope({"device": device.data, "custom": custom.get(device.id, {})}))
        for key, number in fields.counts.errors.items():
            text = (
                f"field {key}: the values of {number} of {counted(len(sample), 'device')} cannot be written"
            )
            yield Finding("warning", "Fields", text)
        yield from self._assets(devices, catalog)

    def _custom(self, devices: DeviceMapping) -> dict[int, Any]:
        names = sorted(devices.custom_fields)
        return {id: dict(values) for id, values in self._source.custom_fields(names)} if names else {}

    def _types(self, devices: DeviceMapping, types: Counter[str], catalog: Catalog) -> Iterator[Finding]:
        known = {same_name(kind.name) for kind in catalog.types}
        new: Counter[str] = Counter()
        for text, number in types.items():
            name = devices.types.get(text, text)
            if text and same_name(name) not in known:
                new[name] += number
        if none := types[""]:
            them = "it" if none == 1 else "them"
            text = (
                f"devices.type has no value for {counted(none, 'device')}; no assets are created for {them}"
            )
            yield Finding("warning", "Types", text)
        if new and devices.create_types:
            yield Finding("ok", "Types", f"to be created in group {devices.type_group}: {_listed(new)}")
        elif new:
            text = f"no assets are created for devices whose asset types do not exist ({_listed(new)})"
            yield Finding("warning", "Types", f"{text}: map them in devices.types, or set create_types: true")

    def _assets(self, devices: DeviceMapping, catalog: Catalog) -> Iterator[Finding]:
        """Check one asset of each type: whether the signed-in agent can read all of its fields."""
        seen: set[int] = set()
        whole = 0
        for asset in islice(self._target.assets(None), SAMPLE):
            kind = next((known for known in catalog.types if known.id == asset.type), None)
            if kind is None or kind.id in seen:
                continue
            seen.add(kind.id)
            whole += catalog.fields_of(kind) <= asset.shown
            if hidden := catalog.fields_of(kind) - asset.shown:
                numbers = ", ".join(map(str, sorted(hidden)))
                text = f"asset type {kind.name}: the agent cannot read the fields {numbers}"
                yield Finding("error", "Rights", f"{text}, so assets of this type are not written")
        if seen:
            types = counted(len(seen), "asset type")
            yield Finding("ok", "Rights", f"the agent can read all fields of {whole:,} of {types} in use")
        if devices.software:
            yield from self._software()
        if devices.user is not None:
            yield from self._users(devices.user)

    def _users(self, mapping: UserMapping) -> Iterator[Finding]:
        """Warn of each property in `devices.user.match` that no user of the first clients has."""
        clients = [client.id for client in self._target.clients() if client.is_active][:CLIENTS]
        users = [user for client in clients for user in self._target.users(client) if user.is_active]
        known = sorted({name for user in users for name in user.values})
        for name in mapping.match:
            if users and name not in known:
                sample = counted(len(users), "user")
                text = f"devices.user.match: none of {sample} of the first clients has {name}"
                yield Finding("warning", "Users", text + nearest(name, known))

    def _software(self) -> Iterator[Finding]:
        problem = self._target.software_problem()
        yield Finding(
            "error" if problem else "ok",
            "Software",
            problem or "the target records the software installed on assets",
        )


def _problem(template: MappingTemplate, noun: str, records: Sequence[Mapping[str, Json]]) -> str:
    """Return for how many records a template that must be true or false fails; empty text for none."""
    problems = []
    for record in records:
        try:
            template.holds(Scope({noun: record}))
        except RowError as error:
            problems.append(str(error))
    if not problems:
        return ""
    number = f"{len(problems):,} of {counted(len(records), noun)}"
    return f"fails for {number}, which are skipped, for example: {problems[0]}"


def _listed(values: Counter[str]) -> str:
    listed = ", ".join(f"{name} {number:,}" for name, number in values.most_common(SHOWN))
    more = len(values) - SHOWN
    return f"{listed} and {more} more" if more > 0 else listed
