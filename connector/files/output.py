"""The destination of a run's envelopes, and the journal of its requests, as a run sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from connector.files.envelope import Envelope
    from connector.files.envelope_lines import LongLine
    from connector.files.list_envelope import ListEnvelope
    from connector.http.messages import Request, Response


class Output(Protocol):
    """The destination of a run's envelopes."""

    done_rows: int
    """The number of rows that have all their envelopes from an interrupted run."""

    def earlier(self) -> Iterator[Envelope]:
        """Yield the envelopes that an interrupted run has written; those of long lists have no result."""

    def write(self, lines: bytes) -> None:
        """Write the lines of one or more envelopes, all or none of them. Raises RunStoppedError."""

    def write_list(self, envelope: ListEnvelope | LongLine) -> None:
        """Write the envelope of a long list, all of it or nothing. Raises RunStoppedError."""

    def finish(self) -> None:
        """Complete the output. Raises RunStoppedError."""

    def close(self) -> None:
        """Close files; an output that is not finished can be resumed where possible."""


class RunJournal(Protocol):
    """The journal of a run's requests; see `invocation.exchange.Recorder`."""

    def has_sent(self, row: int) -> bool:
        """Return whether the interrupted run has sent a request of a row that must not be repeated."""

    def recorded(self, row: int, step: int, request: Request) -> Response | None:
        """Return the response that the interrupted run received. Raises RowError."""

    def sent(self, row: int, step: int, request: Request) -> None:
        """Record a request before it is sent. Raises RunStoppedError."""

    def require_held(self) -> None:
        """Raise RunStoppedError if another process has taken over the run."""

    def require_lease(self) -> bool:
        """Renew the lease unless it is fresh; return whether it was renewed. Raises RunStoppedError."""

    def answered(self, row: int, step: int, response: Response) -> None:
        """Record the response to a request."""

    def refused(self, row: int, step: int) -> None:
        """Record that a request had no effect."""

    def close(self) -> None:
        """Record nothing more."""
