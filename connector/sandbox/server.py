"""`MockServer`: an HTTP server on the loopback interface, with a simulated service, faults and a log."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

from werkzeug.serving import BaseWSGIServer, make_server

from connector.common.listening import LOOPBACK, bound, netloc
from connector.sandbox.app import App
from connector.sandbox.control import ControlHandler
from connector.sandbox.faults import Faults
from connector.sandbox.request_log import LoggedRequest, RequestLog
from connector.sandbox.service import MockService
from connector.sandbox.wsgi_server import KeepAliveHandler, OpenConnections

SLOW_S = 2.0
"""The delay of the fault `slow`, in seconds."""
_POLL_S = 0.02
_STOP_S = 5.0

ServerT = TypeVar("ServerT", bound="MockServer")


class MockServer:
    """A server for one `service`, which can be started and stopped.

    `port` 0 selects a free port. `latency_ms` is added to every API response. `faults` maps names of faults
    (see `connector.sandbox.faults`) to probabilities; the same `seed` gives the same sequence. The port is
    bound immediately: `base_url` is known before `start`, and OSError is raised if the port is in use.
    `controls` are further paths below `/_sandbox/`.
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
        self.base_url = f"http://{netloc(LOOPBACK, self.port)}"
        self._server: BaseWSGIServer | None = self._serve_on(listener)
        self._serving = False
        self._thread: threading.Thread | None = None

    @property
    def connection(self) -> dict[str, str]:
        """Return the settings of a connection to this server, as in a connection file."""
        return {"base_url": self.base_url}

    @classmethod
    def trap_list(cls) -> tuple[str, ...]:
        """Return a line for each value of the argument `traps`; most services have none."""
        return ()

    @property
    def hints(self) -> tuple[str, ...]:
        """Return the lines that the command prints after the connection's settings."""
        return ()

    @property
    def slow_s(self) -> float:
        """The delay of the fault `slow` in seconds, which can be set."""
        return self._app.slow_s

    @slow_s.setter
    def slow_s(self, seconds: float) -> None:
        self._app.slow_s = seconds

    def before_response(self, act: Callable[[LoggedRequest], None]) -> None:
        """Call `act` for each API request after it is executed and before its response is sent.

        It is called in the thread of the request, and the response is sent after it returns.
        """
        self._app.before_response = act

    @property
    def log(self) -> RequestLog:
        """The log of requests and sign-ins, as shown below `/_sandbox/`."""
        return self._app.log

    @property
    def connections(self) -> OpenConnections:
        """The connections that clients have open."""
        return self._app.connections

    def set_faults(
        self, *, queue: Sequence[Any] | None = None, rates: Mapping[str, float] | None = None
    ) -> None:
        """Set the script of faults, their rates or both, as `POST /_sandbox/faults` does.

        Raises ValueError if a value is not valid.
        """
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
        """Serve in this thread until another thread calls `stop`, or until Ctrl-C."""
        server = self._prepare()
        server.serve_forever(_POLL_S)

    def stop(self) -> None:
        """Stop: send the responses in progress, then close all connections and the port."""
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
        # with a socket, werkzeug does not print or exit if the port is in use
        with listener:
            return make_server(
                LOOPBACK,
                self.port,
                self._app,
                threaded=True,
                request_handler=KeepAliveHandler,
                fd=listener.fileno(),
            )


def _listen(port: int) -> socket.socket:
    listener = bound(LOOPBACK, port)
    listener.listen(128)
    return listener
