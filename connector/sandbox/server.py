"""`MockServer`: a service, its faults and its log behind a real HTTP server on this machine's loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

from werkzeug.serving import BaseWSGIServer, make_server

from connector.sandbox.app import App
from connector.sandbox.control import ControlHandler
from connector.sandbox.faults import Faults
from connector.sandbox.request_log import LoggedRequest, RequestLog
from connector.sandbox.service import MockService
from connector.sandbox.wsgi_server import KeepAliveHandler, OpenConnections

HOST = "127.0.0.1"
SLOW_S = 2.0
"""The delay of the fault `slow`, in seconds."""
_POLL_S = 0.02
_STOP_S = 5.0

ServerT = TypeVar("ServerT", bound="MockServer")


class MockServer:
    """A server of one `service`, which starts and stops.

    `port` 0 takes a free one. `latency_ms` is added to every API response. `faults` maps names (see
    `connector.sandbox.faults`) to probabilities; the same `seed` gives the same sequence. The port is bound
    at once, so `base_url` is known before `start`; and OSError is raised if it is in use. `controls` are
    further paths below `/_sandbox/`.
    """

    def __init__(
        self,
        service: MockService,
        *,
        port: int = 0,
        latency_ms: float = 0,
        seed: int = 1,
        faults: Mapping[str, float] | None = None,
        controls: Mapping[str, ControlHandler] | None = None,
    ) -> None:
        if latency_ms < 0:
            raise ValueError("latency_ms must not be negative")
        self._app = App(
            service, Faults(faults, seed), latency_s=latency_ms / 1000, slow_s=SLOW_S, controls=controls
        )
        listener = _listen(port)
        self.port: int = listener.getsockname()[1]
        self.base_url = f"http://{HOST}:{self.port}"
        self._server: BaseWSGIServer | None = self._serve_on(listener)
        self._serving = False
        self._thread: threading.Thread | None = None

    @property
    def connection(self) -> dict[str, str]:
        """Return the settings of a connection to this server, as in a connection file."""
        return {"base_url": self.base_url}

    @classmethod
    def trap_list(cls) -> tuple[str, ...]:
        """Return a line for each trap that the argument `traps` may set; most services have none."""
        return ()

    @property
    def hints(self) -> tuple[str, ...]:
        """Return what the command prints below the connection, line by line."""
        return ()

    @property
    def slow_s(self) -> float:
        """The delay of the fault `slow`, in seconds; may be set."""
        return self._app.slow_s

    @slow_s.setter
    def slow_s(self, seconds: float) -> None:
        self._app.slow_s = seconds

    def before_response(self, act: Callable[[LoggedRequest], None]) -> None:
        """Call `act` for each API request after it is executed and before its response is sent.

        It is called in the request's thread, and the response waits for it.
        """
        self._app.before_response = act

    @property
    def log(self) -> RequestLog:
        """The received requests: `log.requests(since)` and `log.signins(since)`, as below `/_sandbox/`."""
        return self._app.log

    @property
    def connections(self) -> OpenConnections:
        """The connections that clients keep open."""
        return self._app.connections

    def set_faults(
        self, *, queue: Sequence[Any] | None = None, rates: Mapping[str, float] | None = None
    ) -> None:
        """Set the script, the rates or both, as `POST /_sandbox/faults` does. Raises ValueError."""
        wanted: dict[str, Any] = {}
        if queue is not None:
            wanted["queue"] = list(queue)
        if rates is not None:
            wanted["rates"] = dict(rates)
        self._app.control.set_faults(wanted)

    def start(self: ServerT) -> ServerT:
        """Serve in a background thread, which ends with the program. `stop` keeps the data."""
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
        """Stop and wait: responses in progress are sent, then every connection and the port are closed."""
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

    def __enter__(self: ServerT) -> ServerT:
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
        # with a socket, werkzeug neither prints nor exits if the port is in use
        with listener:
            return make_server(
                HOST,
                self.port,
                self._app,
                threaded=True,
                request_handler=KeepAliveHandler,
                fd=listener.fileno(),
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
