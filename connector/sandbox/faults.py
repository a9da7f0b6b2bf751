"""Simulated faults: which one the next API request gets, from a script or at random.

| fault | executed | what the client sees |
|---|---|---|
| `429` | no | 429 with `Retry-After: 1` |
| `429_bare` | no | 429 without `Retry-After` |
| `html` | no | 200 and an HTML page about throttling |
| `500` | no | 500 with the service's error body |
| `502`, `503` | no | a gateway's HTML page |
| `reset_unread` | no | the connection is reset before the body is read (its log entry has no body) |
| `reset` | no | the connection is reset |
| `reset_after` | yes | the connection is reset instead of the response |
| `slow` | yes | the response, later |
| `truncate` | yes | fewer bytes than `Content-Length` says, then the end |
| `hang_up` | yes | the response; then the connection is closed without notice |
| `expire` | no | 401: the presented token was dropped |
| `token` | - | 500 at the token endpoint (at random only) |
| `answer` | no | the response in the script (by script only) |
| `empty` | yes | 200 without a body (by script only) |
| `hold` | yes | the response, once the script is replaced or the server stops (by script only) |
"""

from __future__ import annotations

import json
import random
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.messages import ServerResponse

RATED = (
    *("429", "html", "500", "502", "503", "reset", "reset_after", "slow", "truncate", "expire"),
    *("429_bare", "reset_unread", "hang_up"),
)
SCRIPTED = (*RATED, "answer", "empty", "hold")
EXECUTED = ("reset_after", "slow", "truncate", "hang_up", "empty", "hold")

THROTTLE_PAGE = (
    "<!DOCTYPE html><html><body><h1>Too many requests</h1><p>Rate limit exceeded</p></body></html>"
)
GATEWAY_PAGE = (
    "<html>\n<head><title>{0}</title></head>\n<body><center><h1>{0}</h1></center></body>\n</html>\n"
)


@dataclass(frozen=True)
class Fault:
    """A simulated fault. The fields after `name` replace parts of the response that it sends by default.

    `body` is text, or any other value to send as JSON; `seconds` is the delay of `slow`.
    """

    name: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str | None = None
    seconds: float | None = None

    @classmethod
    def read(cls, item: Any) -> Fault | None:
        """Return the fault for an item of a script: null (no fault), a name, or an object.

        The object has `fault`, and can have any of this class's other fields. Raises ValueError.
        """
        if item is None:
            return None
        details = dict(item) if isinstance(item, Mapping) else {"fault": item}
        name = details.pop("fault", None)
        unknown = set(details) - {"status", "headers", "body", "content_type", "seconds"}
        if name not in SCRIPTED or unknown:
            problem = f"unknown key {sorted(unknown)[0]!r}" if unknown else f"unknown fault {name!r}"
            raise ValueError(f"{problem}; faults are {', '.join(SCRIPTED)}")
        fault = cls(name, **details)
        fault._check()
        return fault

    def _check(self) -> None:
        status, seconds = self.status, self.seconds
        if status is not None and (type(status) is not int or not 200 <= status <= 599):
            raise ValueError(f"status must be a number from 200 to 599, not {status!r}")
        if seconds is not None and (not isinstance(seconds, (int, float)) or not 0 <= seconds <= 3600):
            raise ValueError(f"seconds must be a number from 0 to 3600, not {seconds!r}")
        texts = [self.content_type or "", *_texts(self.headers)]
        if not all(isinstance(text, str) and text.isascii() and text.isprintable() for text in texts):
            raise ValueError("headers and content_type must be plain text")

    @property
    def executes(self) -> bool:
        """Whether the operation is executed despite this fault."""
        return self.name in EXECUTED

    def response(self, error_body: Callable[[int], Any]) -> ServerResponse:
        """Return the response that a fault sends. `error_body` returns the service's body for a status."""
        status, body, content_type, headers = self._default(error_body)
        if self.body is not None:
            body = self.body if isinstance(self.body, str) else json.dumps(self.body)
            content_type = "text/plain" if isinstance(self.body, str) else "application/json"
        if self.content_type or (body and content_type):
            headers["Content-Type"] = self.content_type or content_type
        return ServerResponse(self.status or status, headers | dict(self.headers), body.encode())

    def _default(self, error_body: Callable[[int], Any]) -> tuple[int, str, str, dict[str, str]]:
        if self.name == "429":
            return 429, "", "", {"Retry-After": "1"}
        if self.name == "429_bare":
            return 429, "", "", {}
        if self.name == "html":
            return 200, THROTTLE_PAGE, "text/html", {}
        if self.name == "500":
            return 500, json.dumps(error_body(500)), "application/json", {}
        if self.name in ("502", "503"):
            title = {"502": "502 Bad Gateway", "503": "503 Service Temporarily Unavailable"}[self.name]
            return int(self.name), GATEWAY_PAGE.format(title), "text/html", {}
        return 200, "", "", {}


