"""The data of the sandbox, with a lock that is held until a response has been encoded."""

from __future__ import annotations

import copy
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from connector.sandbox.multipart import MultipartPart
from connector.sandbox.ninjaone.data import seed as invented
from connector.sandbox.ninjaone.data.fleet import Facts, Fleet
from connector.sandbox.ninjaone.data.orders import Orders
from connector.sandbox.ninjaone.data.seed import JSON, uid
from connector.sandbox.ninjaone.errors import not_found

KEPT_ACTIVITIES = 50_000
"""The maximum number of activities; the oldest ones are deleted first."""
MANY = 500
"""The maximum number of generated alerts and of generated tickets, even with more devices."""


@dataclass
class Snapshot:
    """A snapshot of rows to be read page by page.

    `show` converts an item of `rows` to the row that is sent.
    """

    operation: str
    rows: Sequence[Any]
    show: Callable[[Any], JSON]
    expires: float
    offset: int = 0


class State:
    """The account's data, generated from a seed and changed by requests.

    `clock` returns epoch seconds; activities and log entries have its times. `notify` is called with each new
    activity. `order_s` is the duration of the work of devices, in seconds; see `Orders`.
    """

    def __init__(
        self, seed: int, devices: int, clock: Callable[[], float] = time.time, order_s: float = 0
    ) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.orders = Orders(clock, order_s)
        self.notify: Callable[[JSON], None] = lambda activity: None
        self.seed = seed
        self.roles = {role["id"]: role for role in invented.roles()}
        self.policies = {policy["id"]: policy for policy in invented.policies()}
        self.organizations: dict[int, JSON] = {}
        self.locations: dict[int, JSON] = {}
        self.custom_fields: dict[tuple[str, int], JSON] = {}
        self.system_fields: JSON = {}
        for organization in invented.organizations(seed, devices):
            self._seed_organization(organization)
        self.fleet = Fleet(
            seed,
            devices,
            [[place["id"] for place in self.locations_of(number)] for number in self.organizations],
        )
        self.fleet.keep_unmanaged(301)
        self._seed_people_and_tickets()
        self.alerts = {alert["uid"]: alert for alert in self._seed_alerts()}
        self.scan_groups = {group["id"]: group for group in invented.scan_groups()}
        self.activities: deque[JSON] = deque(maxlen=KEPT_ACTIVITIES)
        self._activity_ids = itertools.count(10_001)
        self._fresh = itertools.count(1)
        self.snapshots: dict[str, Snapshot] = {}
        self.field_times: dict[tuple[str, int, str], float] = {}
        self.files: dict[str, MultipartPart] = {}
        self.webhook: JSON | None = None
        self.store: dict[str, dict[Any, JSON]] = {}
        self._numbers: dict[str, itertools.count[int]] = {}
        self._seed_activities()

    def _seed_organization(self, organization: JSON) -> None:
        for location in organization.pop("locations"):
            self.locations[location["id"]] = location | {"organizationId": organization["id"]}
        self.organizations[organization["id"]] = organization | {
            "policies": invented.default_assignments(),
            "settings": copy.deepcopy(invented.SETTINGS),
        }

    def _seed_people_and_tickets(self) -> None:
        people = invented.users(self.seed, list(self.organizations))
        self.users = {user["id"]: user for user in people}
        self.user_roles = {role["id"]: role for role in invented.user_roles(people)}
        count = min(self.fleet.count, MANY)
        tickets = invented.tickets(
            self.seed, count, people, lambda number: self.fleet.facts(number).organization_id
        )
        self.tickets = {ticket["id"]: ticket for ticket in tickets}
        self.ticket_logs: dict[int, list[JSON]] = {}
        self._log_entry_ids = itertools.count(90_001)
        for ticket in tickets:
            self.log_entry(
                ticket, people[0], "DESCRIPTION", ticket["createTime"], body="As described on the phone."
            )

    def _seed_alerts(self) -> list[JSON]:
        causes = (
            ("CONDITION_AGENT_DISK_FREE_SPACE", "Disk space below 10 %", "MAJOR", "HIGH", "UNHEALTHY"),
            ("CONDITION_AGENT_CPU", "Processor above 90 %", "MODERATE", "MEDIUM", "NEEDS_ATTENTION"),
            ("AGENT_OFFLINE", "Device is offline", "MINOR", "LOW", "NEEDS_ATTENTION"),
        )
        alerts = []
        for number, device_id in enumerate(itertools.islice(range(1, self.fleet.count + 1, 4), MANY)):
            source, message, severity, priority, health = causes[number % len(causes)]
            alerts.append(
                {
                    "uid": uid(self.seed, 13, device_id),
                    "deviceId": device_id,
                    "message": message,
                    "createTime": invented.EPOCH - 600.5 * (number + 1),
                    "updateTime": invented.EPOCH - 300.5 * (number + 1),
                    "sourceType": source,
                    "sourceConfigUid": uid(self.seed, 14, number % len(causes)),
                    "sourceName": message,
                    "subject": message,
                    "data": {"message": {"code": source.lower(), "params": {}}},
                    "severity": severity,
                    "priority": priority,
                    "conditionName": message,
                    "conditionHealthStatus": health,
                    "useGlobalHealthStatus": False,
                }
            )
        return alerts

    def _seed_activities(self) -> None:
        for alert in reversed(self.alerts.values()):
            self.record(
                "CONDITION", "TRIGGERED", alert["message"], device_id=alert["deviceId"],
                at=alert["createTime"], seriesUid=alert["uid"], sourceConfigUid=alert["sourceConfigUid"],
                sourceName=alert["sourceName"], severity=alert["severity"], priority=alert["priority"],
            )  # fmt: skip
        self.record("SYSTEM", "APP_USER_LOGGED_IN", "Technician logged in", at=invented.EPOCH, userId=1)

    # Methods that return a record or raise HttpError 404.

    def organization(self, organization_id: int) -> JSON:
        """Return an organization as it is stored: its own fields, `policies` and `settings`."""
        return _get(self.organizations, organization_id, "organization")

    def location(self, organization_id: int, location_id: int) -> JSON:
        """Return a location of an organization. Raises HttpError 404."""
        self.organization(organization_id)
        found = _get(self.locations, location_id, "location")
        if found["organizationId"] != organization_id:
            raise not_found("location")
        return found

    def any_location(self, location_id: int) -> JSON:
        """Return a location, whatever its organization. Raises HttpError 404."""
        return _get(self.locations, location_id, "location")

    def locations_of(self, organization_id: int) -> list[JSON]:
        """Return an organization's locations in ascending order of id."""
        return [place for place in self.locations.values() if place["organizationId"] == organization_id]

    def role(self, role_id: int) -> JSON:
        """Return a device role. Raises HttpError 404."""
        return _get(self.roles, role_id, "node_role")

    def policy(self, policy_id: int) -> JSON:
        """Return a policy. Raises HttpError 404."""
        return _get(self.policies, policy_id, "policy")

    def user_by_uid(self, user_uid: str) -> JSON:
        """Return the user with this uid. Raises HttpError 404."""
        return _get({user["uid"]: user for user in self.users.values()}, user_uid.lower(), "user")

    def author(self) -> JSON:
        """Return the user of API requests, which is the first one."""
        return next(iter(self.users.values()))

    def device(self, device_id: int) -> Facts:
        """Return the properties of a device that filters test. Raises HttpError 404."""
        return self.fleet.facts(self.fleet.require(device_id))

    def ticket(self, ticket_id: int) -> JSON:
        """Return a ticket. Raises HttpError 404."""
        return _get(self.tickets, ticket_id, "ticket")

    # Methods that return records in the format of responses.

    def node(self, facts: Facts, details: bool = False) -> JSON:
        """Return a device as in lists, or with `details` as from `getDevice`; with the policy of its role."""
        node = self.fleet.details(facts) if details else self.fleet.node(facts)
        for assignment in self.organizations[facts.organization_id]["policies"]:
            if assignment["nodeRoleId"] == facts.role_id:
                node["rolePolicyId"] = assignment["policyId"]
        return node

    # Methods that add log entries and create ids.

    def record(
        self,
        kind: str,
        code: str,
        message: str,
        *,
        device_id: int | None = None,
        at: float | None = None,
        **more: Any,
    ) -> JSON:
        """Add an activity: `kind` is its `activityType`, `code` its `statusCode`; `more` has other fields."""
        activity: JSON = {
            "id": next(self._activity_ids),
            "activityTime": self.clock() if at is None else at,
            "activityType": kind,
            "statusCode": code,
            "status": code.replace("_", " ").capitalize(),
            "type": kind.replace("_", " ").capitalize(),
            "message": message,
        }
        if device_id is not None:
            activity["deviceId"] = device_id
        activity |= {name: value for name, value in more.items() if value is not None}
        self.activities.append(activity)
        self.notify(activity)
        return activity

    def log_entry(self, ticket: JSON, author: JSON, kind: str, at: float | None = None, **more: Any) -> JSON:
        """Add a ticket log entry (`TicketLogEntryPublicApiDTO`) of type `kind`."""
        entry: JSON = {
            "id": next(self._log_entry_ids),
            "appUserContactUid": author["uid"],
            "appUserContactId": author["id"],
            "appUserContactType": author["userType"],
            "type": kind,
            "publicEntry": True,
            "system": False,
            "createTime": self.clock() if at is None else at,
            "timeTracked": 0,
            "technicianTagged": [],
            "blockedByInvoice": False,
            "emailResponse": False,
        } | {name: value for name, value in more.items() if value is not None}
        self.ticket_logs.setdefault(ticket["id"], []).append(entry)
        return entry

    def next_number(self, name: str, first: int) -> int:
        """Return an unused number for a kind of record; the first one is `first`."""
        return next(self._numbers.setdefault(name, itertools.count(first)))

    def fresh_uid(self) -> str:
        """Return a new uid for something that a request creates."""
        return uid(self.seed, 15, next(self._fresh))


def _get(entities: dict[Any, JSON], key: Any, name: str) -> JSON:
    if key not in entities:
        raise not_found(name)
    return entities[key]
