"""Puts a run together (catalogue, connection, client, rows, output) and runs it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from connector import json_text
from connector.action import Action
from connector.auth import Auth
from connector.batch import Listener, Summary, require_first, run_batch
from connector.bindings import Bindings, bind
from connector.catalog import Catalog
from connector.client import Client
from connector.clock import Clock, SystemClock
from connector.connections import Connection, load_connection
from connector.errors import ConnectionFault, RowError, RunFault
from connector.files import RowSource
from connector.http import HttpTransport, Transport
from connector.invoke import Invoker, NoRecorder, Recorder
from connector.job import STREAM, Job
from connector.output import FileOutput, Output, Start, StreamOutput, format_of
from connector.pacing import Pacer
from connector.redact import Redactor
from connector.service import Service
from connector.state import state_file


@dataclass(frozen=True)
class Prepared:
    """A job whose action is found and whose templates are bound: nothing was read or sent yet."""

    job: Job
    action: Action
    service: Service
    bindings: Bindings


def prepare(job: Job, catalog: Catalog, fallbacks: Mapping[str, Any] | None = None) -> Prepared:
    """Find a job's action and bind its templates. Raises RunFault.

    `fallbacks` are values for inputs that a row leaves absent, such as the end of a host's batch.
    """
    action = catalog.action(job.action)
    bindings = bind(
        action, job.templates, match_fields=job.match_fields, delay_ms=job.delay_ms, fallbacks=fallbacks
    )
    if action.returns_file and (job.files is None or not job.files.is_dir()):
        raise RunFault(f"{action.name} gives files: say with --files in which folder they are to be saved")
    return Prepared(job, action, catalog.service(action.service), bindings)


def open_client(
    service: Service,
    connection: Connection,
    delay_ms: float,
    *,
    clock: Clock | None = None,
    transport: Transport | None = None,
) -> Client:
    """Make the client of a connection, sharing pace and token with every other process of this user."""
    clock = clock or SystemClock()
    redactor = Redactor((connection.client_secret, connection.access_token), service.secrets)
    transport = transport or HttpTransport(
        connection.base_url,
        timeout_s=connection.timeout_s,
        verify_tls=connection.verify_tls,
        ca_file=connection.ca_file,
        proxy=connection.proxy,
    )
    identity = (connection.base_url, connection.client_id, connection.client_secret, connection.scope)
    cache = None if connection.access_token else state_file("token", "\n".join(identity))
    auth = Auth(service, connection, transport, clock, redactor, cache)
    pacer = Pacer(delay_ms, clock, state_file("pace", connection.account))
    return Client(service, connection, transport, auth, pacer, clock, redactor)


def run(
    prepared: Prepared,
    start: Start = "new",
    *,
    listeners: tuple[Listener, ...] = (),
    stop: Event | None = None,
    connection: Connection | None = None,
) -> Summary:
    """Run a prepared job to its end. Signs in first, so that wrong credentials send nothing.

    Raises RunFault (nothing was sent), or RunStopped (it can be resumed).
    """
    job, service = prepared.job, prepared.service
    clock = SystemClock()
    _check_start(job, start)
    source = RowSource(job.input, job.input_format)
    rows = require_first(source.rows())
    connection = connection or load_connection(service, job.connection)
    client = open_client(service, connection, prepared.bindings.delay_ms, clock=clock)
    sign_in(client)
    with _open_output(prepared, connection, source, start, client.redactor) as (output, recorder):
        invoker = make_invoker(prepared, client, recorder)
        return run_batch(rows, invoker, output, clock, listeners, stop)


def sign_in(client: Client) -> None:
    """Sign in. Raises ConnectionFault when that fails."""
    try:
        client.sign_in()
    except RowError as error:
        raise ConnectionFault(str(error)) from error


def make_invoker(prepared: Prepared, client: Client, recorder: Recorder | None = None) -> Invoker:
    """Make what runs the job's action over rows."""
    job = prepared.job
    return Invoker(
        prepared.action,
        prepared.service,
        prepared.bindings,
        client,
        uploads=job.uploads,
        files=job.files,
        rows=job.rows,
        keep_row=job.keep_row,
        reveal_secrets=job.reveal_secrets,
        recorder=recorder or NoRecorder(),
    )


def _check_start(job: Job, start: Start) -> None:
    if start != "new" and job.output == STREAM:
        raise RunFault(
            "a run to standard output leaves nothing behind that could be resumed; use --output FILE"
        )
    if start == "resume" and job.input == STREAM:
        raise RunFault("a run from standard input cannot be resumed: its rows are gone; use --input FILE")


@contextmanager
def _open_output(
    prepared: Prepared, connection: Connection, source: RowSource, start: Start, redactor: Redactor
) -> Iterator[tuple[Output, Recorder]]:
    job = prepared.job
    if job.output == STREAM:
        stream = StreamOutput(format_of("", job.output_format))
        try:
            yield stream, NoRecorder()
        finally:
            stream.close()
        return
    fingerprint = _fingerprint(prepared, connection, source)
    output = FileOutput(
        Path(job.output), format_of(job.output, job.output_format), fingerprint, start, redactor
    )
    try:
        yield output, output.journal
    finally:
        output.close()


def _fingerprint(prepared: Prepared, connection: Connection, source: RowSource) -> dict[str, str]:
    """Say what a run is, so that another one is not taken for it. Holds digests, no data."""
    job = prepared.job
    settings = [job.rows, job.keep_row, job.match_fields, job.output_format, job.reveal_secrets]
    return {
        "action": f"{job.action} {_digest(prepared.action.file.read_bytes())}",
        "templates": _digest(json_text.dump_bytes(dict(job.templates))),
        "connection": _digest(connection.account.encode()),
        "input": "" if source.is_stdin else source.digest(),
        "settings": _digest(json_text.dump_bytes(settings)),
    }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
