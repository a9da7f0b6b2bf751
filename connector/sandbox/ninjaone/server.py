"""`Sandbox`: a local mock NinjaOne server."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from connector.sandbox.deliveries import WAYS, Arrange, Deliveries
from connector.sandbox.ninjaone.alerts import Alerts
from connector.sandbox.ninjaone.api.operations import operations
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.oauth.authorize import REFRESH_TOKEN, Authorizations
from connector.sandbox.ninjaone.oauth.client_apps import CLIENT_ID, CLIENT_SECRET, NATIVE, REDIRECT_URI, WEB
from connector.sandbox.ninjaone.oauth.tokens import Tokens
from connector.sandbox.ninjaone.service import NinjaOneService
from connector.sandbox.ninjaone.webhook import Publisher
from connector.sandbox.server import MockServer


class Sandbox(MockServer):
    """A local mock NinjaOne server with all operations in the API document (see `areas`).

        with Sandbox(devices=100, faults={"429": 0.05}) as sandbox:
            run(**sandbox.connection)

    `devices` are numbered from 1; with 10 or more the last 5 % (at least 2) await approval. The same `seed`
    gives the same data. The operations of `user_context` require a user's own token, as they do on some
    instances. The apps that sign in users redirect the browser only to `redirect_uris`. With
    `old_token_path`, tokens are also issued at `/oauth/token`. `clock` returns epoch seconds, for activities
    and alerts. `order_s` is the time that devices take for scripts, restarts, patches and services, in
    seconds; see `Orders`. For the other arguments see `MockServer`.
    """

    client_id = CLIENT_ID
    client_secret = CLIENT_SECRET
    refresh_token = REFRESH_TOKEN

    def __init__(
        self,
        *,
        port: int = 0,
        devices: int = 25,
        latency_ms: float = 0,
        seed: int = 1,
        faults: Mapping[str, float] | None = None,
        token_lifetime_s: int = 3600,
        user_context: Collection[str] = (),
        redirect_uris: Collection[str] = (REDIRECT_URI,),
        old_token_path: bool = False,
        order_s: float = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if devices < 0 or token_lifetime_s < 0 or order_s < 0:
            raise ValueError("devices, token_lifetime_s and order_s must not be negative")
        if unknown := sorted(set(user_context) - operations().keys()):
            raise ValueError(f"the API has no operation {unknown[0]}")
        self._seeded = (seed, devices, clock, order_s)
        self._queue = Deliveries(clock)
        self._publisher = Publisher(self._queue)
        self._service = NinjaOneService(
            State(*self._seeded),
            token_lifetime_s=token_lifetime_s,
            user_context=user_context,
            redirect_uris=redirect_uris,
            old_token_path=old_token_path,
        )
        self._publisher.follow(self._service.state)
        self.alerts = Alerts(lambda: self._service.state)
        super().__init__(
            self._service,
            port=port,
            latency_ms=latency_ms,
            seed=seed,
            faults=faults,
            controls={"alerts": self.alerts.control, **self._controls()},
        )

    @property
    def connection(self) -> dict[str, str]:
        """Return the arguments of a client for this server: `base_url`, `client_id`, `client_secret`."""
        return {"base_url": self.base_url, "client_id": self.client_id, "client_secret": self.client_secret}

    @property
    def hints(self) -> tuple[str, ...]:
        """Return the printed lines that explain how to sign in as a user."""
        add = f"ninjaone connection add NAME --base-url {self.base_url}"
        return (
            "or as a saved connection, signed in as a user (the sandbox grants every request):",
            f"    {add} --client-id {NATIVE.client_id} --browser",
            f"({WEB.client_id} is an app with a secret, {WEB.secret}; the redirect URI of both is "
            f"{REDIRECT_URI}.)",
        )

    @property
    def user_connection(self) -> dict[str, str]:
        """Return the arguments of a client for a user who has signed in with the web app."""
        app = {"client_id": WEB.client_id, "client_secret": WEB.secret}
        return {"base_url": self.base_url, **app, "refresh_token": self.refresh_token}

    @property
    def authorizations(self) -> Authorizations:
        """The sign-ins of users, for tests, which can set `user_refuses` and `code_lifetime_s`."""
        return self._service.authorizations

    @property
    def tokens(self) -> Tokens:
        """The valid access tokens, for tests."""
        return self._service.tokens

    @property
    def state(self) -> State:
        """The data of the account, for tests."""
        return self._service.state

    def stop(self) -> None:
        """Stop the server (see `MockServer.stop`). Queued webhooks are sent, and late ones are dropped."""
        super().stop()
        self._queue.close()

    def reset(self) -> None:
        """Restore the generated data. Tokens, faults and the log are kept."""
        self._service.state = State(*self._seeded)
        self._publisher.follow(self._service.state)

    # Methods for webhook deliveries.

    def set_delivery(self, how: str) -> None:
        """Set how activities are delivered: `once`, `doubled`, `late`, or not at all (`lost`).

        Raises ValueError for another value.
        """
        if how not in WAYS:
            raise ValueError(f"unknown kind of delivery {how!r}; the kinds are {', '.join(WAYS)}")
        self._publisher.how = how

    def deliveries(self) -> list[dict[str, Any]]:
        """Return the webhook deliveries that were sent or lost (see `Deliveries.log`)."""
        return self._queue.log()

    def wait_for_deliveries(self, count: int | None = None, timeout_s: float = 10.0) -> list[dict[str, Any]]:
        """Wait until `count` deliveries (default: all queued ones) were sent or lost; return the log.

        Raises TimeoutError. Does not wait for late deliveries, which `release` sends.
        """
        return self._queue.wait(count, timeout_s)

    def release_deliveries(self, arrange: Arrange = list) -> None:
        """Send late deliveries now; `arrange` can reorder, repeat and omit some."""
        self._queue.release(arrange)

    def _controls(self) -> dict[str, Callable[[Any], Any]]:
        def delivery(body: Any) -> None:
            self.set_delivery(body)

        return {
            "webhooks/delivery": delivery,
            "webhooks/release": lambda body: self.release_deliveries(),
            "webhooks/deliveries": lambda body: self.deliveries(),
        }
