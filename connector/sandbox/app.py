"""The WSGI application: what happens to a request between the wire and a route.

An API request is noted in the log, meets its fault, shows its token, is matched and checked, and runs under
the state's lock. Its log entry is complete before anything is sent, so that whoever sees the answer (or its
loss) can look it up.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl

from werkzeug.http import parse_options_header

from connector.sandbox.control import Control
from connector.sandbox.errors import ApiError, failure
from connector.sandbox.faults import Fault, Faults
from connector.sandbox.multipart import Part, parts
from connector.sandbox.ninjaone.areas import router
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.oauth.authorize import Authorizations
from connector.sandbox.ninjaone.oauth.client_apps import SignIn
from connector.sandbox.ninjaone.oauth.tokens import Tokens, wrong_method
from connector.sandbox.request_log import Received, RequestLog
from connector.sandbox.routing import Answer, Call, Route
from connector.sandbox.wsgi_server import HANG_UP, Connections, ResetConnectionError

logger = logging.getLogger(__name__)

TOKEN_PATH = "/ws/oauth/token"  # noqa: S105  a path, no secret
AUTHORIZE_PATH = "/ws/oauth/authorize"
API_PREFIXES = ("/v2/", "/api/v2/")


def to_json(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with a JSON body, in ASCII: a request may have put lone surrogates into the state."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return Answer(status, {"Content-Type": "application/json", **(headers or {})}, body)


class App:
    """Serves one account.

    `slow_s` is the delay of the fault `slow`, `latency_s` that of every API answer. The operations of
    `user_context` refuse a machine's token.
    """

    def __init__(
        self,
        state: State,
        tokens: Tokens,
        authorizations: Authorizations,
        faults: Faults,
        *,
        base_url: str,
        latency_s: float,
        slow_s: float,
        user_context: frozenset[str] = frozenset(),
    ) -> None:
        self.state = state
        self.user_context = user_context
        self.tokens = tokens
        self.authorizations = authorizations
        self.faults = faults
        self.log = RequestLog()
        self.base_url = base_url
        self.latency_s = latency_s
        self.slow_s = slow_s
        self.connections = Connections()
        self.stopping = threading.Event()
        self._router = router()
        self.control = Control(self.log, self.faults)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI."""
        request = Request(environ)
        try:
            answer = self._answer(request)
        except ApiError as error:
            answer = to_json(error.status, error.body, error.headers)
        start_response(f"{answer.status} {_phrase(answer.status)}", list(answer.headers.items()))
        return [answer.body]

    def _answer(self, request: Request) -> Answer:
        if request.path.startswith("/_sandbox/"):
            status, value = self.control.answer(request.method, request.path, request.query, request.body)
            return Answer(status) if value is None else to_json(status, value)
        if request.path == TOKEN_PATH:
            return self._sign_in(request)
        if request.path == AUTHORIZE_PATH:
            return self._authorize(request)
        return self._api(request)

    def _authorize(self, request: Request) -> Answer:
        if request.method != "GET":
            raise wrong_method("GET")
        location = self.authorizations.authorize(request.query)
        return Answer(302, {"Location": location, "Cache-Control": "no-store"})

    def _sign_in(self, request: Request) -> Answer:
        signin: dict[str, Any] = {"grant_type": None, "client_id": None, "scope": None, "via": None}
        try:
            if request.method != "POST":
                raise wrong_method("POST")
            if request.media_type != "application/x-www-form-urlencoded":
                raise failure(415)
            details = SignIn.read(
                dict(parse_qsl(request.body.decode(errors="replace"))), request.authorization
            )
            signin |= {"grant_type": details.grant_type, "client_id": details.client_id}
            signin |= {"scope": details.scope, "via": "basic" if details.basic else "form"}
            if self.faults.draw_token():
                raise failure(500)
            answer = to_json(200, self.tokens.sign_in(details))
        except ApiError as error:
            answer = to_json(error.status, error.body, error.headers)
        self.log.add_signin(status=answer.status, **signin)
        return answer

    def _api(self, request: Request) -> Answer:
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
        answer = self._under(fault, request, entry)
        entry.status = answer.status
        self.stopping.wait(self.latency_s)
        return Answer(answer.status, {**answer.headers, "x-nj-request-id": secrets.token_hex(8)}, answer.body)

    def _under(self, fault: Fault | None, request: Request, entry: Received) -> Answer:
        """The answer to the request as the fault (if any) leaves it."""
        name = fault.name if fault else None
        if name in ("reset", "reset_unread"):
            raise ResetConnectionError
        if name == "expire":
            self.tokens.drop(request.authorization)
        elif fault and not fault.executes:
            status, body, headers = fault.answer()
            return Answer(status, headers, body)
        if fault and name == "slow":
            self.stopping.wait(self.slow_s if fault.seconds is None else fault.seconds)
        answer = self._execute(request, entry)
        if name == "reset_after":
            self.stopping.wait(self.latency_s)
            raise ResetConnectionError
        if name == "truncate":
            return _truncated(answer)
        if name == "hang_up":
            request.hang_up()
        if name == "hold":
            self.faults.hold()
        if name == "empty":
            return Answer(200, {"Content-Type": "application/json"})
        return answer

    def _execute(self, request: Request, entry: Received) -> Answer:
        """Carry out the operation, or answer with what is wrong."""
        try:
            answer = self._operation(request)
        except ApiError as error:
            return to_json(error.status, error.body, error.headers)
        except Exception:
            logger.exception("%s %s", request.method, request.path)
            return to_json(500, failure(500).body)
        entry.executed = True
        return answer

    def _operation(self, request: Request) -> Answer:
        if not request.path.startswith(API_PREFIXES):
            raise failure(404)
        self.tokens.check(request.authorization, request.method)
        found, values = self._router.find(request.method, request.path)
        if found.operation in self.user_context:
            self.tokens.check_user(request.authorization)
        arguments = found.arguments(values)
        call = Call(
            self.state,
            self.base_url,
            found.read_query(request.query),
            _json_body(found, request),
            _parts(found, request),
        )
        with call.state.lock:
            result = found.handle(call, **arguments)
            if isinstance(result, Answer):
                return result
            return Answer(204) if result is None else to_json(200, result)


