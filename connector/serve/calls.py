"""Runs the rows of one request, and returns their envelopes as lines."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from threading import Event
from typing import Any

from connector.callers.sessions import Sessions
from connector.catalog.action import Action
from connector.common import json_text
from connector.errors import ConnectorError, InputError, NotStartedError, RunStoppedError
from connector.files.envelope import Envelope
from connector.files.readers import InputRow
from connector.invocation.exchange import NoRecorder
from connector.invocation.invoke import Invoker
from connector.library.audited import require_audit
from connector.library.session import Session
from connector.serve.checks import RowCheck
from connector.serve.options import CallOptions
from connector.serve.repeats import Repeat, is_tried_again

logger = logging.getLogger(__name__)

_STORED_AT_ONCE = 100
"""The maximum number of a row's envelopes that are stored in one transaction."""


@dataclass(frozen=True)
class Call:
    """A request for an action: what runs it, how its rows are checked, and the store of a repeated one.

    No further row is started when `stop` is set, or `is_gone` says that the caller closed the connection.
    """

    invoker: Invoker
    session: Session
    sessions: Sessions
    check: RowCheck
    options: CallOptions
    stop: Event
    is_gone: Callable[[], bool]
    repeat: Repeat | None = None

    retry_after_s = 5.0
    """How long a caller should wait before it repeats a failed request that is worth a retry, in seconds."""

    def lines(self, rows: Iterator[InputRow]) -> Iterator[bytes]:
        """Run rows, and yield each envelope as a line. A row is read when the one before it has ended.

        Raises NotStartedError if a row is not started, and RunStoppedError if files, the audit log or the
        store cannot be written.
        """
        is_finished = True
        for row in rows:
            self._require_going()
            stored = self._stored(row)
            if stored:
                yield from stored
                continue
            require_audit(self.invoker.client)
            try:
                for envelope, line in self._run(row):
                    is_finished = is_finished and not is_tried_again(envelope)
                    yield line
            finally:
                self.invoker.client.flush_audit()
        if self.repeat and is_finished:
            self.repeat.finish()

    def _require_going(self) -> None:
        """Raise NotStartedError if no further row is to be started."""
        if self.stop.is_set():
            raise NotStartedError("the server is stopping; the remaining rows were not run")
        if self.is_gone():
            raise NotStartedError("the client disconnected; the remaining rows were not run")

    def _stored(self, row: InputRow) -> list[bytes]:
        """Return the stored lines of a row that has ended. Raises NotStartedError."""
        try:
            return self.repeat.lines(row.number) if self.repeat else []
        except RunStoppedError as error:
            raise NotStartedError(f"{error}. Nothing was sent") from error

    def _run(self, row: InputRow) -> Iterator[tuple[Envelope, bytes]]:
        envelopes, first = self._envelopes(row), 0
        while some := [(one, one.line()) for one in islice(envelopes, self._at_once)]:
            if self.repeat:
                self.repeat.keep(row.number, first, [line for _, line in some])
                first += len(some)
            for envelope, line in some:
                if envelope.meta["code"] == "auth_failed":
                    self.sessions.refused(self.session)
                yield envelope, line

    @property
    def _at_once(self) -> int:
        return _STORED_AT_ONCE if self.repeat else 1

    def _envelopes(self, row: InputRow) -> Iterator[Envelope]:
        invoker = self.invoker
        if row.error:
            yield invoker.failed_row(row.number, row.data, InputError(row.code, row.error))
        elif errors := self.check.errors(row.data):
            yield invoker.failed_row(row.number, row.data, InputError("input_invalid", "; ".join(errors)))
        else:
            yield from invoker.envelopes(row.number, row.data)


def open_invoker(
    session: Session, action: Action, options: CallOptions, repeat: Repeat | None = None
) -> Invoker:
    """Return what runs an action for the rows of a request.

    Raises ReadOnlyError, and RunError if the connection cannot be used.
    """
    invoker = session.invoker(action.name, results=options.rows, recorder=repeat or NoRecorder())
    if repeat:
        repeat.redactor = invoker.client.redactor
    return invoker


class Stream:
    """The lines of a streamed response. When the server closes it, no further row is started.

    `resources` are released at its end, or when it is closed, even if it was never read. After an error, the
    server breaks the connection, so that the caller cannot take the lines for complete.
    """

    def __init__(self, lines: Iterator[bytes], resources: ExitStack) -> None:
        self._lines, self._resources = lines, resources

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._lines
        except ConnectorError as error:
            logger.error("a streamed response is incomplete: %s", error)
            raise
        finally:
            self.close()

    def close(self) -> None:
        """Finish the row in progress, and release the resources. Can be repeated."""
        with self._resources:
            close: Any = getattr(self._lines, "close", None)
            if close:
                close()


def only_line(lines: Iterator[bytes]) -> tuple[bytes, Envelope]:
    """Return the only line, and its envelope."""
    (line,) = lines
    return line, Envelope.from_json(json_text.loads(line.decode()))
