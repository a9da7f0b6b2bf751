"""Every error of the connector, in one small tree.

ConnectorError
├── RunFault             found before anything is sent: message, exit 2, no output
│   ├── DeclarationError   an action or a service is declared wrongly
│   └── ConnectionFault    the connection cannot be used
├── RunStopped           a run that began cannot go on; it can be resumed: exit 3
│   └── Interrupted        the run is asked to stop, and a row under way is left to the next start
├── RowError             ends in the envelope of its row; the rest goes on
└── TransportError       HTTP without a whole answer; the client turns it into a RowError
    ├── NotSent            the connection failed before the request left
    └── AnswerLost         the request may have arrived
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class ConnectorError(Exception):
    """The root. Its text is for a person: what happened, where, and what to do."""


class RunFault(ConnectorError):
    """A fault of the whole run, found before anything was sent."""


class DeclarationError(RunFault):
    """A YAML declaration is wrong. The text names the file, the line and the key."""


class ConnectionFault(RunFault):
    """The connection's settings, credentials or sign-in are wrong."""


class RunStopped(ConnectorError):
    """A run that had begun cannot go on (a full disk, a folder that vanished). It can be resumed."""


class Interrupted(RunStopped):
    """The run is asked to stop, and a row would have to wait for long: it is left without an envelope.

    Raised only where what the row has sent so far may be sent again, or was certainly not carried out.
    """


class RowError(ConnectorError):
    """What ends one row's work.

    `code` is one of `envelope.CODES`. `refused` is true when the API certainly did not carry the failed
    request out, so that sending it again is safe. `status`, `request_id` and `attempts` describe the last
    answer where there was one; `vendor_code` is the API's own code for a refused sign-in; `result` is what
    had been done before (code `partial`).
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        refused: bool = True,
        status: int | None = None,
        request_id: str | None = None,
        attempts: int = 0,
        result: Any = None,
        vendor_code: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.refused = refused
        self.status = status
        self.request_id = request_id
        self.attempts = attempts
        self.result = result
        self.vendor_code = vendor_code


class TransportError(ConnectorError):
    """HTTP failed without a whole answer. `code` is the envelope code that it becomes."""

    def __init__(self, message: str, code: str = "network_error") -> None:
        super().__init__(message)
        self.code = code


class NotSent(TransportError):
    """The connection failed before the request left: sending again is always safe."""


class AnswerLost(TransportError):
    """The request left, and its answer did not arrive whole: it may have been carried out."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ` (did you mean "x"?)` for the closest of `names`, or an empty text."""
    import difflib  # only once something is wrong

    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f' (did you mean "{found[0]}"?)' if found else ""


def shorten(text: str, length: int = 200) -> str:
    """Cut a text for an error message, saying that and how much was cut."""
    return text if len(text) <= length else f"{text[:length]}… ({len(text)} characters)"
