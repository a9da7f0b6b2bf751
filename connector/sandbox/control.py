"""The mock server's own paths under `/_sandbox/`: read the log of requests, and set faults.

They require no token.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from connector.sandbox.errors import HttpError
from connector.sandbox.faults import Fault, Faults, check_rates
from connector.sandbox.request_log import RequestLog

ControlHandler = Callable[[Any], Any]
"""A function that handles a POST: it gets the JSON body (None if there is none), and returns the JSON value
to send (None for no body).

If it raises ValueError, the response is a 400 with the message."""


class Control:
    """Responds to `/_sandbox/requests`, `/_sandbox/signins`, `/_sandbox/faults` and the service's `controls`.

    The keys of `controls` are paths below `/_sandbox/`.
    """

    def __init__(
        self, log: RequestLog, faults: Faults, controls: Mapping[str, ControlHandler] | None = None
    ) -> None:
        self._log = log
        self._faults = faults
        self._controls = dict(controls or {})

    def respond(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        """Return the status and the JSON value of a response; None is an empty body.

        Raises HttpError 404 and 405.
        """
        try:
            return self._respond(method, path.removeprefix("/_sandbox/"), query, body)
        except ValueError as error:
            return 400, {"error": str(error)}

    def _respond(self, method: str, name: str, query: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        if name in ("requests", "signins") and method == "GET":
            since = int(query.get("since", "0"))
            return 200, self._log.requests(since) if name == "requests" else self._log.signins(since)
        if name in ("requests", "signins") and method == "DELETE":
            self._log.clear(name)
            return 204, None
        if name in self._controls and method in ("GET", "POST"):
            value = self._controls[name](json.loads(body) if body else None)
            return (204 if value is None else 200), value
        if name == "faults" and method == "POST":
            self.set_faults(json.loads(body))
        if name == "faults" and method in ("GET", "POST"):
            return 200, self._faults.describe()
        raise HttpError(405 if name in ("requests", "signins", "faults", *self._controls) else 404)

    def set_faults(self, wanted: Any) -> None:
        """Replace the queue of faults, their rates or both: `{"queue": [...], "rates": {...}}`.

        Raises ValueError if the value is not valid.
        """
        if not isinstance(wanted, dict) or set(wanted) - {"queue", "rates"}:
            raise ValueError('expected an object with "queue", "rates" or both')
        queue, rates = wanted.get("queue"), wanted.get("rates")
        if queue is not None and not isinstance(queue, list):
            raise ValueError("queue must be an array")
        if rates is not None and not isinstance(rates, dict):
            raise ValueError("rates must be an object")
        # validate both before applying either, so that an error changes nothing
        script = [Fault.read(item) for item in queue or []]
        check_rates(rates or {})
        if queue is not None:
            self._faults.set_queue(script)
        if rates is not None:
            self._faults.set_rates(rates)
