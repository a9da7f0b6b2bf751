"""Every error of the connector, in one small tree, and the codes that an envelope's `meta.code` can have.

ConnectorError
├── RunError                   found before anything is sent: message, exit 2, no output
│   ├── DeclarationError         a declaration of an action or a service is wrong
│   └── ConnectionSetupError     the connection's settings or credentials cannot be used
├── RunStoppedError            a started run cannot continue; it can be resumed: exit 3
│   └── RunInterruptedError      the run is asked to stop, and a row in progress is left to the next start
├── RowError                   ends its row, in an envelope; the other rows continue
│   ├── InputError               a template fails, or a value cannot be used
│   ├── AuthError                signing in failed
│   └── ApiError                 a request failed: an error response, an unusable one, or none
└── TransportError             HTTP without a complete response; the client turns it into an ApiError
    ├── NotSentError             the connection failed before the request left
    └── ResponseLostError        the request may have arrived
        └── ResponseTooLargeError  its response exceeds a limit, as it would every time

`RowError` becomes an envelope in one place: `connector.invocation.invoke`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, get_args

Code = Literal[
    "template_error",
    "input_invalid",
    "auth_failed",
    "forbidden",
    "not_found",
    "conflict",
    "rate_limited",
    "api_error",
    "bad_response",
    "timeout",
    "network_error",
    "partial",
    "outcome_unknown",
    "cancelled",
    "internal_error",
]
"""The values of `meta.code`, besides null for success."""

CODES: tuple[Code, ...] = get_args(Code)


class ConnectorError(Exception):
    """The base of all errors. Its text is for a person: what happened, where, and what to do."""


class RunError(ConnectorError):
    """An error of the whole run, found before anything was sent."""


class DeclarationError(RunError):
    """A YAML declaration is wrong. The text names the file, the line and the key."""


class ConnectionSetupError(RunError):
    """The connection's settings, credentials or sign-in are wrong."""


class RunStoppedError(ConnectorError):
    """A run that has started cannot continue (a full disk, a removed folder). It can be resumed."""


class RunInterruptedError(RunStoppedError):
    """The run is asked to stop while a row has to wait long; the row is left without an envelope.

    Raised only where what the row has sent so far can be repeated or was certainly not carried out.
    """


class RowError(ConnectorError):
    """The error that ends one row.

    `refused` is true if the API certainly did not carry out the failed request, so that it can be repeated.
    `status`, `request_id` and `attempts` describe the last response, if there was one; `vendor_code` is the
    API's code for a refused sign-in; `result` is what was done before (code `partial`).
    """

    def __init__(
        self,
        code: Code,
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


class InputError(RowError):
    """A template fails (`template_error`), or a value cannot be used (`input_invalid`): nothing was sent."""


class AuthError(RowError):
    """Signing in failed: refused (`auth_failed`), or without a response. No API request was sent."""


class ApiError(RowError):
    """A request to the API failed: an error response, one that cannot be used, or no response."""


class TransportError(ConnectorError):
    """HTTP failed without a complete response. `code` is the envelope code that it becomes."""

    def __init__(self, message: str, code: Code = "network_error") -> None:
        super().__init__(message)
        self.code = code


class NotSentError(TransportError):
    """The connection failed before the request was sent: it can always be repeated."""


class ResponseLostError(TransportError):
    """The request was sent, and its response was not received completely: it may have been carried out."""


class ResponseTooLargeError(ResponseLostError):
    """The response exceeds the limit of its size: another try would end in the same way."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "bad_response")


@contextmanager
def file_errors(path: object) -> Iterator[None]:
    """Raise RunError for an OSError, with its path or else this one. For what is done before a run starts.

    Also `Path.exists` and the like raise OSError, where a folder on the way cannot be entered.
    """
    try:
        yield
    except OSError as error:
        raise RunError(f"{error.filename or path}: cannot be accessed: {error.strerror or error}") from error


def count_of(count: int, noun: str) -> str:
    """Return a count with its noun: `1 row`, `2 rows`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def nearest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """Return ` (did you mean "x"?)` for the closest of `names`, or an empty text if none is close."""
    import difflib  # only once something is wrong

    found = difflib.get_close_matches(name, list(names), n=1, cutoff=cutoff)
    return f' (did you mean "{found[0]}"?)' if found else ""


_VALUES_SHOWN: ContextVar[bool] = ContextVar("values_shown", default=True)


@contextmanager
def values_hidden() -> Iterator[None]:
    """Have the messages of errors show no values of rows, in this thread, for hosts that keep errors."""
    token = _VALUES_SHOWN.set(False)
    try:
        yield
    finally:
        _VALUES_SHOWN.reset(token)


def values_are_shown() -> bool:
    """Return whether messages may show values of rows."""
    return _VALUES_SHOWN.get()


def cited(text: str, length: int = 200) -> str:
    """Return a colon and a text of a row for the end of a message; nothing where values are hidden."""
    return f": {shorten(text, length)}" if values_are_shown() else ""


def shorten(text: str, length: int = 200) -> str:
    """Return a text cut to a length for an error message, with the number of its characters."""
    return text if len(text) <= length else f"{text[:length]}… ({len(text)} characters)"
