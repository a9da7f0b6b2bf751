"""Continues rows that were done in part: their completed requests are not sent again."""

from __future__ import annotations

from collections.abc import Mapping

from connector.common import json_text
from connector.errors import RowError
from connector.http.digest import request_digest
from connector.http.messages import Request, Response
from connector.invocation.exchange import Recorder
from connector.runs.rerun import Requests

Done = Mapping[int, Requests]
"""The completed requests of rows with the code `partial`, from `continue` in their results, by row number."""


class Continued:
    """A recorder that returns the responses to completed requests of rows; otherwise like `recorder`."""

    def __init__(self, recorder: Recorder, done: Done) -> None:
        self._recorder, self._done = recorder, done
        self.sent = recorder.sent
        self.require_held, self.require_lease = recorder.require_held, recorder.require_lease
        self.answered, self.refused = recorder.answered, recorder.refused

    def has_sent(self, row: int) -> bool:
        """Return whether a request of a row that must not be repeated was sent before."""
        return row in self._done or self._recorder.has_sent(row)

    def recorded(self, row: int, step: int, request: Request) -> Response | None:
        """Return the response to a completed request; None if it was not sent.

        Raises RowError if another request was completed in its place, such as with other data.
        """
        done = self._done.get(row, ())
        if step >= len(done):
            return self._recorder.recorded(row, step, request)
        if done[step]["sha256"] != request_digest(request):
            raise RowError(
                "partial",
                f"{request}: the row was done in part with other data, so that it cannot be continued: check "
                "what was done",
                refused=False,
            )
        body = b"" if done[step]["answer"] is None else json_text.dump_bytes(done[step]["answer"])
        return Response(done[step]["status"], {"content-type": "application/json"}, body)
