"""What every host needs: an action bound to the templates that its form gives, and run over its rows.

A host's module provides the rest: what stands in its form (`given` texts by input name, and the connection's
settings), its rows (an iterator of `files.InputRow`), and what answers a row (a `batch.Listener`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from threading import Event
from typing import Any

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.auth import Auth
from connector.client.factory import open_client, open_transport, sign_in
from connector.common.absent import ABSENT
from connector.common.clock import SystemClock
from connector.common.redaction import Redactor
from connector.connections.connection import Connection
from connector.errors import RunError
from connector.files.output import StreamOutput
from connector.files.readers import InputRow
from connector.runs.batch import require_first, run_batch
from connector.runs.job import Job
from connector.runs.policy import apply_policy
from connector.runs.run import Prepared, make_invoker, prepare
from connector.runs.summary import Listener, Summary


def prepare_form(
    catalog: Catalog, job: Job, given: Mapping[str, str], fallbacks: Mapping[str, Any] | None = None
) -> Prepared:
    """Bind the job's action to the texts that stand in a host's form, by input name.

    A field left empty is an input that is absent, and never the row's field of the same name. Raises RunError
    before anything is read or sent.
    """
    action = catalog.action(job.action)
    empty = [name for name in needed(action, fallbacks or {}) if not given.get(name, "").strip()]
    if empty:
        titles = ", ".join(f'{name} ("{action.inputs[name].title}")' for name in empty)
        raise RunError(f"{action.name} needs a value for {titles}, which is left empty")
    templates = {name: text for name, text in given.items() if text.strip()}
    if not templates.keys() - {"delay_ms"}:
        # An action without any template would take the row's fields of its inputs' names.
        templates |= dict.fromkeys(action.inputs.keys() - templates.keys(), "")
    return prepare(replace(job, templates=templates), catalog, fallbacks)


def needed(action: Action, fallbacks: Collection[str] = ()) -> list[str]:
    """Name the inputs that a form cannot leave empty: required ones without a default or fallback."""
    return [n for n in action.required if action.inputs[n].default is ABSENT and n not in fallbacks]


def run_rows(
    prepared: Prepared,
    connection: Connection,
    rows: Iterator[InputRow],
    answer: Listener,
    stop: Event | None = None,
) -> Summary:
    """Run a prepared action over a host's rows, and answer them in their order, one envelope at a time.

    Nothing is kept for another run: a host begins each anew. When `stop` is set, the rows under way are
    answered (as `cancelled` where they would wait for long), and no other is begun. Raises RunError (nothing
    was sent), or what `answer` raises: RunStoppedError when the host takes no more.
    """
    rows, clock = require_first(rows), SystemClock(stop, resumable=False)
    connection = apply_policy(prepared.action, prepared.job, connection)
    client = open_client(prepared.service, connection, prepared.bindings.delay_ms, clock=clock)
    sign_in(client)
    invoker = make_invoker(prepared, client)
    with open(os.devnull, "wb") as nowhere:  # what is kept of an envelope is what the host is answered
        output = StreamOutput("jsonl", nowhere)
        concurrency = prepared.job.concurrency
        try:
            return run_batch(rows, invoker, output, clock, (answer,), stop, concurrency=concurrency)
        finally:
            client.flush_audit()


def try_sign_in(service: Service, connection: Connection) -> None:
    """Sign in anew, whatever token an earlier run has left. Raises RowError, or ConnectionSetupError."""
    redactor = Redactor(connection.secrets, service.secrets)
    Auth(service, connection, open_transport(connection), SystemClock(), redactor).token()