def _texts(headers: Any) -> list[Any]:
    if not isinstance(headers, Mapping):
        raise ValueError("headers must be an object")
    return [text for header in headers.items() for text in header]


class Faults:
    """Selects the fault for each request: from a script, in order, then at random from a seed."""

    def __init__(self, rates: Mapping[str, float] | None, seed: int) -> None:
        self._lock = threading.Lock()
        self._queue: deque[Fault | None] = deque()
        self._released = threading.Event()
        self._random = random.Random(f"faults {seed}")  # noqa: S311  not cryptography
        self._rates: dict[str, float] = {}
        self.set_rates(rates or {})

    def set_rates(self, rates: Mapping[str, float]) -> None:
        """Replace the rates, which are the probabilities of faults.

        Their sum, without the rate of `token`, is at most 1.
        """
        check_rates(rates)
        with self._lock:
            self._rates = dict(rates)

    def set_queue(self, script: Sequence[Fault | None]) -> None:
        """Replace the script, which has an item for each of the next API requests.

        Responses that the fault `hold` holds are released.
        """
        self.release()
        with self._lock:
            self._queue = deque(script)
            # Without a hold, the event remains set for a request that has drawn one and does not wait yet.
            if any(fault and fault.name == "hold" for fault in script):
                self._released = threading.Event()

    def describe(self) -> dict[str, Any]:
        """Return the number of remaining items of the script, and the rates."""
        with self._lock:
            return {"queue": len(self._queue), "rates": dict(self._rates)}

    def draw(self) -> Fault | None:
        """Return the fault for the next API request, or None."""
        with self._lock:
            if self._queue:
                return self._queue.popleft()
            if not self._rates:
                return None
            point = self._random.random()
            for name in RATED:
                point -= self._rates.get(name, 0.0)
                if point < 0:
                    return Fault(name)
            return None

    def hold(self) -> None:
        """Wait until the script is replaced or `release` is called."""
        self._released.wait()

    def release(self) -> None:
        """Send the responses that the fault `hold` holds."""
        self._released.set()

    def draw_token(self) -> bool:
        """Return whether the next sign-in is to fail, at random (fault `token`)."""
        with self._lock:
            rate = self._rates.get("token", 0.0)
            return rate > 0 and self._random.random() < rate


def check_rates(rates: Mapping[str, float]) -> None:
    """Return the type of a text that is one of these values."""
    for name, rate in rates.items():
        if name not in (*RATED, "token"):
            raise ValueError(f"unknown fault {name!r}; faults are {', '.join((*RATED, 'token'))}")
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            raise ValueError(f"the rate of fault {name!r} must be a number from 0 to 1, not {rate!r}")
    if sum(rate for name, rate in rates.items() if name != "token") > 1 + 1e-9:
        raise ValueError("the rates of the faults sum to more than 1")


def parse_faults(text: str) -> dict[str, float]:
    """Return the rates in a text such as `429=0.05,html=0.02`; an empty text has none. Raises ValueError."""
    rates: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise ValueError(f"{part!r} is not of the form NAME=RATE, for example 429=0.05")
        if name in rates:
            raise ValueError(f"fault {name!r} appears twice")
        try:
            rates[name] = float(number)
        except ValueError:
            raise ValueError(
                f"the rate of fault {name!r} must be a number from 0 to 1, not {number!r}"
            ) from None
    check_rates(rates)
    return rates
