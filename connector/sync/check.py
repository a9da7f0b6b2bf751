"""Find problems of a sync by reading both services, before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from connector.common.plurals import counted
from connector.errors import DeclarationError
from connector.sync.asset_fields import AssetFields, bind_fields
from connector.sync.folder import SyncFolder
from connector.sync.mapping import AlertMapping, DeviceMapping
from connector.sync.mapping_check import missing_ids, unknown_members
from connector.sync.records import Catalog, Device
from connector.sync.sides import ActionSource, ActionTarget
from connector.sync.values import same_name
from connector.templating.templates import Scope

Level = Literal["ok", "warning", "error"]
SAMPLE = 200
SHOWN = 8


@dataclass(frozen=True)
class Finding:
    """One result of the check: a level, a subject, and a message."""

    level: Level
    subject: str
    text: str


class Checker:
    """Checks a sync. Raises ListError if a list cannot be read.

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
        self._mapping, self._source, self._target, self._beside = folder.mapping, source, target, beside

    def findings(self) -> Iterator[Finding]:
        """Yield the results of all checks."""
        for warning in self._mapping.warnings:
            yield Finding("warning", "Mapping", warning)
        clients = {client.id for client in self._target.clients()}
        sites = {site.id: site.client for site in self._target.sites()}
        organizations = {organization.id for organization in self._source.organizations()}
        catalog = self._target.catalog()
        yield from self._rights(len(organizations), len(clients), catalog)
        yield from self._ids(clients, sites, organizations)
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

    def _ids(self, clients: set[int], sites: dict[int, int], organizations: set[int]) -> Iterator[Finding]:
        mapping = self._mapping
        problems = list(missing_ids(mapping, self._target.title, clients, sites, organizations))
        if mapping.alerts is not None:
            problems += self._target.missing_ids(_ticket_ids(mapping.alerts))
        for problem in problems:
            yield Finding("error", "Mapping", problem)
        if not problems:
            rows = mapping.clients.rows.values()
            parts = [
                counted(len(rows), "organization"),
                counted(sum(len(r.locations) for r in rows), "location"),
            ]
            if mapping.devices is not None:
                parts.append(counted(len(mapping.devices.fields), "field"))
            yield Finding("ok", "Mapping", f"{', '.join(parts)}; every id exists")

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
            types[devices.type.text(Scope({"device": device.data})) or "(none)"] += 1
            if len(sample) < SAMPLE:
                sample.append(device)
        for name, values in counts.items():
            yield Finding("ok", f"device.{name}", _listed(values))
        yield from self._types(devices, types, catalog)
        for warning in unknown_members(self._mapping, [device.data for device in sample]):
            yield Finding("warning", "Fields", warning)
        try:
            fields = AssetFields(bind_fields(devices, catalog, self._mapping.path))
        except DeclarationError as error:
            yield Finding("error", "Fields", str(error))
            return
        custom = self._custom(devices)
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
        new = Counter(
            {name: n for name, n in types.items() if same_name(devices.types.get(name, name)) not in known}
        )
        if new and devices.create_types:
            yield Finding("ok", "Types", f"to be created in group {devices.type_group}: {_listed(new)}")
        elif new:
            text = f"no asset type has this name, and create_types is off: {_listed(new)}"
            yield Finding("warning", "Types", text)

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

    def _software(self) -> Iterator[Finding]:
        problem = self._target.software_problem()
        yield Finding(
            "error" if problem else "ok",
            "Software",
            problem or "the target records the software installed on assets",
        )


def _ticket_ids(alerts: AlertMapping) -> dict[str, Any]:
    """Return the ids in the mapping's ticket settings, keyed by kind, such as `status` and `type 0`.

    The number is that of the rule; 0 is the default `ticket` of the mapping.
    """
    found: dict[str, Any] = {"status": alerts.closed_status}
    if alerts.reopen_status is not None:
        found["status reopen"] = alerts.reopen_status
    if alerts.note_outcome is not None:
        found["outcome"] = alerts.note_outcome
    if alerts.default_user is not None:
        found["user"] = alerts.default_user
    tickets = [alerts.ticket, *(rule.ticket for rule in alerts.rules if rule.ticket is not None)]
    for number, ticket in enumerate(tickets):
        for kind, value in (("type", ticket.type), ("priority", ticket.priority)):
            if value is not None:
                found[f"{kind} {number}"] = value
    return found


def _listed(values: Counter[str]) -> str:
    listed = ", ".join(f"{name} {number:,}" for name, number in values.most_common(SHOWN))
    more = len(values) - SHOWN
    return f"{listed} and {more} more" if more > 0 else listed
