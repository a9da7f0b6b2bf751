"""`Sandbox`: the account, its faults and its log behind a real HTTP server on this machine's loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Collection, Mapping, Sequence
from types import TracebackType
from typing import Any

from werkzeug.serving import BaseWSGIServer, make_server

from connector.sandbox.app import App
from connector.sandbox.faults import Faults
from connector.sandbox.ninjaone.api.operations import operations
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.oauth.authorize import REFRESH_TOKEN, Authorizations
from connector.sandbox.ninjaone.oauth.client_apps import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, WEB
from connector.sandbox.ninjaone.oauth.tokens import Tokens
from connector.sandbox.request_log import RequestLog
from connector.sandbox.wsgi_server import Handler

HOST = "127.0.0.1"
SLOW_S = 2.0
"""The delay of the fault `slow`, in seconds."""
_POLL_S = 0.02
_STOP_S = 5.0


class Sandbox:
    """A NinjaOne that runs on this machine.

        with Sandbox(devices=100, faults={"429": 0.05}) as sandbox:
            run(**sandbox.connection)

    `port` 0 takes a free one. `devices` are numbered from 1; with 10 or more the last 5 % (at least 2) await
    approval. The same `seed` gives the same data and the same sequence of random faults. `latency_ms` is
    added to every API answer. `faults` maps names (see `connector.sandbox.faults`) to probabilities. The
    operations of `user_context` want a user's own token, as they do on some instances (FACTS.md D). The apps
    for users may send a browser back to `redirect_uris` alone. The port is bound at once, so `base_url` is
    known before `start`; OSError when it is taken.
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
    ) -> None:
        if devices < 0 or latency_ms < 0 or token_lifetime_s < 0:
            raise ValueError("devices, latency_ms and token_lifetime_s must not be negative")
        if unknown := sorted(set(user_context) - operations().keys()):
            raise ValueError(f"the API has no operation {unknown[0]}")
        self._seeded = (seed, devices)
        drawn = Faults(faults, seed)
        listener = _listen(port)
        self.port: int = listener.getsockname()[1]
        self.base_url = f"http://{HOST}:{self.port}"
        authorizations = Authorizations(redirect_uris)
        self._app = App(
            State(seed, devices),
            Tokens(token_lifetime_s, authorizations),
            authorizations,
            drawn,
            base_url=self.base_url,
            latency_s=latency_ms / 1000,
            slow_s=SLOW_S,
            user_context=frozenset(user_context),
        )
        self._server: BaseWSGIServer | None = self._serve_on(listener)
        self._serving = False
        self._thread: threading.Thread | None = None

    @property
    def connection(self) -> dict[str, str]:
        """What a client needs: `base_url`, `client_id`, `client_secret`."""
        return {"base_url": self.base_url, "client_id": self.client_id, "client_secret": self.client_secret}

    @property
    def user_connection(self) -> dict[str, str]:
        """What a client of a user needs who has signed in before, through the web app."""
        app = {"client_id": WEB.client_id, "client_secret": WEB.secret}
        return {"base_url": self.base_url, **app, "refresh_token": self.refresh_token}

    @property
    def authorizations(self) -> Authorizations:
        """What users have allowed, for tests: `user_refuses` and `code_lifetime_s` may be set."""
        return self._app.authorizations

    @property
    def slow_s(self) -> float:
        """The delay of the fault `slow`, in seconds; may be set."""
        return self._app.slow_s

    @slow_s.setter
    def slow_s(self, seconds: float) -> None:
        self._app.slow_s = seconds

    @property
    def log(self) -> RequestLog:
        """What was received: `log.requests(since)` and `log.signins(since)`, as under `/_sandbox/`."""
        return self._app.log

    @property
    def state(self) -> State:
        """What the account holds, for tests that look behind the API."""
        return self._app.state

    def reset(self) -> None:
        """The account as it was at the start; tokens, faults and the log stay."""
        self._app.state = State(*self._seeded)

    def set_faults(
        self, *, queue: Sequence[Any] | None = None, rates: Mapping[str, float] | None = None
    ) -> None:
        """Set the script, the rates or both, as `POST /_sandbox/faults` does; ValueError if unreadable."""
        wanted: dict[str, Any] = {}
        if queue is not None:
            wanted["queue"] = list(queue)
        if rates is not None:
            wanted["rates"] = dict(rates)
        self._app.control.set_faults(wanted)

    def start(self) -> Sandbox:
        """Serve in a background thread, which ends with the program. After `stop` the account goes on."""
        if self._thread is None:
            self._thread = threading.Thread(target=self.serve_forever, name="sandbox", daemon=True)
            self._prepare()
            self._thread.start()
        return self

    def serve_forever(self) -> None:
        """Serve in this thread until `stop` is called from another one, or Ctrl-C."""
        server = self._prepare()
        server.serve_forever(_POLL_S)

    def stop(self) -> None:
        """Stop and wait: answers under way are sent, then every connection and the port are closed."""
        self._app.stopping.set()
        self._app.faults.release()
        if self._server is not None:
            if self._serving:
                self._server.shutdown()
            self._server.server_close()
        self._app.connections.end_all(_STOP_S)
        if self._thread is not None:
            self._thread.join(_STOP_S)
        self._server, self._thread, self._serving = None, None, False

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _prepare(self) -> BaseWSGIServer:
        if self._server is None:
            self._server = self._serve_on(_listen(self.port))
        self._serving = True
        self._app.stopping.clear()
        self._app.connections.begin()
        return self._server

    def _serve_on(self, listener: socket.socket) -> BaseWSGIServer:
        # given a socket, werkzeug neither prints nor exits when the port is taken
        with listener:
            return make_server(
                HOST, self.port, self._app, threaded=True, request_handler=Handler, fd=listener.fileno()
            )


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
