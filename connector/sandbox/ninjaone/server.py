"""`Sandbox`: a local mock NinjaOne server."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from connector.sandbox.ninjaone.api.operations import operations
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.oauth.authorize import REFRESH_TOKEN, Authorizations
from connector.sandbox.ninjaone.oauth.client_apps import CLIENT_ID, CLIENT_SECRET, NATIVE, REDIRECT_URI, WEB
from connector.sandbox.ninjaone.oauth.tokens import Tokens
from connector.sandbox.ninjaone.service import NinjaOneService
from connector.sandbox.server import MockServer


class Sandbox(MockServer):
    """A local mock NinjaOne server with every published operation (see `areas`).

        with Sandbox(devices=100, faults={"429": 0.05}) as sandbox:
            run(**sandbox.connection)

    `devices` are numbered from 1; with 10 or more the last 5 % (at least 2) await approval. The same `seed`
    gives the same data. The operations of `user_context` require a user's own token, as they do on some
    instances. The apps for users redirect the browser to `redirect_uris` only. With
    `old_token_path`, tokens are also issued at `/oauth/token`. For the other arguments see `MockServer`.
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
    ) -> None:
        if devices < 0 or token_lifetime_s < 0:
            raise ValueError("devices and token_lifetime_s must not be negative")
        if unknown := sorted(set(user_context) - operations().keys()):
            raise ValueError(f"the API has no operation {unknown[0]}")
        self._seeded = (seed, devices)
        self._service = NinjaOneService(
            State(seed, devices),
            token_lifetime_s=token_lifetime_s,
            user_context=user_context,
            redirect_uris=redirect_uris,
            old_token_path=old_token_path,
        )
        super().__init__(self._service, port=port, latency_ms=latency_ms, seed=seed, faults=faults)

    @property
    def connection(self) -> dict[str, str]:
        """Return what a client needs: `base_url`, `client_id`, `client_secret`."""
        return {"base_url": self.base_url, "client_id": self.client_id, "client_secret": self.client_secret}

    @property
    def hints(self) -> tuple[str, ...]:
        """Return how to sign in as a user."""
        add = f"ninjaone connection add NAME --base-url {self.base_url}"
        return (
            "or as a saved connection, signed in as a user (the sandbox grants every request):",
            f"    {add} --client-id {NATIVE.client_id} --browser",
            f"({WEB.client_id} is an app with a secret, {WEB.secret}; the redirect URI of both is "
            f"{REDIRECT_URI}.)",
        )

    @property
    def user_connection(self) -> dict[str, str]:
        """Return what a client needs to act for a user who has signed in through the web app."""
        app = {"client_id": WEB.client_id, "client_secret": WEB.secret}
        return {"base_url": self.base_url, **app, "refresh_token": self.refresh_token}

    @property
    def authorizations(self) -> Authorizations:
        """The grants of users, for tests: `user_refuses` and `code_lifetime_s` may be set."""
        return self._service.authorizations

    @property
    def tokens(self) -> Tokens:
        """The valid tokens, for tests."""
        return self._service.tokens

    @property
    def state(self) -> State:
        """The state of the account, for tests."""
        return self._service.state

    def reset(self) -> None:
        """Reset the account's data; tokens, faults and the log are kept."""
        self._service.state = State(*self._seeded)
