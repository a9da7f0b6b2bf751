"""The common part of all hosts: run an action for the host's rows, with templates from the host's form.

The module of a host provides the texts in the form (`given`, keyed by input name), the settings of the
connection, the rows (an iterator of `files.InputRow`), and a function that receives results (a `Listener`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from threading import Event
from typing import Any

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.factory import open_client, sign_in
from connector.client.open_auth import open_auth
from connector.client.shared_state import find_database
from connector.client.transport import open_transport
from connector.common.absent import ABSENT
from connector.common.clock import SystemClock
from connector.common.json_text import Json
from connector.common.redaction import Redactor
from connector.connections.connection import Connection
from connector.errors import RunError, shorten, values_hidden
from connector.files.envelope import Envelope
from connector.files.readers import InputRow
from connector.files.stream_output import NoOutput
from connector.invocation.bindings import Bindings
from connector.runs.batch import require_first, run_batch
from connector.runs.job import Job
from connector.runs.policy import apply_policy
from connector.runs.prepared import Prepared, make_invoker, prepare
from connector.runs.summary import Listener, Summary


def prepare_form(
    catalog: Catalog, job: Job, given: Mapping[str, str], fallbacks: Mapping[str, Any] | None = None
) -> Prepared:
    """Return a job prepared with the texts in a host's form, keyed by input name.

    An empty form field means that the input is absent; the row's field of the same name is not used. Raises
    RunError before anything is read or sent.
    """
    action = catalog.action(job.action)
    empty = [name for name in needed(action, fallbacks or {}) if not given.get(name, "").strip()]
    if empty:
        titles = ", ".join(f'{name} ("{action.inputs[name].title}")' for name in empty)
        raise RunError(f"{action.name} requires a value for {titles}, which is empty")
    templates = {name: text for name, text in given.items() if text.strip()}
    if not templates:
        # A job without templates would fill inputs from the row's fields of the same names.
        templates = dict.fromkeys(action.inputs, "")
    return prepare(replace(job, templates=templates), catalog, fallbacks, null_is_missing=True)


_SHORTENED = (40, 60, 80, 200)
"""The lengths, in characters, to which error messages shorten quoted values."""


def needed(action: Action, fallbacks: Collection[str] = ()) -> list[str]:
    """Return the names of the inputs that must have a value in the form: no default and no fallback."""
    return [n for n in action.required if action.inputs[n].default is ABSENT and n not in fallbacks]


def run_rows(
    prepared: Prepared,
    connection: Connection,
    rows: Iterator[InputRow],
    listener: Listener,
    stop: Event | None = None,
    columns: Callable[[], Collection[str]] = tuple,
    fallback_notes: Mapping[str, str] | None = None,
) -> Summary:
    """Run a prepared action for a host's rows, and pass each envelope to `listener`, in order.

    The rows are those of a table. NULL is no value, and a row may lack columns that are NULL; `columns` is
    called when a template reads a missing column. Error messages contain no values of rows. The error of an
    input whose value is a fallback ends with the note of the input in `fallback_notes`.

    Runs cannot be resumed: a host starts each from the beginning. When `stop` is set, the rows in progress
    are finished (as `cancelled` if they would wait long), and no other row is started. Returns the summary.
    Raises RunError if nothing was sent, and RunStoppedError if the host accepts no more results.
    """
    with values_hidden():
        return _run_rows(prepared, connection, rows, listener, stop, columns, fallback_notes or {})


def _run_rows(
    prepared: Prepared,
    connection: Connection,
    rows: Iterator[InputRow],
    listener: Listener,
    stop: Event | None,
    columns: Callable[[], Collection[str]],
    fallback_notes: Mapping[str, str],
) -> Summary:
    prepared = replace(prepared, bindings=replace(prepared.bindings, columns=columns))
    given = _GivenRows(require_first(rows), listener, prepared.bindings, fallback_notes)
    rows, clock = given.rows(), SystemClock(stop, resumable=False)
    connection = apply_policy(prepared.action, prepared.job, connection)
    client = open_client(
        prepared.service,
        connection,
        prepared.delay_ms,
        min_delay_ms=prepared.min_delay_ms,
        clock=clock,
        state=prepared.job.state,
    )
    sign_in(client)
    invoker = make_invoker(prepared, client)
    try:
        return run_batch(
            rows, invoker, NoOutput(), clock, (given.pass_on,), stop, concurrency=prepared.job.concurrency
        )
    finally:
        client.flush_audit()


class _GivenRows:
    """Passes rows to the run, and removes the values of the rows from the error messages of the results."""

    def __init__(
        self, rows: Iterator[InputRow], listener: Listener, bindings: Bindings, notes: Mapping[str, str]
    ) -> None:
        self._rows, self._listener, self._bindings, self._notes = rows, listener, bindings, notes
        self._in_progress: dict[int, InputRow] = {}

    def rows(self) -> Iterator[InputRow]:
        """Yield the rows of the host, and keep each until its result is complete."""
        for row in self._rows:
            self._in_progress[row.number] = row
            yield row

    def pass_on(self, envelope: Envelope) -> None:
        """Pass an envelope to the host, without row values in its error message."""
        row = self._in_progress[envelope.row]
        if envelope.ends_row:
            del self._in_progress[envelope.row]
        if envelope.error:
            message = _without_quoted(envelope.error, row.data)
            envelope = replace(envelope, error=message + self._note(message, row))
        self._listener(envelope)

    def _note(self, message: str, row: InputRow) -> str:
        for name, note in self._notes.items():
            if message.startswith(f"{name}: ") and self._bindings.is_absent(name, row.data):
                return f". {note}"
        return ""


def _without_quoted(message: str, cell: Json) -> str:
    """Return a message in which quoted values of the row are replaced, also shortened ones."""
    if isinstance(cell, (dict, list)):
        for part in cell.values() if isinstance(cell, dict) else cell:
            message = _without_quoted(message, part)
        return message
    if not isinstance(cell, str) or not cell.strip():
        return message
    for text in {cell, cell.strip(), *(shorten(cell, length) for length in _SHORTENED)}:
        message = message.replace(f'"{text}"', "(value not shown)").replace(f"'{text}'", "(value not shown)")
    return message


def try_sign_in(service: Service, connection: Connection) -> None:
    """Sign in without a cached token. Raises RowError, RunError or RunStoppedError."""
    redactor = Redactor(connection.secrets, service.secrets)
    transport, database = open_transport(connection), find_database(connection.state)
    open_auth(service, connection, transport, SystemClock(), redactor, database, is_saved=False).token()
