"""The exceptions of the connector, and the values of an envelope's `meta.code`.

ConnectorError
├── RunError                   found before anything is sent: message, exit 2, no output
│   ├── DeclarationError         a declaration of an action or a service is not valid
│   ├── ConnectionSetupError     the connection's settings or credentials cannot be used
│   └── ReadOnlyError            the run or its connection is read-only, and the action changes something
├── RunStoppedError            a started run cannot continue; can be resumed: exit 3
│   ├── FailureLimitError        more rows failed than the run allows
│   ├── NotStartedError          the next row is not started: nothing of it was sent
│   ├── RunInterruptedError      the run is stopping, and a waiting row is left for the resumed run
│   └── WaitStoppedError         the outcomes of queued work cannot be read; a resumed run reads them
├── RowError                   ends its row, in an envelope; the other rows continue
│   ├── InputError               a template fails, or a value cannot be used
│   ├── AuthError                signing in failed
│   └── ApiError                 a request failed: an error response, an unusable one, or none
├── ActionError                a call from a program failed; it has the envelope of the call
└── TransportError             HTTP without a complete response; the client turns it into an ApiError
    ├── NotSentError             the connection failed before the request left
    │   └── CertificateError       the certificate is not accepted; a retry would fail in the same way
    └── ResponseLostError        the request may have arrived
        └── ResponseTooLargeError  its response exceeds the size limit; a retry would fail in the same way

`RowError` becomes an envelope in one place: `connector.invocation.invoke`.
"""

from __future__ import annotations

import copyreg
from collections.abc import Iterable, Iterator, Mapping
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
    "execution_failed",
    "execution_timeout",
    "cancelled",
    "internal_error",
]
"""The values of `meta.code`, besides null for success."""

CODES: tuple[Code, ...] = get_args(Code)

Kind = Literal["retry", "fix", "check"]
"""What to do with a failed row: retry it, fix it first, or check whether it already took effect."""
KINDS: Mapping[Code, Kind] = {
    "template_error": "fix",
    "input_invalid": "fix",
    "auth_failed": "fix",
    "forbidden": "fix",
    "not_found": "fix",
    "conflict": "fix",
    "rate_limited": "retry",
    "api_error": "fix",
    "bad_response": "fix",
    "timeout": "retry",
    "network_error": "retry",
    "partial": "check",
    "outcome_unknown": "check",
    "execution_failed": "check",
    "execution_timeout": "check",
    "cancelled": "retry",
    "internal_error": "check",
}
"""The kind of a failed row that can be retried, by `meta.code`.

An `api_error` with status 5xx is `retry`, and an error with `meta.transient` false is `fix`.
"""


def kind_of(meta: Mapping[str, Any]) -> Kind:
    """Return the kind of a failed row from the `meta` of its envelope."""
    if meta.get("repeatable") is not True:
        return "check"
    if meta.get("transient") is False:
        return "fix"
    if meta["code"] == "api_error" and (meta.get("status") or 0) >= 500:
        return "retry"
    return KINDS.get(meta["code"], "check")


class ConnectorError(Exception):
    """The base class of the connector's errors. Messages say what happened, where, and what to do.

    All errors can be copied and pickled, for example by a pool of processes.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the constructor, because the parameters of a subclass are not only the message.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class RunError(ConnectorError):
    """An error of the whole run, found before anything was sent.

    `transient` says whether the same call can succeed later: another run writes the output, or the sign-in
    had no response, or 429 or 5xx.
    """

    transient = False


class DeclarationError(RunError):
    """A YAML declaration is not valid. The message has the file, the line and the key."""


class ConnectionSetupError(RunError):
    """The connection's settings or credentials are not valid, or the sign-in failed."""


class ReadOnlyError(RunError):
    """The run or its connection is read-only, and the action changes something. Nothing was sent."""


class RunStoppedError(ConnectorError):
    """A run that has started cannot continue (a full disk, a removed folder). It can be resumed.

    A call from a program cannot: its request may have been sent, so check whether it took effect.
    """


class NotStartedError(RunStoppedError):
    """A run, or the server of a call, stops before a row is started: nothing of this row was sent."""


class FailureLimitError(RunStoppedError):
    """More rows failed than the run allows (`on_error`, `max_errors`). A resumed run continues after them."""


class RunInterruptedError(RunStoppedError):
    """The run is stopping while a row is waiting. The row has no envelope; a resumed run runs it.

    Raised only if all requests sent by the row can be repeated or certainly had no effect.
    """


class WaitStoppedError(RunStoppedError):
    """The outcomes of queued work cannot be read. All requests were sent; a resumed run continues to wait."""


