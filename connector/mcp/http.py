"""Serves clients over streamable HTTP, with the keys of `ninjaone serve`."""

from __future__ import annotations

import threading

import uvicorn
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from connector.callers.access import caller_of
from connector.callers.keys import Keys
from connector.callers.problems import MEDIA_TYPE, ProblemError
from connector.callers.settings import CallSettings
from connector.common.listening import LOOPBACK_HOSTS, bound, netloc
from connector.errors import RunError
from connector.mcp.server import CALLER, McpServer, in_thread

PATH = "/mcp"
_OF_THIS_MACHINE = TransportSecuritySettings(
    allowed_hosts=[f"{name}{port}" for name in LOOPBACK_HOSTS for port in ("", ":*")],
    allowed_origins=[f"http://{name}{port}" for name in LOOPBACK_HOSTS for port in ("", ":*")],
)
_UNCHECKED = TransportSecuritySettings(enable_dns_rebinding_protection=False)
_PATIENCE_S = 5
"""How long open streams, and responses to calls that have ended, can last after `stop`, in seconds."""


class KeyCheck:
    """Lets the requests of callers through: with a valid key or, without any key, from this machine.

    A key that is added or removed takes effect with the next request.
    """

    def __init__(self, app: ASGIApp, keys: Keys, settings: CallSettings) -> None:
        self._app, self._keys, self._settings = AuthContextMiddleware(app), keys, settings
        self._local = TransportSecurityMiddleware(_OF_THIS_MACHINE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on with its caller."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            headers = Headers(scope=scope)
            caller = await in_thread(lambda: caller_of(headers, self._keys, self._settings))
        except ProblemError as problem:
            await _answer(problem)(scope, receive, send)
            return
        scope[CALLER] = caller
        if caller.key:
            # The SDK binds sessions and confirmations to this user.
            scope["user"] = AuthenticatedUser(AccessToken(token="", client_id=caller.key, scopes=[]))
        elif refused := await self._local.validate_request(Request(scope)):
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send)


def application(server: McpServer, settings: CallSettings, keys: Keys) -> ASGIApp:
    """Return the ASGI application of a server, whose settings are these, with `http`."""
    app = server.sdk.streamable_http_app(streamable_http_path=PATH, transport_security=_UNCHECKED)
    return KeyCheck(app, keys, settings)


class HttpServer:
    """An HTTP server that listens on an address. Raises RunError if the address cannot be used."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        try:
            self._socket = bound(host, port)
        except OSError as error:
            raise RunError(f"{netloc(host, port)}: cannot be used: {error}") from error
        self._socket.listen()  # clients wait from now on, and are not refused
        self._has_ended = threading.Event()
        self.port: int = self._socket.getsockname()[1]
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="on",
                timeout_graceful_shutdown=_PATIENCE_S,
            )
        )

    def run(self) -> None:
        """Serve until `stop` is called."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._has_ended.set()

    def stop(self) -> None:
        """End the server, which another thread runs, and wait until it has sent its last responses."""
        self._server.should_exit = True
        self._has_ended.wait()


def _answer(problem: ProblemError) -> Response:
    return Response(problem.body(), problem.status, problem.headers, MEDIA_TYPE)
