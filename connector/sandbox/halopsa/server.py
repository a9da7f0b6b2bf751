"""`HaloSandbox`: a local mock HaloPSA server."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from connector.sandbox.deliveries import Arrange, Deliveries
from connector.sandbox.halopsa.agent import Agent
from connector.sandbox.halopsa.areas.instance import TENANT
from connector.sandbox.halopsa.data.state import State
from connector.sandbox.halopsa.data.tickets import seed_tickets
from connector.sandbox.halopsa.service import HaloService
from connector.sandbox.halopsa.tokens import CLIENT_ID, CLIENT_SECRET
from connector.sandbox.halopsa.traps import Traps, describe_traps
from connector.sandbox.halopsa.webhooks import Publisher
from connector.sandbox.invented import company_count
from connector.sandbox.server import MockServer


class HaloSandbox(MockServer):
    """A local mock HaloPSA server with the operations that a sync needs (see `areas`).

        with HaloSandbox(assets=120, traps={"page_cap": "ignored"}) as sandbox:
            run(**sandbox.connection)

    Client n and asset n are the nth company and the nth device of `connector.sandbox.invented`; other
    sandboxes with the same `seed` have the same ones. The default of `clients` depends on the number of
    assets; the first clients have the `tickets`. `traps` are those of `connector.sandbox.halopsa.traps`.
    `clock` returns epoch seconds; times of tickets, the rate limit and late webhooks use it. For the other
    arguments see `MockServer`.
    """

    client_id = CLIENT_ID
    client_secret = CLIENT_SECRET
    tenant = TENANT

    def __init__(
        self,
        *,
        port: int = 0,
        assets: int = 25,
        clients: int | None = None,
        tickets: int = 3,
        latency_ms: float = 0,
        seed: int = 1,
        faults: Mapping[str, float] | None = None,
        traps: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        token_lifetime_s: int = 3600,
    ) -> None:
        if min(assets, tickets, token_lifetime_s, clients or 0) < 0:
            raise ValueError("assets, clients, tickets and token_lifetime_s must not be negative")
        self.traps = Traps(traps)
        self._tickets = tickets
        self._seeded = (seed, assets, company_count(assets) if clients is None else clients)
        self._clock = clock
        self._service = HaloService(self._new_state(), token_lifetime_s=token_lifetime_s, clock=clock)
        self.agent = Agent(lambda: self._service.state)
        self._queue = Deliveries(clock)
        self._publisher = Publisher(self.state, self._queue)
        super().__init__(
            self._service,
            port=port,
            latency_ms=latency_ms,
            seed=seed,
            faults=faults,
            controls={**self.agent.controls(), **self._controls()},
        )

    def _new_state(self) -> State:
        state = State(*self._seeded, self.traps, self._clock)
        seed_tickets(state, self._tickets)
        return state

    @property
    def connection(self) -> dict[str, str]:
        """Return the settings of a connection to this server, as in a connection file."""
        app = {"client_id": self.client_id, "client_secret": self.client_secret}
        return {"service": "halopsa", "base_url": self.base_url, **app, "tenant": self.tenant}

    @classmethod
    def trap_list(cls) -> tuple[str, ...]:
        """Return a line for each trap (see `traps`) with its possible values, the default first."""
        return describe_traps()

    @property
    def hints(self) -> tuple[str, ...]:
        """Return the printed lines that explain how to act as an agent."""
        example = f"""curl -X POST {self.base_url}/_sandbox/agent/close -d '{{"ticket": 2001}}'"""
        return ("To close a ticket as an agent while the sandbox runs:", f"    {example}")

    @property
    def state(self) -> State:
        """The data of the instance, for tests."""
        return self._service.state

    def set_trap(self, name: str, value: str) -> None:
        """Set a trap (see `traps`). Raises ValueError if the name or value is unknown."""
        self.traps.set(name, value)

    def drop_tokens(self) -> None:
        """Invalidate all access tokens, as if they had expired."""
        self._service.tokens.drop_all()

    def stop(self) -> None:
        """Stop the server (see `MockServer.stop`). Queued webhooks are sent, and late ones are dropped."""
        super().stop()
        self._queue.close()

    def reset(self) -> None:
        """Restore the generated data. Tokens, traps, faults and the log are kept."""
        self._service.state = self._new_state()
        self._publisher = Publisher(self.state, self._queue)

    # Methods for webhook deliveries.

    def deliveries(self) -> list[dict[str, Any]]:
        """Return the webhook deliveries that were sent or lost (see `Deliveries.log`)."""
        return self._queue.log()

    def wait_for_deliveries(self, count: int | None = None, timeout_s: float = 10.0) -> list[dict[str, Any]]:
        """Wait until `count` deliveries (default: all queued ones) were sent or lost; return the log.

        Raises TimeoutError. Does not wait for late deliveries and incomplete batches, which `release` sends.
        """
        return self._queue.wait(count, timeout_s)

    def release_deliveries(self, arrange: Arrange = list) -> None:
        """Send late deliveries and incomplete batches now; `arrange` can reorder, repeat and omit some."""
        with self.state.lock:
            self._publisher.flush()
        self._queue.release(arrange)

    def _controls(self) -> dict[str, Callable[[Any], Any]]:
        """Return the handlers of `POST /_sandbox/NAME`, other than those of the agent."""

        def traps(body: Any) -> dict[str, str]:
            """Set the traps to the values in an object, all or none; return the values of all traps."""
            if not isinstance(body or {}, dict):
                raise ValueError('expected an object, such as {"closing": "refused"}')
            Traps(body)
            for name, value in (body or {}).items():
                self.set_trap(name, value)
            return self.traps.describe()

        return {
            "traps": traps,
            "webhooks/release": lambda body: self.release_deliveries(),
            "webhooks/deliveries": lambda body: self.deliveries(),
        }


Sandbox = HaloSandbox
"""The name under which `connector.sandbox.services` finds the class."""
