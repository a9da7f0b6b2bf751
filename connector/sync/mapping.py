"""The mapping between two services: the contents of `mapping.yaml` as dataclasses.

The format of the file is `schemas/mapping.schema.json`, version 1. Unknown and repeated keys, wrong types and
templates that do not compile are errors with file and line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from connector.sync.alert_events import AlertSettings
from connector.sync.templates import MappingTemplate

VERSION = 1
NEW: Literal["new"] = "new"
"""The value in place of a record's id for a record that the sync creates."""

When = Literal["always", "new", "empty"]
IGNORED = ("", "0", "None", "Default string", "To be filled by O.E.M.")
"""Values that are never matched, in addition to `match.ignore` in the mapping file."""


@dataclass(frozen=True)
class ClientRow:
    """One entry of `clients.map`: the client of an organization, and the sites of its locations."""

    organization: int
    client: int | Literal["new"]
    default_user: int | None = None
    locations: MappingOf[int, int | Literal["new"]] = field(default_factory=dict)
    at: int = 0


@dataclass(frozen=True)
class ClientMapping:
    """The mapping of organizations to clients; `take` selects the organizations."""

    take: Literal["mapped", "all"] | MappingTemplate = "mapped"
    create: bool = False
    top_level: int | None = None
    match: Literal["name", "off"] = "name"
    rows: MappingOf[int, ClientRow] = field(default_factory=dict)
    skip: tuple[int, ...] = ()


@dataclass(frozen=True)
class FieldMapping:
    """The mapping of one asset field: `key` is its number or name; names of custom fields start with CF."""

    key: int | str
    template: MappingTemplate
    when: When = "always"

    @property
    def is_custom(self) -> bool:
        """Whether the asset field is a custom field."""
        return isinstance(self.key, str) and self.key.startswith("CF")


@dataclass(frozen=True)
class MatchMapping:
    """The settings for finding the asset of a device that has no link yet."""

    field: int | str | None = None
    by_name: bool = False
    ignore: frozenset[str] = frozenset()
    """The normalized values that are never matched."""


@dataclass(frozen=True)
class UserMapping:
    """The mapping of an asset's user: a template, and the user fields to compare with its value, in order."""

    template: MappingTemplate
    match: tuple[str, ...] = ("login", "emailaddress")


@dataclass(frozen=True)
class DeviceMapping:
    """The mapping of devices to assets, with their types and fields."""

    type: MappingTemplate
    take: MappingTemplate | None = None
    default_site: int | None = None
    types: MappingOf[str, str] = field(default_factory=dict)
    create_types: bool = False
    type_group: int | None = None
    type_when: Literal["new", "always"] = "new"
    match: MatchMapping = MatchMapping()
    fields: tuple[FieldMapping, ...] = ()
    create_fields: MappingOf[str, str] = field(default_factory=dict)
    user: UserMapping | None = None
    warranty: bool = False
    software: bool = False
    link: MappingTemplate | None = None
    missing: Literal["report", "deactivate"] = "report"
    moved: Literal["report", "follow"] = "report"

    @property
    def named_templates(self) -> tuple[tuple[str, MappingTemplate], ...]:
        """All templates of the device mapping, with the names that messages use."""
        user = self.user.template if self.user else None
        others = (("type", self.type), ("take", self.take), ("link", self.link), ("user", user))
        return (
            *((f"field {field.key}", field.template) for field in self.fields),
            *((f"devices.{name}", template) for name, template in others if template is not None),
        )

    @property
    def templates(self) -> tuple[MappingTemplate, ...]:
        """All templates of the device mapping."""
        return tuple(template for _, template in self.named_templates)

    @property
    def custom_fields(self) -> frozenset[str]:
        """The names of the devices' custom fields that the templates read."""
        return frozenset().union(*(template.members("custom") for template in self.templates))

    def uses(self, name: str) -> bool:
        """Return whether a template of the device mapping reads the variable `name`."""
        return any(template.uses(name) for template in self.templates)


@dataclass(frozen=True)
class TicketMapping:
    """The field values of new tickets; a rule has only those that differ from the default."""

    type: int | None = None
    summary: MappingTemplate | None = None
    details: MappingTemplate | None = None
    priority: int | None = None
    source: int | None = None

    def over(self, other: TicketMapping) -> TicketMapping:
        """Return a copy of this mapping whose missing values are taken from `other`."""
        return TicketMapping(
            *(
                mine if mine is not None else theirs
                for mine, theirs in (
                    (self.type, other.type),
                    (self.summary, other.summary),
                    (self.details, other.details),
                    (self.priority, other.priority),
                    (self.source, other.source),
                )
            )  # type: ignore[arg-type]
        )


@dataclass(frozen=True)
class Rule:
    """A condition, and the ticket values of alerts that meet it; None if they get no ticket."""

    condition: MappingTemplate
    ticket: TicketMapping | None


@dataclass(frozen=True)
class AlertMapping:
    """The mapping of alerts to tickets."""

    ticket: TicketMapping
    settings: AlertSettings = field(default_factory=AlertSettings)
    by: tuple[str, ...] = ("webhook", "poll")
    rules: tuple[Rule, ...] = ()
    default_user: int | None = None
    closed_status: int | str = "Closed"
    reopen_status: int | str | None = "New"
    note_outcome: int | None = None
    stamp: str | None = None
    activity_type_to: str | None = None
    first_run: Literal["adopt", "ticket"] = "adopt"
    unmapped: Literal["default_user", "none"] = "default_user"

    @property
    def ticket_types(self) -> frozenset[int]:
        """The types of all tickets; none if they can be of any type."""
        tickets = [self.ticket, *(rule.ticket.over(self.ticket) for rule in self.rules if rule.ticket)]
        types = [ticket.type for ticket in tickets]
        return frozenset() if None in types else frozenset(t for t in types if t is not None)


@dataclass(frozen=True)
class Limits:
    """The limits above which a plan is not applied without confirmation."""

    creates: int = 200
    updates_percent: int = 30
    tickets_per_hour: int = 50
    reads: int = 500


@dataclass(frozen=True)
class SyncMapping:
    """A complete mapping file. `warnings` are messages for the user about the file."""

    path: Path
    source: str
    target: str
    clients: ClientMapping = ClientMapping()
    devices: DeviceMapping | None = None
    alerts: AlertMapping | None = None
    limits: Limits = Limits()
    pace_percent: int = 100
    warnings: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 hash of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]
