"""The view that runs an action, and the one that previews it."""

from __future__ import annotations

import hashlib
import re
import threading
from contextlib import ExitStack
from functools import partial

from werkzeug.wrappers import Request, Response

from connector.callers.access import Caller
from connector.callers.problems import ProblemError, busy, stopping
from connector.callers.running import Running
from connector.callers.sessions import Sessions
from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.common import json_text
from connector.common.clock import Clock
from connector.common.json_text import Json
from connector.connections.connection import Connection
from connector.errors import (
    InputError,
    NotStartedError,
    ReadOnlyError,
    RunError,
    RunStoppedError,
    count_of,
    nearest,
)
from connector.http.waitress_server import is_gone
from connector.invocation.invoke import Invoker
from connector.library.session import Session
from connector.serve.bodies import JSON_LINES, Body, read_body
from connector.serve.calls import Call, Stream, only_line, open_invoker
from connector.serve.checks import RowCheck
from connector.serve.options import CallOptions, call_options
from connector.serve.repeats import InProgressError, KeyReusedError, Repeat, RepeatStore
from connector.serve.responses import json_response
from connector.serve.settings import Settings
from connector.serve.statuses import status_of
from connector.serve.turns import Turns

CONFIRM, REPEAT_KEY, REPLAYED = "X-Confirm", "Idempotency-Key", "Idempotency-Replayed"
_REPEAT_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_IN_PROGRESS_S = 2.0
"""How long a caller should wait before it repeats a request that has not ended, in seconds."""


class CallView:
    """Runs actions over the connections of the server. Safe for threads."""

    def __init__(self, catalog: Catalog, settings: Settings, store: RepeatStore, clock: Clock) -> None:
        self._catalog, self._settings, self._store = catalog, settings, store
        self._sessions, self._turns = Sessions(catalog, settings, clock), Turns(settings.max_wait_s)
        self._checks: dict[tuple[str, bool, bool], RowCheck] = {}
        self._actions: dict[str, Action] = {}
        self._stop, self._running = threading.Event(), Running()

    def call(self, request: Request, caller: Caller, name: str) -> Response:
        """Run an action for the rows of the body. Raises ProblemError before anything is sent."""
        action = self._action(name, caller)
        options = call_options(request)
        with ExitStack() as resources:
            resources.enter_context(self._running)
            self._require_serving()
            body = resources.enter_context(read_body(request, self._settings.limits))
            if options.mirror and body.is_lines:
                raise ProblemError(400, "status=mirror is for one row; a body of JSON Lines can have more")
            _require_confirmation(request, action, body)
            using = self._sessions.using(action, caller.rights, options.connection)
            session = resources.enter_context(using)
            check = self._check(action, options)
            if not body.is_lines:
                _require_valid(check, body)
            resources.enter_context(self._turns.turn(session.connection.account))
            self._require_serving()  # The server may have been stopped while the request was waiting.
            gone = partial(is_gone, request.environ)
            if gone():
                raise ProblemError(400, "the client disconnected; nothing was sent")
            repeat = self._repeat(request, caller, action, options, session.connection, body, resources)
            invoker = self._invoker(session, action, options, repeat)
            call = Call(invoker, session, self._sessions, check, options, self._stop, gone, repeat)
            headers = {REPLAYED: "true"} if repeat and repeat.is_repeated else {}
            if not body.is_lines and options.rows == "one":
                return _one(call, body, headers)
            stream = Stream(call.lines(body.rows()), resources.pop_all())
        return Response(stream, 200, headers, mimetype=JSON_LINES)

    def preview(self, request: Request, caller: Caller, name: str) -> Response:
        """Return the request that an action would send for the row in the body. Nothing is sent."""
        action = self._action(name, caller)
        options = call_options(request)
        with read_body(request, self._settings.limits) as body:
            if body.is_lines:
                raise ProblemError(415, "a preview is for one row: send a JSON object")
            with self._sessions.using(action, caller.rights, options.connection) as session:
                _require_valid(self._check(action, options), body)
                (row,) = body.rows()
                try:
                    return json_response(session.preview(action.name, **row.data))
                except InputError as error:
                    raise ProblemError(422, str(error)) from error

    def close(self) -> None:
        """Stop the runs, wait for their rows in progress, and close the connections and the store."""
        self._stop.set()
        with ExitStack() as resources:
            resources.callback(self._store.close)
            resources.callback(self._running.wait)
            self._sessions.close()

    def _require_serving(self) -> None:
        """Raise ProblemError (503) if the server is stopping."""
        if self._stop.is_set():
            raise stopping()

    def _invoker(
        self, session: Session, action: Action, options: CallOptions, repeat: Repeat | None
    ) -> Invoker:
        """Return what runs the rows of a request. Raises ProblemError (403, 500, 503)."""
        try:
            return open_invoker(session, action, options, repeat)
        except ReadOnlyError as error:
            raise ProblemError(403, str(error)) from error
        except RunError as error:
            self._require_serving()  # The session is closed when the server stops.
            raise ProblemError(500, f"the connection cannot be used: {error}") from error

    def _action(self, name: str, caller: Caller) -> Action:
        """Return the action with this name. Raises ProblemError (403, 404)."""
        action = self._actions.get(name)
        if action is None:
            try:
                action = self._actions[name] = self._catalog.action(name)
            except RunError:
                raise ProblemError(404, f'no action "{name}"{nearest(name, self._catalog.names)}') from None
        caller.require(action)
        self._settings.require_folder(action)
        return action

    def _check(self, action: Action, options: CallOptions) -> RowCheck:
        key = (action.name, options.names, options.lenient)
        if key not in self._checks:
            checked = {"names": options.names, "lenient": options.lenient}
            self._checks[key] = RowCheck(action, self._settings, **checked)
        return self._checks[key]

    def _repeat(
        self,
        request: Request,
        caller: Caller,
        action: Action,
        options: CallOptions,
        connection: Connection,
        body: Body,
        resources: ExitStack,
    ) -> Repeat | None:
        """Return the stored request, if the request has an Idempotency-Key. Raises ProblemError."""
        key = request.headers.get(REPEAT_KEY)
        if key is None:
            return None
        if not _REPEAT_KEY.fullmatch(key):
            raise ProblemError(400, f"{REPEAT_KEY} must have 1 to 255 printable ASCII characters, no spaces")
        about: list[Json] = [action.name, options.connection, options.rows, options.names, options.lenient]
        # Servers of one user share the store, and their default connections can differ.
        about += connection.identity
        text = json_text.dumps([*about, body.is_lines, body.digest])
        digest = hashlib.sha256(text.encode()).hexdigest()
        try:
            return resources.enter_context(self._store.running(caller.key, key, digest))
        except KeyReusedError as error:
            raise ProblemError(422, str(error)) from error
        except InProgressError as error:
            raise busy(str(error), _IN_PROGRESS_S, status=409) from error