class RowError(ConnectorError):
    """An error that ends one row.

    `refused` is true if the failed request certainly had no effect, so that it can be repeated.
    `lasting` is true if a retry would fail in the same way although the code usually means the opposite.
    `status`, `request_id` and `attempts` describe the last response, if there was one; `vendor_code` is the
    API's code for a refused sign-in; `result` lists the completed requests (code `partial`).
    """

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        refused: bool = True,
        lasting: bool = False,
        status: int | None = None,
        request_id: str | None = None,
        attempts: int = 0,
        result: Any = None,
        vendor_code: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.refused = refused
        self.lasting = lasting
        self.status = status
        self.request_id = request_id
        self.attempts = attempts
        self.result = result
        self.vendor_code = vendor_code

    def reworded(self, message: str) -> RowError:
        """Return the error of a request that had no effect, with another message."""
        return RowError(
            self.code,
            message,
            lasting=self.lasting,
            status=self.status,
            request_id=self.request_id,
            attempts=self.attempts,
        )


class InputError(RowError):
    """A template fails (`template_error`), or a value cannot be used (`input_invalid`): nothing was sent."""


class AuthError(RowError):
    """Signing in failed: refused (`auth_failed`), or without a response. No API request was sent."""


class ApiError(RowError):
    """A request to the API failed: an error response, one that cannot be used, or no response."""


class ActionError(ConnectorError):
    """A call of an action from a program failed.

    `envelope` is the call's `files.envelope.Envelope`; `code` and `status` are those of its `meta`, and
    `transient` says whether the same call is worth a retry.
    """

    def __init__(self, message: str, envelope: Any) -> None:
        super().__init__(message)
        self.envelope = envelope
        self.code: Code = envelope.meta["code"]
        self.status: int | None = envelope.meta["status"]
        self.transient: bool = envelope.meta.get("transient", False)


class TransportError(ConnectorError):
    """HTTP failed without a complete response. `code` is the envelope code that it becomes.

    `lasting` is true if a retry would fail in the same way.
    """

    lasting = False

    def __init__(self, message: str, code: Code = "network_error") -> None:
        super().__init__(message)
        self.code = code


class NotSentError(TransportError):
    """The connection failed before the request was sent: it can always be repeated."""


class CertificateError(NotSentError):
    """The host's certificate could not be verified; a retry would fail in the same way."""

    lasting = True


class ResponseLostError(TransportError):
    """The request was sent, but no complete response was received: it may have taken effect."""


class ResponseTooLargeError(ResponseLostError):
    """The response exceeds the size limit; a retry would fail in the same way."""

    lasting = True

    def __init__(self, message: str) -> None:
        super().__init__(message, "bad_response")


@contextmanager
def file_errors(path: object) -> Iterator[None]:
    """Context that converts an OSError to a RunError with the path in the error, or else `path`.

    It is for code that runs before anything is sent. `Path.exists` also raises OSError if a parent folder
    cannot be accessed.
    """
    try:
        yield
    except OSError as error:
        raise RunError(f"{error.filename or path}: cannot be accessed: {error.strerror or error}") from error


def count_of(count: int, noun: str) -> str:
    """Return a count with its noun: `1 row`, `2 rows`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def nearest(name: str, names: Iterable[str], cutoff: float = 0.6, *, ignore_case: bool = False) -> str:
    """Return ` (did you mean "x"?)` for the most similar of `names`, or an empty string."""
    import difflib  # imported only for error messages

    form = str.casefold if ignore_case else str
    by_form = {form(one): one for one in reversed(list(names))}
    found = difflib.get_close_matches(form(name), list(by_form), n=1, cutoff=cutoff)
    return f' (did you mean "{by_form[found[0]]}"?)' if found else ""


_VALUES_SHOWN: ContextVar[bool] = ContextVar("values_shown", default=True)


@contextmanager
def values_hidden() -> Iterator[None]:
    """Context in which error messages of this thread omit values of rows, for hosts that store errors."""
    token = _VALUES_SHOWN.set(False)
    try:
        yield
    finally:
        _VALUES_SHOWN.reset(token)


def values_are_shown() -> bool:
    """Return whether error messages include values of rows."""
    return _VALUES_SHOWN.get()


def cited(text: str, length: int = 200) -> str:
    """Return `: TEXT` as the end of a message, or an empty string if values are hidden."""
    return f": {shorten(text, length)}" if values_are_shown() else ""


def quote_value(text: str, length: int = 200) -> str:
    """Return a value of a row in quotes, shortened; if values are hidden, return `(value not shown)`."""
    return f'"{shorten(text, length)}"' if values_are_shown() else "(value not shown)"


def shorten(text: str, length: int = 200) -> str:
    """Return a text shortened to a length for a message, with its original length in characters."""
    return text if len(text) <= length else f"{text[:length]}… ({len(text)} characters)"
