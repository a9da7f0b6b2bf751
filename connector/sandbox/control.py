"""The mock server's own paths under `/_sandbox/`: what was received, which faults come next. No token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connector.sandbox.errors import HttpError
from connector.sandbox.faults import Fault, Faults, check_rates
from connector.sandbox.request_log import RequestLog


class Control:
    """Responds to `/_sandbox/requests`, `/_sandbox/signins` and `/_sandbox/faults`."""

    def __init__(self, log: RequestLog, faults: Faults) -> None:
        self._log = log
        self._faults = faults

    def respond(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        """Return status and JSON value; a value of None is an empty body. Raises HttpError 404 and 405."""
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
        if name == "faults" and method == "POST":
            self.set_faults(json.loads(body))
        if name == "faults" and method in ("GET", "POST"):
            return 200, self._faults.describe()
        raise HttpError(405 if name in ("requests", "signins", "faults") else 404)

    def set_faults(self, wanted: Any) -> None:
        """Set `{"queue": [...], "rates": {...}}`: each replaces what was there; ValueError if unreadable."""
        if not isinstance(wanted, dict) or set(wanted) - {"queue", "rates"}:
            raise ValueError('faults are set by an object with "queue", "rates" or both')
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