def _require_confirmation(request: Request, action: Action, body: Body) -> None:
    """Raise ProblemError (403) unless a destructive action is confirmed for exactly the rows of the body."""
    if action.effect != "destructive":
        return
    count, given = body.count(), request.headers.get(CONFIRM, "").strip()
    if given != str(count):
        said = f"{CONFIRM} is {given}" if given else f"there is no {CONFIRM}"
        raise ProblemError(
            403,
            f"{action.name} is destructive, and {said}: to confirm it, send `{CONFIRM}: {count}`, the number "
            f"of rows of this body. Nothing was sent",
        )


def _require_valid(check: RowCheck, body: Body) -> None:
    """Raise ProblemError (400, 422) if a body of one row does not agree with the schema of its action."""
    (row,) = body.rows()
    if errors := check.errors(row.data):
        said = count_of(len(errors), "input is not valid" if len(errors) == 1 else "error")
        raise ProblemError(422, f"{said}: {'; '.join(errors)}", errors=errors)


def _one(call: Call, body: Body, headers: dict[str, str]) -> Response:
    """Return the response with the envelope of a body of one row. Raises ProblemError."""
    try:
        line, envelope = only_line(call.lines(body.rows()))
    except NotStartedError as error:
        raise stopping() if call.stop.is_set() else ProblemError(500, str(error)) from error
    except RunStoppedError as error:
        # A caller may repeat a request after 500, so a change that may have been made has another status.
        status = 500 if call.invoker.action.effect == "read" else 409
        raise ProblemError(status, f"{error}. Check whether the request took effect") from error
    status = status_of(envelope) if call.options.mirror else 200
    if status in (429, 503):
        headers = {**headers, "Retry-After": str(round(call.retry_after_s))}
    return json_response(line, status, headers)
