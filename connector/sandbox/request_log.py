"""The log of a mock server: API requests and sign-ins in order of arrival, without credentials."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.multipart import parse_multipart

KEPT = 250_000
"""The maximum number of logged requests; older ones are removed, to limit memory in long runs."""
SMALL_TEXT = 64 * 1024
"""The maximum size, in bytes, of a multipart part whose text is shown."""


@dataclass
class LoggedRequest:
    """A logged API request. `status` is None if no response was sent; `time` is monotonic seconds."""

    n: int
    method: str
    path: str
    query: str
    content_type: str
    accept: str
    user_agent: str
    body: bytes
    time: float = field(default_factory=time.monotonic)
    status: int | None = None
    executed: bool = False
    fault: str | None = None

    def describe(self) -> dict[str, Any]:
        """Return the request as `GET /_sandbox/requests` shows it."""
        headers = {"content-type": self.content_type, "accept": self.accept, "user-agent": self.user_agent}
        return {
            "n": self.n,
            "time": self.time,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": {name: value for name, value in headers.items() if value},
            "body": self._body(),
            "status": self.status,
            "executed": self.executed,
            "fault": self.fault,
        }

    def _body(self) -> Any:
        if self.content_type.startswith("multipart/"):
            try:
                return [part.describe(SMALL_TEXT) for part in parse_multipart(self.content_type, self.body)]
            except ValueError:
                return None
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return None


class RequestLog:
    """The logged API requests and sign-ins, each numbered from 1. Bodies are decoded on request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: deque[LoggedRequest] = deque(maxlen=KEPT)
        self._signins: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._counts = {"requests": 0, "signins": 0}

    def add(self, **received: Any) -> LoggedRequest:
        """Add an API request and return its entry; the caller then sets the outcome in it."""
        with self._lock:
            self._counts["requests"] += 1
            entry = LoggedRequest(n=self._counts["requests"], **received)
            self._requests.append(entry)
            return entry

    def add_signin(self, **signin: Any) -> None:
        """Add a sign-in, without its secret and token."""
        with self._lock:
            self._counts["signins"] += 1
            self._signins.append({"n": self._counts["signins"], "time": time.monotonic(), **signin})

    def requests(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the API requests with a number above `since`."""
        with self._lock:
            entries = [entry for entry in self._requests if entry.n > since]
        return [entry.describe() for entry in entries]

    def signins(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the sign-ins with a number above `since`."""
        with self._lock:
            return [dict(entry) for entry in self._signins if entry["n"] > since]

    def clear(self, name: str) -> None:
        """Remove all `requests` or `signins`. The numbers of later entries continue, as `since` needs."""
        with self._lock:
            if name == "requests":
                self._requests.clear()
            else:
                self._signins.clear()
