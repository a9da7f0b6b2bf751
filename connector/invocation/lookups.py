"""What is looked up once in a run, with one connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from connector.errors import Code, RowError
from connector.http.messages import Request, Response


class Lookups:
    """Responses that all rows of a run share.

    Each request is sent by the first row that needs its response. `indexes` are the names of records by their
    kind, and `indexing` is held while one of them is requested. `result_names` is what adds names to the
    results of an action, by its name.
    """

    def __init__(self) -> None:
        self.indexes: dict[str, Any] = {}
        self.result_names: dict[str, Any] = {}
        self.indexing = threading.Lock()
        self._responses: dict[str, Response] = {}
        self._refusals: dict[str, tuple[Code, str, int | None]] = {}
        self._lock = threading.Lock()

    def ask(self, request: Request, send: Callable[[Request], Response]) -> Response:
        """Return the response to a request, which only the first caller sends. Raises RowError.

        The errors `forbidden` and `not_found` are kept for the run; after other errors, the next caller sends
        the request again.
        """
        with self._lock:
            if request.target in self._refusals:
                code, message, status = self._refusals[request.target]
                raise RowError(code, message, status=status)
            if request.target not in self._responses:
                try:
                    self._responses[request.target] = send(request)
                except RowError as error:
                    if error.code in ("forbidden", "not_found"):
                        self._refusals[request.target] = (error.code, str(error), error.status)
                    raise
            return self._responses[request.target]

    def forget(self, requests: Iterable[Request]) -> None:
        """Forget the responses to these requests, which are not needed again."""
        for request in requests:
            self._responses.pop(request.target, None)
