"""The journal of a part in the database: requests that must not be repeated, and their responses.

A request is recorded, and on the disk of the database, before it is sent. Its response may be lost if the
database is ended by force before the envelope of the row is written; the row then ends as `outcome_unknown`.
"""

from __future__ import annotations

from connector.common import json_text
from connector.common.redaction import Redactor
from connector.files.sent_requests import SentRequests, answer_text
from connector.http.digest import request_digest
from connector.http.messages import Request, Response
from connector.state.parts import LEASES, Part


class DatabaseJournal:
    """The journal as an `exchange.Recorder`; it returns what an interrupted run has recorded."""

    def __init__(self, part: Part, redactor: Redactor) -> None:
        self._part, self._redactor = part, redactor
        self._earlier = SentRequests()

    def read(self, after_row: int) -> None:
        """Read what the interrupted run has sent for the rows after this one. Raises RunStoppedError."""
        for row, step, request, digest, answer, refused in self._part.database.run(
            "SELECT row_number, step, request, digest, answer, refused FROM connector_journal"
            " WHERE run = %s AND part = %s AND row_number > %s",
            [self._part.run, self._part.number, after_row],
        ):
            if not refused:
                self._earlier.note(row, step, {"sent": request, "request": digest})
            if answer is not None:
                self._earlier.note(row, step, {"answer": json_text.loads(bytes(answer).decode())})

    def has_sent(self, row: int) -> bool:
        """Return whether the interrupted run has sent a request of a row that must not be repeated."""
        return self._earlier.has_sent(row)

    def recorded(self, row: int, step: int, request: Request) -> Response | None:
        """Return a recorded response; see `SentRequests.recorded`."""
        return self._earlier.recorded(row, step, request)

    def sent(self, row: int, step: int, request: Request) -> None:
        """Record a request before it is sent.

        If this raises RunStoppedError, the request must not be sent.
        """
        values = row, step, str(request), request_digest(request)
        self._part.commit("intent", values, self._conflict_key(row, step))

    def require_held(self) -> None:
        """Raise RunStoppedError if another worker has taken over the part, or the database is lost."""
        self._part.flush()

    def require_lease(self) -> bool:
        """Renew the lease unless it is fresh, and return whether it was renewed.

        Raises RunStoppedError as `require_held` does.
        """
        if LEASES.is_fresh(self._part):
            return False
        LEASES.renew(self._part)
        return True

    def answered(self, row: int, step: int, response: Response) -> None:
        """Record the response to a request, with secrets masked. It is committed within milliseconds.

        A lost database is not an error here, because it may be back for the row's envelope.
        """
        answer = answer_text(response, self._redactor).encode()
        self._part.submit("response", (row, step, answer), self._conflict_key(row, step), len(answer))

    def refused(self, row: int, step: int) -> None:
        """Record that a request had no effect; nothing is recorded if the database is lost."""
        self._part.submit("response", (row, step, None), self._conflict_key(row, step), 0)

    def close(self) -> None:
        """Do nothing: closing the output commits all records."""

    def _conflict_key(self, row: int, step: int) -> tuple[int, ...]:
        return self._part.run, self._part.number, row, step
