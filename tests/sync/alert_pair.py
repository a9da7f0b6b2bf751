"""Both sandboxes with a receiver and the alert driver between them, over HTTP, by a clock of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from connector.common.clock import SystemClock
from connector.sync.alert_driver import AlertDriver
from connector.sync.hook_key import HookKey
from connector.sync.mapping_file import load_mapping
from connector.sync.receiver import Receiver, Store, listen
from connector.sync.state import Link, State
from connector.sync.webhooks import Hook, load_hooks, readers
from tests.sync.pair import Pair

START = 1_780_000_000.0
ALERTS: dict[str, Any] = {
    "ticket": {
        "type": 25,
        "summary": "{{ alert.subject or alert.message }}",
        "details": "{{ alert.message }}",
        "priority": 3,
        "source": 12,
    },
    "default_user": 3002,
    "stamp": "CFNinjaAlert",
}


class OurClock(SystemClock):
    """The system's clock with another time of day."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self.now = now  # type: ignore[method-assign]


class AlertPair(Pair):
    """A pair whose first organization and device are linked, and whose first list of alerts was applied.

    `more` goes into the alerts of the mapping; with `webhooks` False nothing is registered. Our clock is
    `clock_ahead_s` ahead of those of the services.
    """

    def __init__(
        self,
        folder: Path,
        *,
        traps: Mapping[str, str] | None = None,
        webhooks: bool = True,
        first_poll: bool = True,
        clock_ahead_s: float = 0.0,
        ninja: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        self.now, self._ahead = START, clock_ahead_s
        self.webhooks, self.first_poll, self.more = webhooks, first_poll, more
        known = {"rate_limit": "none", **(traps or {})}
        ninja = {"clock": self.clock, **(ninja or {})}
        super().__init__(folder, traps=known, tickets=0, clock=self.clock, ninja=ninja)

    def clock(self) -> float:
        """The clock of both services."""
        return self.now

    def our_clock(self) -> float:
        """The clock of the machine that the sync is on."""
        return self.now + self._ahead

    def __enter__(self) -> AlertPair:
        super().__enter__()
        self.map(
            clients={"map": [{"organization": 1, "client": 11}]},
            alerts={name: v for name, v in {**ALERTS, **self.more}.items() if v is not None},
        )
        self.start()
        self.state.save_link(Link("client", 1, 11, "map"))
        self._listen()
        if self.webhooks:
            self.register()
        if self.first_poll:
            self.driver.poll()
        return self

    def start(self) -> None:
        """Open the state and start a driver, as a new process does."""
        source, target = self.sides()
        for side in (source, target):
            side.calls.client._clock = OurClock(self.our_clock)
        self.hooks: dict[str, Hook] = load_hooks(source, target)
        self.state = State(self.folder, write=True, now=self.now)
        mapping = load_mapping(self.folder / "mapping.yaml")
        hooks = readers(self.hooks)
        self.driver = AlertDriver(self.state, source, target, mapping, self.our_clock, hooks)
        self.driver.start()

    def start_again(self) -> None:
        """Let another process go on."""
        self.state.close()
        self.start()

    def _listen(self) -> None:
        key = HookKey.of(self.folder)
        self.store = Store(self.folder)
        secrets = {name: key.secrets_of(name) for name in self.hooks}
        self._server = listen(Receiver(self.store, secrets, self.clock), "127.0.0.1", 0)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        self.base = f"http://127.0.0.1:{self._server.effective_port}"

    def register(self) -> None:
        """Register both webhooks."""
        for hook in self.hooks.values():
            assert hook.register(self.base, HookKey.of(self.folder)) is None

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._server.close()
        self._thread.join(10)
        self.store.close()
        self.state.close()

    def end_threads(self) -> None:
        """End the receiver's threads, which keep what they have used until the process ends."""
        self._server._server.task_dispatcher.shutdown()

    # What happens.

    def fire(self, device: int = 1, **fields: Any) -> str:
        """Raise an alert and return its uid."""
        self.now += 20
        uid: str = self.ninja.alerts.trigger(device, **fields)["uid"]
        return uid

    def heal(self, uid: str) -> None:
        self.now += 20
        self.ninja.alerts.reset(uid)

    def delivered(self) -> None:
        """Apply all deliveries, and those that they lead to."""
        for _ in range(3):
            self.ninja.wait_for_deliveries()
            self.halo.wait_for_deliveries()
            self.driver.work()

    def poll(self, seconds: float = 600.0) -> None:
        self.now += seconds
        self.driver.work()
        self.driver.poll()

    # What is seen.

    def tickets(self) -> list[dict[str, Any]]:
        return [ticket for ticket in self.halo.state.tickets.values() if not ticket["deleted"]]

    def ticket(self) -> dict[str, Any]:
        (found,) = self.tickets()
        return found

    def is_closed(self, ticket: Mapping[str, Any]) -> bool:
        return ticket["hasbeenclosed"] is True

    def state_of(self, uid: str) -> str:
        row = self.driver.rows.latest(uid)
        return row.state if row else ""
