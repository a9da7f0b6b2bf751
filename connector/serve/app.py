"""The HTTP application: runs actions for other programs.

POST /actions/NAME   a JSON object -> an envelope; JSON Lines -> an envelope per line, streamed
POST /preview/NAME   a JSON object -> the request that would be sent
GET  /openapi.json, /openapi-3.0.json, /swagger.json, /power-automate.json
GET  /health
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

import connector
from connector.callers.access import Caller, caller_of
from connector.callers.keys import Keys
from connector.callers.problems import ProblemError
from connector.catalog.catalog import Catalog
from connector.common.clock import Clock, SystemClock
from connector.errors import ConnectorError
from connector.serve.call_view import CallView
from connector.serve.document_view import PATHS, DocumentView
from connector.serve.repeats import RepeatStore
from connector.serve.responses import json_response, problem_response
from connector.serve.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)
access_logger = logging.getLogger("connector.serve.access_log")

_RULES = Map(
    [
        Rule("/actions/<name>", endpoint="call", methods=["POST"]),
        Rule("/preview/<name>", endpoint="preview", methods=["POST"]),
        Rule("/health", endpoint="health", methods=["GET"]),
        *(Rule(f"/{path}", endpoint=path, methods=["GET"]) for path in PATHS),
    ],
    merge_slashes=False,
)


class Application:
    """The WSGI application. Safe for threads, and for processes that are forked before the first request."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog | None = None,
        *,
        keys: Keys | None = None,
        store: RepeatStore | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._settings, self._keys = settings, keys or Keys()
        catalog, clock = catalog or Catalog(), clock or SystemClock()
        self._calls = CallView(catalog, settings, store or RepeatStore(clock), clock)
        self._documents = DocumentView(catalog, settings)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Return the response to one request, as WSGI requires."""
        request = Request(environ)
        began = time.monotonic()
        callers: list[Caller] = []
        response = self._respond(request, callers)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.call_on_close(lambda: _log_access(request, response, callers, time.monotonic() - began))
        return response(environ, start_response)

    def _respond(self, request: Request, callers: list[Caller]) -> Response:
        try:
            endpoint, values = _RULES.bind_to_environ(request.environ).match()
            if endpoint == "health":
                return json_response({"status": "ok", "version": connector.__version__})
            callers.append(caller_of(request.headers, self._keys, self._settings))
            if endpoint == "call":
                return self._calls.call(request, callers[0], **values)
            if endpoint == "preview":
                return self._calls.preview(request, callers[0], **values)
            return self._documents.document(request, callers[0], endpoint)
        except ProblemError as problem:
            return problem_response(problem)
        except HTTPException as error:
            return problem_response(_problem_of(error))
        except ConnectorError as error:
            logger.error("%s %s: %s", request.method, request.path, error)
            return problem_response(ProblemError(500, str(error)))
        except Exception:
            logger.exception("a bug in the connector, at %s %s", request.method, request.path)
            bug = ProblemError(500, "a bug in the connector: see the log of the server")
            return problem_response(bug)

    def close(self) -> None:
        """Stop the runs, wait for their rows in progress, and close the connections and the store."""
        self._calls.close()


def _problem_of(error: HTTPException) -> ProblemError:
    """Return the error of werkzeug as one of ours, with its headers, such as Allow."""
    status = error.code or 500
    detail = {404: "no such path", 405: "this path does not support the method"}.get(status)
    headers = dict(error.get_headers())
    headers.pop("Content-Type", None)
    return ProblemError(status, detail or error.description or error.name, headers=headers)


def _log_access(request: Request, response: Response, callers: list[Caller], seconds: float) -> None:
    """Log one line for a response: no query, header or body, which can contain secrets."""
    who = (callers[0].key or "without a key") if callers else "-"
    took_ms = 1000 * seconds
    path = request.path[:200]
    access_logger.info("%s: %s %s: %d in %.0f ms", who, request.method, path, response.status_code, took_ms)
