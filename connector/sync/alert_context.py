"""The data related to an alert: its device, organization, client and asset, and the text of its ticket."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from connector.common import json_text
from connector.common.json_text import Json
from connector.errors import RowError
from connector.sync.alert_rows import Alert
from connector.sync.mapping import AlertMapping, SyncMapping, TicketMapping
from connector.sync.records import AlertReading, Asset, Device, ListError, Source, Target, User
from connector.sync.state import State
from connector.templating.scope import Scope

logger = logging.getLogger(__name__)

KEPT_S = 600.0
"""The time in seconds for which lists shared by several alerts are cached."""
DEVICE_KEPT_S = 60.0
SUMMARY_LENGTH = 250
T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """The ids of a ticket's client, site, asset and user; None for an unknown one."""

    client: int | None = None
    site: int | None = None
    asset: int | None = None
    user: int | None = None

    def values(self) -> dict[str, Json]:
        """Return the known ids as input values for saving a ticket in the target."""
        found: dict[str, Json] = {"client": self.client, "site": self.site, "user": self.user}
        if self.asset is not None:
            found["assets"] = [self.asset]
        return {name: value for name, value in found.items() if value is not None}


class Recent:
    """A cache of values that expire after a limited time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[Any, tuple[float, Any]] = {}

    def get(self, key: Any, read: Callable[[], T], seconds: float = KEPT_S) -> T:
        """Return the cached value of a key; call `read` for a new one if it is missing or expired."""
        now = self._clock()
        if key in self._kept and 0 <= now - self._kept[key][0] < seconds:
            known: T = self._kept[key][1]
            return known
        value = read()
        self._kept = {k: v for k, v in self._kept.items() if 0 <= now - v[0] < KEPT_S}
        self._kept[key] = (now, value)
        return value


class AlertContext:
    """Reads and caches the data that the rules and tickets of alerts need.

    Every method raises ListError if a service cannot be read at the moment.
    """

    def __init__(
        self, state: State, source: Source, target: Target, mapping: SyncMapping, clock: Callable[[], float]
    ) -> None:
        if mapping.alerts is None:
            raise ValueError("the mapping has no alerts")
        self._state, self._source, self._target = state, source, target
        self._clients = mapping.clients.rows
        self.alerts: AlertMapping = mapping.alerts
        self._recent = Recent(clock)

    def completed(self, reading: AlertReading) -> AlertReading:
        """Return an alert from a webhook delivery; read a missing severity if templates use it."""
        is_used = self._uses("alert.severity") or self._uses("alert.priority")
        if not is_used or reading.data.get("severity") or reading.device is None:
            return reading
        shown = {alert.uid: alert for alert in self._source.device_alerts(reading.device)}
        more = shown[reading.uid].data if reading.uid in shown else {}
        data = {**{name: more[name] for name in ("severity", "priority") if name in more}, **reading.data}
        return AlertReading(
            reading.uid, reading.start, reading.device, reading.organization, reading.condition, data
        )

    def organization_of(self, reading: AlertReading) -> int | None:
        """Return the organization id of an alert; None if its device is unknown."""
        if reading.organization is not None:
            return reading.organization
        device = self._device(reading.device)
        return device.organization if device else None

    def is_wanted(self, reading: AlertReading) -> bool:
        """Return whether the mapping's rules create a ticket for an alert."""
        organization = self.organization_of(reading)
        if self.alerts.unmapped == "none" and self._client(organization) is None:
            return False
        scope = self._scope(reading.data, reading.device, organization, {})
        return self._ticket_of(scope) is not None

    def ticket(self, row: Alert) -> dict[str, Json]:
        """Return the field values of an alert's new ticket. Raises ListError, RowError (template)."""
        if row.kind == "held":
            return self.held(row.repeats) | self._outline(self.alerts.ticket)
        alert: Mapping[str, Json] = json_text.loads(row.alert) if row.alert else {}
        known = {"number": row.previous, "generation": row.generation}
        scope = self._scope(alert, row.device, row.organization, known)
        made_of = self._ticket_of(scope) or self.alerts.ticket
        values = {**self._outline(made_of), **self.place(row).values(), **self._category(row, alert)}
        if row.kind == "note":
            note = note_text(row.uid.rpartition("/")[2], row)
            details = f"Ticket {row.previous} did not accept this note: {note}"
            return {**values, "summary": f"Note on ticket {row.previous}", "details": details}
        summary = made_of.summary.text(scope) if made_of.summary else ""
        details = made_of.details.text(scope) if made_of.details else ""
        if row.previous is not None:
            details = f"{details}\n\nPrevious ticket of this alert: {row.previous}".strip()
        summary = " ".join((summary or f"Alert {row.uid}").split())[:SUMMARY_LENGTH]
        return {**values, "summary": summary, "details": details, "alert": row.uid, "device": row.device}

    def held(self, count: int) -> dict[str, Json]:
        """Return the field values of the ticket that reports how many alerts are held."""
        alerts = "1 alert is" if count == 1 else f"{count} alerts are"
        most = self.alerts.settings.tickets_per_hour
        return {
            "summary": f"{alerts} held: more than {most} tickets within an hour",
            "details": f"{alerts} waiting without a ticket. To create their tickets, run the sync with "
            "--release. Alerts that end before that get no ticket. This ticket is closed when no alert is "
            "waiting.",
            "user": self.alerts.default_user,
        }

    def place(self, row: Alert) -> Place:
        """Return the ids of a ticket's client, site, asset and user; those of the asset precede defaults."""
        client = self._client(row.organization)
        mapped = self._clients.get(row.organization or 0)
        chosen = mapped.default_user if mapped else None
        if client is None:
            return Place(user=chosen or self.alerts.default_user)
        asset = self._asset(row.device, client)
        if asset is not None and (asset.users or asset.site is not None):
            user = next((user for user in asset.users if self._is_active(user, client)), None)
            return Place(client, self._site_of(user, client) or asset.site, asset.id, user)
        user = self._user_in(client, chosen) or self._user_in(client, self.alerts.default_user)
        site = self._site_of(user, client) if user else self._location_site(row)
        return Place(client, site, asset.id if asset else None, user)

    def is_linked(self, device: int | None) -> bool:
        """Return whether the saved links have an asset for a device. Sends no request."""
        return device is not None and self._link("asset", device) is not None

    def _outline(self, ticket: TicketMapping) -> dict[str, Json]:
        found = {"type": ticket.type, "priority": ticket.priority, "source": ticket.source}
        return {name: value for name, value in found.items() if value is not None}

    def _category(self, row: Alert, alert: Mapping[str, Json]) -> dict[str, Json]:
        """Return the ticket's category, from the activity type, which only webhook deliveries contain."""
        name, value = self.alerts.activity_type_to, alert.get("activityType")
        return {name: value} if name and value and row.via == "event" else {}

    def rule(self, reading: AlertReading) -> str:
        """Return as text which rule applies to an alert, and whether it gets a ticket."""
        organization = self.organization_of(reading)
        if self.alerts.unmapped == "none" and self._client(organization) is None:
            return "alerts.unmapped is none, and the organization has no client: no ticket"
        number, ticket = self._rule_of(self._scope(reading.data, reading.device, organization, {}))
        if number is None:
            return "no rule applies: a ticket as in alerts.ticket"
        return f"rule {number} applies: {'a ticket with its values' if ticket else 'no ticket'}"

    def _ticket_of(self, scope: Scope) -> TicketMapping | None:
        """Return the ticket settings of an alert; None if it gets no ticket."""
        return self._rule_of(scope)[1]

    def _rule_of(self, scope: Scope) -> tuple[int | None, TicketMapping | None]:
        """Return the number and ticket settings of the first rule that applies; skip a rule that fails."""
        for number, rule in enumerate(self.alerts.rules, 1):
            try:
                if rule.condition.holds(scope):
                    return number, rule.ticket.over(self.alerts.ticket) if rule.ticket else None
            except RowError as error:
                logger.error("alerts: rule %d is skipped because its condition failed: %s", number, error)
        return None, self.alerts.ticket

    def _scope(
        self,
        alert: Mapping[str, Json],
        device: int | None,
        organization: int | None,
        ticket: Mapping[str, Json],
    ) -> Scope:
        scope: dict[str, Json] = {"alert": alert, "ticket": ticket, "device": {}, "location": {}}
        found = self._device(device) if self._uses("device") or self._uses("location") else None
        if found is not None:
            scope["device"] = found.data
        scope["organization"] = {"id": organization}
        if self._uses("organization") and organization is not None:
            listed = self._recent.get(
                "organizations", lambda: {o.id: o for o in self._source.organizations()}
            )
            scope["organization"] = (
                listed[organization].data if organization in listed else {"id": organization}
            )
        if self._uses("location") and found is not None:
            places = self._recent.get("locations", lambda: {p.id: p for p in self._source.locations()})
            scope["location"] = places[found.location].data if found.location in places else {}
        if self._uses("custom"):
            fields = self._recent.get("custom", lambda: dict(self._source.custom_fields(self._custom_names)))
            scope["custom"] = fields.get(device or 0, {})
        if self._uses("last_user"):
            users = self._recent.get("last_users", lambda: dict(self._source.last_users()))
            scope["last_user"] = users.get(device or 0)
        return Scope(scope)

    @property
    def _templates(self) -> list[Any]:
        tickets = [self.alerts.ticket, *(rule.ticket for rule in self.alerts.rules if rule.ticket)]
        texts = [text for ticket in tickets for text in (ticket.summary, ticket.details) if text is not None]
        return texts + [rule.condition for rule in self.alerts.rules]

    @property
    def _custom_names(self) -> frozenset[str]:
        return frozenset().union(*(template.members("custom") for template in self._templates))

    def _uses(self, name: str) -> bool:
        return any(template.uses(name) for template in self._templates)

    def _device(self, id: int | None) -> Device | None:
        """Return a device; None if it was deleted or may not be read."""
        if id is None:
            return None
        try:
            return self._recent.get(("device", id), lambda: self._source.device(id), DEVICE_KEPT_S)
        except ListError as error:
            if isinstance(error.__cause__, RowError) and error.__cause__.code in ("forbidden", "not_found"):
                return None
            raise

    def _link(self, entity: str, source: int) -> int | None:
        link = self._state.links(entity, [source]).get(source)
        return link.target if link else None

    def _client(self, organization: int | None) -> int | None:
        return self._link("client", organization) if organization is not None else None

    def _location_site(self, row: Alert) -> int | None:
        """Return the site of a device's location; None if the device is now in another organization."""
        found = self._device(row.device)
        if found is None or found.location is None or found.organization != row.organization:
            return None
        return self._link("site", found.location)

    def _asset(self, device: int | None, client: int) -> Asset | None:
        """Return the asset linked to a device; None if it belongs to another client."""
        linked = self._link("asset", device) if device is not None else None
        if linked is None:
            return None
        asset = self._recent.get(("asset", linked), lambda: self._target.asset(linked), DEVICE_KEPT_S)
        return asset if asset is not None and asset.client == client else None

    def _users(self, client: int) -> dict[int, User]:
        return self._recent.get(("users", client), lambda: {u.id: u for u in self._target.users(client)})

    def _is_active(self, user: int, client: int) -> bool:
        found = self._users(client).get(user)
        return found is not None and found.is_active

    def _user_in(self, client: int, user: int | None) -> int | None:
        """Return a user; None if the user belongs to another client."""
        return user if user is not None and user in self._users(client) else None

    def _site_of(self, user: int | None, client: int) -> int | None:
        found = self._users(client).get(user) if user is not None else None
        return found.site if found else None


def note_text(word: str, row: Alert) -> str:
    """Return the text of a ticket note of the kind `word`."""
    if word == "repeat":
        times = f" ({row.repeats + 1} times so far)" if row.repeats else ""
        return f"The alert was triggered again{times}."
    if word == "ended":
        return "The alert has ended."
    if word == "acknowledged":
        return "Someone has acknowledged the alert."
    return word
