"""The WSGI application of a mock server: logs requests, applies faults, and calls the service.

An API request is recorded in the log, gets its simulated fault, if any, and is executed by the service. Its
log entry is complete before anything is sent, so that a client that sees the response (or its loss) can read
the entry.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from connector.sandbox.control import Control, ControlHandler
from connector.sandbox.errors import HttpError
from connector.sandbox.faults import Fault, Faults
from connector.sandbox.messages import ServerRequest, ServerResponse, json_response
from connector.sandbox.request_log import LoggedRequest, RequestLog
from connector.sandbox.service import MockService
from connector.sandbox.wsgi_server import OpenConnections, ResetConnectionError

logger = logging.getLogger(__name__)


class App:
    """The WSGI application for one service.

    `slow_s` is the delay of the fault `slow`, and `latency_s` that of every API response, in seconds.
    """

    def __init__(
        self,
        service: MockService,
        faults: Faults,
        *,
        latency_s: float,
        slow_s: float,
        controls: Mapping[str, ControlHandler] | None = None,
    ) -> None:
        self.service = service
        self.faults = faults
        self.log = RequestLog()
        self.latency_s = latency_s
        self.slow_s = slow_s
        self.before_response: Callable[[LoggedRequest], None] = lambda entry: None
        self.connections = OpenConnections()
        self.stopping = threading.Event()
        self.control = Control(self.log, self.faults, controls or {})

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Handle one request, as WSGI defines it."""
        try:
            response = self._respond(ServerRequest(environ))
        except HttpError as error:
            response = self._error_response(error)
        start_response(f"{response.status} {_phrase(response.status)}", list(response.headers.items()))
        return [response.body]

    def _respond(self, request: ServerRequest) -> ServerResponse:
        if request.path.startswith("/_sandbox/"):
            status, value = self.control.respond(request.method, request.path, request.query, request.body)
            return ServerResponse(status) if value is None else json_response(status, value)
        if request.path in self.service.token_paths:
            return self._sign_in(request)
        if request.path == self.service.authorize_path:
            return self.service.authorize(request)
        return self._api(request)

    def _error_response(self, error: HttpError) -> ServerResponse:
        if error.text is not None:
            return ServerResponse(error.status, error.headers, error.text.encode())
        body = self.service.error_body(error.status) if error.body is None else error.body
        return json_response(error.status, body, error.headers)

    def _sign_in(self, request: ServerRequest) -> ServerResponse:
        entry: dict[str, Any] = {"grant_type": None, "client_id": None, "scope": None, "via": None}
        try:
            asked = self.service.read_token_request(request)
            entry = asked.describe()
            if self.faults.draw_token():
                raise HttpError(500)
            response = json_response(200, self.service.issue_token(asked))
        except HttpError as error:
            response = self._error_response(error)
        self.log.add_signin(status=response.status, **entry)
        return response

    def _api(self, request: ServerRequest) -> ServerResponse:
        fault = self.faults.draw()
        unread = fault is not None and fault.name == "reset_unread"
        entry = self.log.add(
            method=request.method,
            path=request.path,
            query=request.query_text,
            content_type=request.content_type,
            accept=request.header("ACCEPT"),
            user_agent=request.header("USER_AGENT"),
            body=b"" if unread else request.body,
            fault=fault.name if fault else None,
        )
        response = self._under(fault, request, entry)
        entry.status = response.status
        self.before_response(entry)
        self.stopping.wait(self.latency_s)
        headers = {**response.headers, **self.service.response_headers()}
        return ServerResponse(response.status, headers, response.body)

    def _under(self, fault: Fault | None, request: ServerRequest, entry: LoggedRequest) -> ServerResponse:
        """Return the response to an API request, with a fault applied if there is one."""
        name = fault.name if fault else None
        if name in ("reset", "reset_unread"):
            raise ResetConnectionError
        if name == "expire":
            self.service.drop_token(request)
        elif fault and not fault.executes:
            return fault.response(self.service.error_body)
        if fault and name == "slow":
            self.stopping.wait(self.slow_s if fault.seconds is None else fault.seconds)
        response = self._execute(request, entry)
        if name == "reset_after":
            self.stopping.wait(self.latency_s)
            raise ResetConnectionError
        if name == "truncate":
            return _truncated(response)
        if name == "hang_up":
            request.hang_up()
        if name == "hold":
            self.faults.hold()
        if name == "empty":
            return ServerResponse(200, {"Content-Type": "application/json"})
        return response

    def _execute(self, request: ServerRequest, entry: LoggedRequest) -> ServerResponse:
        """Execute the operation, or return an error response."""
        try:
            response = self.service.respond(request)
        except HttpError as error:
            return self._error_response(error)
        except ResetConnectionError:  # the response of an executed operation is dropped
            entry.executed = True
            raise
        except Exception:
            logger.exception("%s %s", request.method, request.path)
            return self._error_response(HttpError(500))
        entry.executed = True
        return response


def _truncated(response: ServerResponse) -> ServerResponse:
    """Return a response with half of its body, and the Content-Length of all (2 if the body is empty)."""
    headers = {**response.headers, "Content-Length": str(len(response.body) or 2), "Connection": "close"}
    status = 200 if response.status == 204 else response.status
    return ServerResponse(status, headers, response.body[: len(response.body) // 2])


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
