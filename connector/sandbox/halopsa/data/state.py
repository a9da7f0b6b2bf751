"""The data of the sandbox, with a lock that is held until a response has been encoded."""

from __future__ import annotations

import copy
import itertools
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from connector.sandbox.halopsa.data import seed as invented
from connector.sandbox.halopsa.data.assets import Assets
from connector.sandbox.halopsa.errors import not_found
from connector.sandbox.halopsa.traps import Traps
from connector.sandbox.invented import JSON, uid

Records = dict[int, JSON]
Notify = Callable[[str, JSON], None]


class State:
    """The account's data, generated from a seed and changed by requests.

    `clock` returns epoch seconds. `notify` is called with the name of an event and its ticket. The functions
    in `after` are called once the response of the current request is created. `warnings` has texts for the
    next response about a ticket, keyed by ticket id.
    """

    def __init__(
        self, seed: int, assets: int, clients: int, traps: Traps, clock: Callable[[], float] = time.time
    ) -> None:
        self.lock = threading.RLock()
        self.seed = seed
        self.traps = traps
        self.clock = clock
        self.notify: Notify = lambda event, ticket: None
        self.top_levels = _by_id(invented.TOP_LEVELS)
        self.asset_groups = _by_id(invented.ASSET_GROUPS)
        self.asset_types = _by_id(invented.ASSET_TYPES)
        self.fields = _by_id(invented.FIELDS)
        self.custom_fields = _by_id(invented.CUSTOM_FIELDS)
        self.statuses = _by_id(invented.STATUSES)
        self.ticket_types = _by_id(invented.TICKET_TYPES)
        self.outcomes = _by_id(invented.OUTCOMES)
        self.priorities = copy.deepcopy(invented.PRIORITIES)
        self.clients: Records = {}
        self.sites: Records = {}
        self.users: Records = {}
        self.tickets: Records = {}
        self.actions: Records = {}
        self.licenses: Records = {}
        self.webhooks: dict[str, JSON] = {}
        self.webhook_events: list[JSON] = []
        self.custom_values: dict[tuple[str, int], JSON] = {}
        self.warnings: dict[int, str] = {}
        self.after: list[Callable[[], Any]] = []
        self.closed_status = invented.CLOSED_STATUS
        self._numbers: dict[str, itertools.count[int]] = {}
        self._seed_clients(clients)
        self.first_client = next(iter(self.clients), 0)
        sites = [[site["id"] for site in self.sites_of(number)] for number in self.clients]
        self.assets = Assets(seed, assets, sites, linked=traps.is_on("integration", "on"))

    def _seed_clients(self, count: int) -> None:
        linked = self.traps.is_on("integration", "on")
        for number, client in enumerate(invented.clients(self.seed, count), 1):
            names = client.pop("site_names")
            client["ninjarmmid"] = number if linked else 0
            self.clients[client["id"]] = client
            for name in names:
                site_id = invented.SITES_FROM + len(self.sites)
                self.sites[site_id] = {
                    "id": site_id,
                    "name": name,
                    "client_id": client["id"],
                    "inactive": False,
                    "ninjarmmid": len(self.sites) + 1 if linked else 0,
                }
                client.setdefault("main_site_id", site_id)
            for user in invented.users(self.seed, number, client["main_site_id"]):
                self.users[user["id"]] = user

    # Methods that return a record or raise HttpError 404.

    def client(self, client_id: Any) -> JSON:
        """Return a client. Raises HttpError 404."""
        return _get(self.clients, client_id, "Client")

    def site(self, site_id: Any) -> JSON:
        """Return a site. Raises HttpError 404."""
        return _get(self.sites, site_id, "Site")

    def user(self, user_id: Any) -> JSON:
        """Return a user. Raises HttpError 404."""
        return _get(self.users, user_id, "User")

    def ticket(self, ticket_id: Any) -> JSON:
        """Return a ticket, even a deleted one. Raises HttpError 404."""
        return _get(self.tickets, ticket_id, "Ticket")

    def sites_of(self, client_id: int) -> list[JSON]:
        """Return a client's sites in ascending order of id."""
        return [site for site in self.sites.values() if site["client_id"] == client_id]

    def client_of_user(self, user: JSON) -> int:
        """Return the id of a user's client, or 0 if the user has none."""
        site = self.sites.get(int(user.get("site_id") or 0))
        return int(site["client_id"]) if site else 0

    def is_closed(self, status_id: Any) -> bool:
        """Return whether a status means that a ticket is closed."""
        return bool(self.statuses.get(status_id, {}).get("closed"))

    def custom_of(self, entity: str) -> list[JSON]:
        """Return the custom fields of a kind of record: `asset`, `client`, `site`, `ticket` or `user`."""
        return [field for field in self.custom_fields.values() if field["entity"] == entity]

    # Methods for the permissions of the agent.

    def sees_client(self, client_id: int) -> bool:
        """Return whether the agent is allowed to see records of this client."""
        limited = self.traps["agent_sees"] in ("one_client", "one_client_404")
        return not limited or client_id == self.first_client

    def sees_type(self, type_id: int) -> bool:
        """Return whether the agent is allowed to see assets of this type."""
        return not (self.traps["agent_sees"] == "some_types" and type_id in invented.HIDDEN_TYPES)

    def sees_field(self, field_id: int) -> bool:
        """Return whether the agent is allowed to see this field of assets."""
        return not (self.traps["agent_sees"] == "some_fields" and field_id in invented.HIDDEN_FIELDS)

    # Methods for times and ids.

    def time(self, seconds: float | None) -> str | None:
        """Return epoch seconds as in responses: ISO 8601 with milliseconds, in UTC.

        The text ends in `Z` only with `times=zoned` (see `traps`).
        """
        if seconds is None:
            return None
        text = datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
        zone = "Z" if self.traps.is_on("times", "zoned") else ""
        return text.removesuffix("+00:00") + zone

    def run_after(self) -> None:
        """Call the functions in `after`, and remove them."""
        with self.lock:
            waiting, self.after = self.after, []
            for act in waiting:
                act()

    def next_number(self, name: str, known: Records, first: int = 1) -> int:
        """Return an unused id for a new record, which is higher than all others."""
        counter = self._numbers.setdefault(name, itertools.count(max(known, default=first - 1) + 1))
        return next(number for number in counter if number not in known)

    def new_guid(self) -> str:
        """Return a new UUID for something that a request creates."""
        return uid(self.seed, 17, next(self._numbers.setdefault("guid", itertools.count(1))))


def _by_id(entries: list[JSON]) -> Records:
    return {entry["id"]: copy.deepcopy(entry) for entry in entries}


def _get(entries: Records, key: Any, name: str) -> JSON:
    if key not in entries:
        raise not_found(name, key)
    return entries[key]
