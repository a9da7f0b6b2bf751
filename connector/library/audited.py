"""The envelopes of a call, whose requests the audit log must have."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from connector.client.client import Client
from connector.errors import NotStartedError, RunStoppedError
from connector.files.envelope import Envelope

_CHECK = "check whether it took effect before you send it again"


def audited(envelopes: Iterable[Envelope], client: Client) -> Generator[Envelope, None, None]:
    """Yield the envelopes of one call.

    Raises NotStartedError, before anything is sent, if the audit log lacks requests of earlier calls. Raises
    RunStoppedError if the audit log or a file cannot be written later: a request may have been sent.
    """
    require_audit(client)
    try:
        yield from envelopes
    except RunStoppedError as error:
        raise RunStoppedError(f"{error}. A request may have been sent: {_CHECK}") from error
    try:
        client.flush_audit()
    except RunStoppedError as error:
        raise RunStoppedError(f"{error}. The request was sent: {_CHECK}") from error


def require_audit(client: Client) -> None:
    """Raise NotStartedError unless the audit log has a line for each request that was sent before."""
    try:
        client.flush_audit()
    except RunStoppedError as error:
        raise NotStartedError(f"{error}. Nothing was sent") from error
