"""Receive webhooks: a WSGI application that stores each delivery in the inbox.

    POST /hooks/SERVICE         with the secret in a header, or by basic authentication
    POST /hooks/SERVICE/TOKEN   for senders that support only a URL
    GET  /health

The receiver only checks that a delivery is JSON; another thread processes it. The response to a wrong secret
is 404, as for an unknown path. A delivery that cannot be stored gets 503, so that the sender retries.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.common import json_text
from connector.common.json_text import Json
from connector.common.listening import netloc
from connector.errors import ConnectorError, RunError
from connector.http.waitress_server import Listener, open_listener
from connector.sync.deliveries import HEADER, HookSecrets
from connector.sync.state import State
from connector.sync.state_queues import Inbox

logger = logging.getLogger(__name__)

MAX_BYTES = 1 << 20
"""The maximum size of a delivery in bytes."""
THREADS = 8
_VARIABLE = f"HTTP_{HEADER.upper().replace('-', '_')}"
_REASONS = {200: "OK", 404: "Not Found", 413: "Content Too Large", 503: "Service Unavailable"}

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Health = Callable[[], tuple[bool, Mapping[str, Json]]]
"""A function that returns whether the process is healthy, and details for the response."""


@dataclass
class _Pending:
    """A delivery to store; `is_done` is true after its transaction was committed or has failed."""

    service: str
    raw: bytes
    now: float
    is_done: bool = False
    is_new: bool = False
    error: Exception | None = None


class Store:
    """A connection to the inbox that all threads of the receiver share.

    It does not need the lock of the sync's state. Deliveries that arrive while another one is being stored
    share the next transaction, because each commit waits for the disk.
    """

    def __init__(self, folder: Path) -> None:
        self._state = State(folder, write=True, lock=False)
        self._inbox = Inbox(self._state)
        self._lock = threading.Lock()
        self._pending: deque[_Pending] = deque()

    def add(self, service: str, raw: bytes, now: float) -> bool:
        """Store a delivery; return False if the same body is already stored. Raises StateFullError.

        The delivery is committed when this method returns.
        """
        own = _Pending(service, raw, now)
        self._pending.append(own)
        with self._lock:
            if not own.is_done:
                self._commit()
        if own.error is not None:
            raise own.error
        return own.is_new

    def _commit(self) -> None:
        """Store all pending deliveries in one transaction."""
        batch = [self._pending.popleft() for _ in range(len(self._pending))]
        try:
            with self._state.transaction():
                for one in batch:
                    event_id = hashlib.sha256(one.raw).hexdigest()
                    one.is_new = self._inbox.add(one.service, event_id, one.raw, one.now)
        except Exception as error:
            for one in batch:
                one.error = error
        for one in batch:
            one.is_done = True

    def close(self) -> None:
        """Close the connection to the inbox."""
        with self._lock:
            self._state.close()


class Receiver:
    """The thread-safe WSGI application.

    `hooks` maps the name of a service to its secrets; `kept` is called after each new delivery.
    """

    def __init__(
        self,
        store: Store,
        hooks: Mapping[str, HookSecrets],
        clock: Callable[[], float],
        *,
        health: Health = lambda: (True, {}),
        kept: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._hooks, self._clock = store, hooks, clock
        self._health, self._kept = health, kept

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one HTTP request."""
        if environ.get("PATH_INFO") == "/health":
            is_well, shown = self._health()
            body: Json = {"status": "ok" if is_well else "failing", **shown}
            return _respond(start_response, 200 if is_well else 503, body)
        service = self._service(environ)
        if service is None:
            return _respond(start_response, 404, {"error": "not found"})
        status = self._take(service, environ)
        return _respond(start_response, status, {} if status == 200 else {"error": _REASONS[status].lower()})

    def _service(self, environ: Environ) -> str | None:
        """Return the service in the path; None if it is unknown or the request has none of its secrets."""
        parts = environ.get("PATH_INFO", "").split("/")[1:]
        if parts[:1] != ["hooks"] or len(parts) not in (2, 3):
            return None
        secrets = self._hooks.get(parts[1])
        if secrets is None:
            return None
        if len(parts) == 3:
            is_known = _is_same(parts[2], secrets.token)
        else:
            is_known = _is_same(environ.get(_VARIABLE, ""), secrets.header_value)
            is_known |= _is_same(environ.get("HTTP_AUTHORIZATION", ""), secrets.basic)
        return parts[1] if is_known else None

    def _take(self, service: str, environ: Environ) -> int:
        """Store the delivery and return the HTTP status of the response."""
        raw = _body(environ)
        if raw is None:
            logger.error(
                "a webhook delivery of %s was refused (413): it is larger than %d bytes", service, MAX_BYTES
            )
            return 413
        method = environ.get("REQUEST_METHOD")
        if method != "POST" or not _is_json(raw):
            logger.error(
                "a webhook delivery of %s is ignored: a %s of %d bytes is not a JSON object or array",
                service,
                method,
                len(raw),
            )
            return 200
        try:
            is_new = self._store.add(service, raw, self._clock())
        except ConnectorError as error:
            logger.error(
                "a webhook delivery of %s was refused (503): it cannot be stored: %s", service, error
            )
            return 503
        if is_new:
            self._kept()
        return 200


def _respond(start_response: StartResponse, status: int, value: Json) -> list[bytes]:
    body = json_text.dumps(value).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(f"{status} {_REASONS[status]}", headers)
    return [body]


def _is_same(given: str, wanted: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())


def _body(environ: Environ) -> bytes | None:
    """Return the body of the request; None if it is larger than `MAX_BYTES`."""
    length = environ.get("CONTENT_LENGTH") or "0"
    announced = int(length) if length.isdecimal() else 0
    if announced > MAX_BYTES:
        return None
    raw: bytes = environ["wsgi.input"].read(announced)
    return raw


def _is_json(raw: bytes) -> bool:
    try:
        return isinstance(json_text.loads(raw.decode()), (dict, list))
    except (ValueError, RecursionError):
        return False


def listen(receiver: Receiver, host: str, port: int) -> Listener:
    """Return a server that listens on an address; port 0 selects a free port. Raises RunError."""
    try:
        return open_listener(receiver, host, port, threads=THREADS, most_bytes=MAX_BYTES)
    except ImportError:
        raise RunError(
            "receiving webhooks requires the package waitress: install ninjaone-connector[sync], "
            "or poll only (alerts.by: [poll] in the mapping)"
        ) from None
    except OSError as error:
        raise RunError(f"webhooks cannot be received on {netloc(host, port)}: {error}") from error
