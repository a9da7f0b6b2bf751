"""Delivers the webhooks of a mock server: a queue, a sending thread, and a log.

A failed delivery is logged and not repeated. Nothing is printed, because tests and users read the log.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

KEPT = 20_000
"""The maximum number of log entries."""
SEND_TIMEOUT_S = 10.0
LATE_S = 30.0
"""The delay of a late delivery, in seconds of the sandbox's clock. Tests do not wait for it: they call
`release`."""
WAYS = ("once", "doubled", "late", "lost")
_HELD_POLL_S = 0.05
_SECRET = "authorization"  # noqa: S105  a header's name


@dataclass(frozen=True)
class Delivery:
    """One webhook delivery (POST). It is held until the time `due`, or until `release` is called.

    `due` is a time of the queue's clock. A delivery that `is_lost` is logged but not sent.
    """

    url: str
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    due: float | None = None
    is_lost: bool = False


Arrange = Callable[[Sequence[Delivery]], Sequence[Delivery]]


class Deliveries:
    """Sends webhook deliveries one at a time, in order; held deliveries are sent when they are due."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._queue: deque[Delivery] = deque()
        self._held: list[Delivery] = []
        self._log: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._count = 0
        self._is_sending = False
        self._thread: threading.Thread | None = None

    def put(self, delivery: Delivery, how: str = "once") -> None:
        """Queue a delivery, to be sent in the background: `once`, `doubled`, `late` or `lost`."""
        if how not in WAYS:
            raise ValueError(f"unknown kind of delivery {how!r}; the kinds are {', '.join(WAYS)}")
        due = self._clock() + LATE_S if how == "late" else delivery.due
        delivery = replace(delivery, due=due, is_lost=how == "lost" or delivery.is_lost)
        with self._changed:
            target = self._queue if delivery.due is None else self._held
            target.extend([delivery] * (2 if how == "doubled" else 1))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def log(self) -> list[dict[str, Any]]:
        """Return a log entry for each delivery, sent or lost, in order.

        An entry has `n`, `time`, `url`, `headers`, `body`, `status`, `error` and `lost`.
        """
        with self._changed:
            return [dict(entry) for entry in self._log]

    def held(self) -> int:
        """Return the number of deliveries that are held."""
        with self._changed:
            return len(self._held)

    def release(self, arrange: Arrange = list) -> None:
        """Send the held deliveries now. `arrange` can reorder, repeat and omit deliveries."""
        with self._changed:
            self._queue.extend(arrange(self._held))
            self._held.clear()
            self._changed.notify_all()

    def wait(self, count: int | None = None, timeout_s: float = 10.0) -> list[dict[str, Any]]:
        """Wait until `count` deliveries (default: all queued ones) were sent or lost; return the log.

        Does not wait for held deliveries. Raises TimeoutError.
        """
        with self._changed:

            def is_done() -> bool:
                return not (self._queue or self._is_sending) if count is None else self._count >= count

            if not self._changed.wait_for(is_done, timeout_s):
                counts = f"{self._count} deliveries sent, {len(self._queue)} queued"
                raise TimeoutError(f"after {timeout_s} s: {counts}")
        return self.log()

    def close(self) -> None:
        """Send the queued deliveries, drop the held ones, and end the thread. `put` starts a new thread."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._held.clear()
            self._changed.notify_all()
        if thread is not None:
            thread.join(SEND_TIMEOUT_S)

    def _run(self) -> None:
        while (delivery := self._next()) is not None:
            entry = _describe(delivery)
            if not delivery.is_lost:
                entry |= _send(delivery)
            with self._changed:
                self._count += 1
                self._log.append({"n": self._count, "time": self._clock(), **entry})
                self._is_sending = False
                self._changed.notify_all()

    def _next(self) -> Delivery | None:
        """Wait for the next delivery and return it; return None when the queue is closed."""
        with self._changed:
            while True:
                now = self._clock()
                due = [entry for entry in self._held if entry.due is not None and entry.due <= now]
                self._held = [entry for entry in self._held if entry not in due]
                self._queue.extend(due)
                if self._queue:
                    self._is_sending = True
                    return self._queue.popleft()
                if self._thread is not threading.current_thread():
                    return None
                self._changed.wait(_HELD_POLL_S if self._held else None)


def _describe(delivery: Delivery) -> dict[str, Any]:
    headers = {name: value for name, value in delivery.headers.items() if name.lower() != _SECRET}
    outcome = {"status": None, "error": None, "lost": delivery.is_lost}
    return {"url": delivery.url, "headers": headers, "body": delivery.body, **outcome}


def _send(delivery: Delivery) -> dict[str, Any]:
    """Send a delivery; return the status of the response, or the error."""
    address = urlsplit(delivery.url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    headers = {"Content-Type": "application/json", "User-Agent": "sandbox", **delivery.headers}
    try:
        connection = kind(address.hostname or "", address.port, timeout=SEND_TIMEOUT_S)
        try:
            connection.request("POST", target, json.dumps(delivery.body).encode(), headers)
            return {"status": connection.getresponse().status}
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
