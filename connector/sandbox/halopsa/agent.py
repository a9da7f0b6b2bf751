"""Simulates what agents of a service desk do, by Python methods and below `/_sandbox/agent/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connector.sandbox.errors import HttpError
from connector.sandbox.halopsa.api.bodies import known_values
from connector.sandbox.halopsa.areas.tickets import delete
from connector.sandbox.halopsa.data.seed import CLOSED_STATUS, REOPENED_STATUS
from connector.sandbox.halopsa.data.state import State
from connector.sandbox.halopsa.data.tickets import change_status, note
from connector.sandbox.invented import JSON

Act = Callable[..., Any]
_ARRAYS = ("fields", "customfields", "users", "software")


class Agent:
    """An agent of the service desk with all permissions. The traps (see `traps`) do not affect it.

    The methods raise ValueError if a record does not exist.
    """

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state

    def close(self, ticket: int, status: int = CLOSED_STATUS) -> None:
        """Close a ticket."""
        self.set_status(ticket, status)

    def reopen(self, ticket: int, status: int = REOPENED_STATUS) -> None:
        """Reopen a closed ticket."""
        self.set_status(ticket, status)

    def set_status(self, ticket: int, status: int) -> None:
        """Set the status of a ticket."""
        state = self._state()
        with state.lock:
            if status not in state.statuses:
                raise ValueError(f"there is no status {status}")
            change_status(state, self._ticket(ticket), status, forced=True)

    def merge(self, ticket: int, into: int) -> None:
        """Merge a ticket into another ticket, and close it."""
        state = self._state()
        with state.lock:
            merged, target = self._ticket(ticket), self._ticket(into)
            if merged is target:
                raise ValueError("a ticket cannot be merged into itself")
            merged["merged_into_id"] = target["id"]
            change_status(state, merged, state.closed_status, forced=True)
            note(state, target["id"], f"Ticket {ticket} was merged into this one", outcome_id=0)
            state.notify("Ticket Merged", merged)

    def delete(self, ticket: int) -> None:
        """Delete a ticket."""
        with self._state().lock:
            delete(self._state(), self._ticket(ticket))

    def note(self, ticket: int, text: str) -> None:
        """Add an internal note to a ticket."""
        state = self._state()
        with state.lock:
            note(state, self._ticket(ticket)["id"], text, outcome_id=7)
            state.notify("Action Added", state.tickets[ticket])

    def asset(self, asset: int, *, fields: Mapping[Any, Any] | None = None, **values: Any) -> None:
        """Change an asset. `fields` has values of fields, keyed by field id; other arguments are members."""
        state = self._state()
        with state.lock:
            if not state.assets.exists(asset):
                raise ValueError(f"there is no asset {asset}")
            known = known_values(values, "Device", without=_ARRAYS)
            if unknown := sorted(set(values) - set(known)):
                raise ValueError(f"an asset has no member {unknown[0]!r} that can be set this way")
            if values.get("site_id"):
                known["client_id"] = state.site(values["site_id"])["client_id"]
            state.assets.set_values(asset, known)
            state.assets.set_fields(asset, {int(key): str(value) for key, value in (fields or {}).items()})

    def delete_asset(self, asset: int) -> None:
        """Delete an asset."""
        state = self._state()
        with state.lock:
            if not state.assets.exists(asset):
                raise ValueError(f"there is no asset {asset}")
            state.assets.remove(asset)

    def client(self, client: int, **values: Any) -> None:
        """Set members of a client, such as `name` or `inactive`."""
        state = self._state()
        with state.lock:
            state.client(client).update(known_values(values, "Area", without=_ARRAYS))

    def _ticket(self, number: int) -> JSON:
        ticket = self._state().tickets.get(number)
        if ticket is None:
            raise ValueError(f"there is no ticket {number}")
        return ticket

    def controls(self) -> dict[str, Callable[[Any], Any]]:
        """Return a handler of `POST /_sandbox/agent/NAME` for each method.

        The JSON body of the request has the arguments of the method.
        """
        names = (
            "close",
            "reopen",
            "set_status",
            "merge",
            "delete",
            "note",
            "asset",
            "delete_asset",
            "client",
        )
        return {f"agent/{name}": _handler(name, getattr(self, name)) for name in names}


def _handler(name: str, act: Act) -> Callable[[Any], Any]:
    def handle(body: Any) -> None:
        if not isinstance(body, dict):
            raise ValueError(f'agent/{name} requires a JSON object, such as {{"ticket": 2001}}')
        try:
            act(**body)
        except TypeError as error:
            raise ValueError(f"agent/{name}: {error}") from None
        except HttpError as error:
            raise ValueError(f"agent/{name}: {(error.body or {}).get('Message', error)}") from None

    return handle