class Request:
    """What routes and faults need of a WSGI request; the path stays escaped. The body is read when needed."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        target: str = environ["REQUEST_URI"]
        if not target.startswith("/"):  # the absolute form, as sent to proxies
            target = "/" + target.partition("://")[2].partition("/")[2]
        self.path, _, self.query_text = target.partition("?")
        self.query = dict(parse_qsl(self.query_text))
        self.content_type: str = environ.get("CONTENT_TYPE", "")
        self.media_type = parse_options_header(self.content_type)[0].lower()
        self.authorization: str | None = environ.get("HTTP_AUTHORIZATION")

    @cached_property
    def body(self) -> bytes:
        """The whole body."""
        return cast(bytes, self._environ["wsgi.input"].read())

    def header(self, name: str) -> str:
        """A header by its CGI name, empty when absent."""
        return str(self._environ.get(f"HTTP_{name}", ""))

    def hang_up(self) -> None:
        """Have the connection closed after the answer, which does not say so."""
        self._environ[HANG_UP] = True


def _json_body(found: Route, request: Request) -> Any:
    if found.body is None:
        return None
    if not request.body and not found.body_required:
        return None
    if request.body and found.media_type not in ("*/*", request.media_type):
        raise failure(415)
    try:
        value = json.loads(request.body.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise failure(400) from None
    found.body.check(value, "body")
    return value


def _parts(found: Route, request: Request) -> tuple[Part, ...]:
    if found.media_type != "multipart/form-data":
        return ()
    if request.media_type != found.media_type:
        raise failure(415)
    try:
        return tuple(parts(request.content_type, request.body))
    except ValueError:
        raise failure(400) from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _truncated(answer: Answer) -> Answer:
    """Half of the body, announced as all of it (of an empty answer: two bytes that never come)."""
    headers = {**answer.headers, "Content-Length": str(len(answer.body) or 2), "Connection": "close"}
    status = 200 if answer.status == 204 else answer.status
    return Answer(status, headers, answer.body[: len(answer.body) // 2])


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
