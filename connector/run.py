"""Puts a run together (catalogue, connection, client, rows, output) and runs it, or the steps of a job."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from connector import json_text
from connector.action import Action
from connector.audit import Audit
from connector.auth import Auth, token_file
from connector.batch import Listener, Summary, require_first, run_batch
from connector.bindings import Bindings, bind
from connector.catalog import Catalog
from connector.client import Client
from connector.clock import Clock, SystemClock
from connector.connections import Connection, load_connection
from connector.doors import behind_doors, let_through
from connector.errors import ConnectionFault, RowError, RunFault, RunStopped
from connector.exchange import NoRecorder, Recorder
from connector.files import RowSource
from connector.http import Transport
from connector.invoke import Invoker
from connector.job import STREAM, Job
from connector.output import (
    FileOutput,
    Output,
    Start,
    StreamOutput,
    discard,
    format_of,
    is_interrupted,
    look,
    look_for_another_run,
)
from connector.pacing import Pacer
from connector.redact import Redactor
from connector.repeats import ChosenRows, Rerun
from connector.runs import Onlooker, Rows, Running, recorded
from connector.service import Service
from connector.state import state_file
from connector.steps import Only, StepRows, compile_only
from connector.transport import HttpTransport


@dataclass(frozen=True)
class Prepared:
    """A job whose action is found and whose templates are bound: nothing was read or sent yet."""

    job: Job
    action: Action
    service: Service
    bindings: Bindings
    only: Only | None = None
    rerun: Rerun | None = None


def prepare(
    job: Job, catalog: Catalog, fallbacks: Mapping[str, Any] | None = None, now: float | None = None
) -> Prepared:
    """Find a job's action and bind its templates. Raises RunFault.

    `fallbacks` are values for inputs that a row leaves absent, such as the end of a host's batch. Templates
    see `now`, the run's own time in epoch seconds, which is alike for all rows.
    """
    action = catalog.action(job.action)
    let_through(action, job)
    constants = {"now": SystemClock().now() if now is None else now}
    bindings = bind(
        action,
        job.templates,
        match_fields=job.match_fields,
        delay_ms=job.delay_ms,
        fallbacks=fallbacks,
        constants=constants,
    )
    if action.returns_file and (job.files is None or not job.files.is_dir()):
        raise RunFault(f"{action.name} gives files: say with --files in which folder they are to be saved")
    only = compile_only(job.only, constants) if job.only else None
    return Prepared(job, action, catalog.service(action.service), bindings, only)


def prepare_all(jobs: Sequence[Job], catalog: Catalog, now: float | None = None) -> list[Prepared]:
    """Prepare the steps of a job, or its only run; all of them have the same `now`. Raises RunFault."""
    now = SystemClock().now() if now is None else now
    prepared = []
    for job in jobs:
        with _naming(job):
            prepared.append(prepare(job, catalog, now=now))
    return prepared


@contextmanager
def _naming(job: Job) -> Iterator[None]:
    """Say of a fault in which step it is."""
    try:
        yield
    except RunFault as error:
        if not job.step:
            raise
        raise RunFault(f'step "{job.step}": {error}') from error


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
    redactor = Redactor(connection.secrets, service.secrets)
    transport = transport or open_transport(connection)
    auth = Auth(service, connection, transport, clock, redactor, token_file(connection))
    pacer = Pacer(delay_ms, clock, state_file("pacing", connection.account))
    audit = Audit(connection.audit, connection.label, redactor) if connection.audit else None
    return Client(service, connection, transport, auth, pacer, clock, redactor, audit)


def open_transport(connection: Connection) -> HttpTransport:
    """Make what carries a connection's requests. Raises ConnectionFault."""
    return HttpTransport(
        connection.base_url,
        timeout_s=connection.timeout_s,
        verify_tls=connection.verify_tls,
        ca_file=connection.ca_file,
        proxy=connection.proxy,
    )


def run(
    prepared: Prepared,
    start: Start = "new",
    *,
    listeners: tuple[Listener, ...] = (),
    stop: Event | None = None,
    connection: Connection | None = None,
    onlooker: Onlooker | None = None,
) -> Summary:
    """Run a prepared job to its end. Signs in first, so that wrong credentials send nothing.

    A run to a file leaves a record: see `runs`.
    Raises RunFault (nothing was sent), or RunStopped (it can be resumed).
    """
    job, service = prepared.job, prepared.service
    clock = SystemClock(stop, resumable=STREAM not in (job.input, job.output))
    _check_start(job, start)
    source = RowSource(job.input, job.input_format)
    taken = StepRows(source, job.follows, prepared.only) if job.follows else None
    all_rows: Rows = taken or source
    if prepared.rerun:
        all_rows = ChosenRows(taken or source, prepared.rerun.numbers)
    rows = require_first(all_rows.rows())
    connection = behind_doors(prepared.action, job, connection or load_connection(service, job.connection))
    client = open_client(service, connection, prepared.bindings.delay_ms, clock=clock)
    sign_in(client)
    known_by = {} if job.output == STREAM else fingerprint(prepared, connection, source)
    summary = Summary(left_out=taken.left_out if taken and not prepared.rerun else {})
    with _open_output(job, known_by, start, client.redactor) as (output, recorder):
        for envelope in output.earlier():
            summary.count(envelope)
        summary.resumed_rows = summary.rows
        if onlooker:
            onlooker(Running(job, all_rows, summary, prepared.bindings.delay_ms, lambda: client.requests))
        with recorded(job, known_by, summary, clock, prepared.rerun.of if prepared.rerun else None):
            try:
                run_batch(
                    rows,
                    make_invoker(prepared, client, recorder),
                    output,
                    clock,
                    listeners,
                    stop,
                    concurrency=job.concurrency,
                    max_errors=job.errors_allowed,
                    summary=summary,
                )
            finally:
                client.settle()  # now, as the rows under way may owe it more than the one that stopped it
    return summary


def run_all(
    steps: Sequence[Prepared],
    start: Start = "new",
    *,
    listeners: tuple[Listener, ...] = (),
    stop: Event | None = None,
    connection: Connection | None = None,
    onlooker: Onlooker | None = None,
) -> Iterator[tuple[Prepared, Summary | None]]:
    """Run the steps of a job one after the other, or its only run. Gives the summary of each as it ends.

    A step that an interrupted job had finished is not run again (its summary is None). Nothing is sent before
    every step's input, output and connection were looked at. A step that stops is the last. Raises RunFault
    (nothing was sent), or RunStopped (it can be resumed), also where more rows failed than the job allows.
    """
    begins = _look_ahead(steps, start, connection) if steps[0].job.step else [start]
    begun = False
    for number, (step, begin) in enumerate(zip(steps, begins, strict=True), start=1):
        if begin is None:
            yield step, None
            continue
        try:
            with _naming(step.job):
                summary = run(
                    step, begin, listeners=listeners, stop=stop, connection=connection, onlooker=onlooker
                )
        except RunFault as error:
            if not begun:
                raise
            raise RunStopped(f"{error}. --resume goes on when that is mended") from error
        begun = True
        yield step, summary
        if summary.too_many_errors and (summary.stopped or number < len(steps)):
            raise RunStopped(_too_many_errors(step.job, summary))
        if summary.stopped:
            return


def _too_many_errors(job: Job, summary: Summary) -> str:
    failed = "1 row" if summary.failed == 1 else f"{summary.failed} rows"
    said = f"{job.label}: {failed} failed, and nothing more is begun then"
    if STREAM in (job.input, job.output):
        return said
    return f"{said}: --resume goes on behind what was written, --restart begins again"


def _look_ahead(steps: Sequence[Prepared], start: Start, connection: Connection | None) -> list[Start | None]:
    """Find all that can be known to be wrong with a job's steps, and say how each of them begins.

    None is one that is finished. A restart removes all outputs, so that none of an earlier run is taken for
    one of this. Raises RunFault.
    """
    outputs = [Path(step.job.output) for step in steps]
    begins = _resumed(outputs) if start == "resume" else _all_anew(outputs, start)
    left = [(step, begin) for step, begin in zip(steps, begins, strict=True) if begin is not None]
    followed = {step.job.follows for step in steps}
    tried: set[Connection] = set()
    for step, begin in left:
        with _naming(step.job):
            _look_at_input(step.job, begin, followed)
            its = connection or load_connection(step.service, step.job.connection)
            its = behind_doors(step.action, step.job, its)
            if its not in tried:
                sign_in(open_client(step.service, its, 0))
            tried.add(its)
    for path in outputs:
        look_for_another_run(path)
    for path in outputs:
        _make_room(path, start)
    return begins


def _make_room(path: Path, start: Start) -> None:
    """Remove what a restart replaces, and make the output's folder."""
    if start == "restart":
        discard(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFault(f"{path.parent}: the folder cannot be made: {error.strerror}") from error


def _look_at_input(job: Job, begin: Start, followed: Set[str]) -> None:
    """Read the first row of an input that is there already: it must not have a step's name for a field."""
    _check_start(job, begin)
    if job.follows or job.input == STREAM:
        return
    for row in RowSource(job.input, job.input_format).rows():
        if hidden := sorted(followed & row.data.keys()):
            raise RunFault(
                f'"{hidden[0]}" is a field of its rows and the name of a step, too: rename the step'
            )
        return


def _anew(path: Path, start: Start) -> Start:
    """Look at the output of a step that is to begin; a folder that is missing will be made."""
    if path.parent.exists():
        look(path, start)
    return "new"


def _all_anew(outputs: Sequence[Path], start: Start) -> list[Start | None]:
    return [_anew(path, start) for path in outputs]


def _resumed(outputs: Sequence[Path]) -> list[Start | None]:
    """Say how the steps of an interrupted job go on: some are finished, one was interrupted, others wait."""
    begins: list[Start | None] = []
    for path in outputs:
        if all(begin is None for begin in begins) and is_interrupted(path):
            begins.append("resume")
        elif all(begin is None for begin in begins) and path.is_file():
            begins.append(None)
        else:
            begins.append(_anew(path, "new"))
    if all(begin == "new" for begin in begins):
        raise RunFault("there is no interrupted job to resume")
    if all(begin is None for begin in begins):
        raise RunFault("every step is finished: there is nothing to resume. --restart begins again")
    return begins


def sign_in(client: Client) -> None:
    """Sign in. Raises ConnectionFault when that fails."""
    try:
        client.sign_in()
    except RowError as error:
        raise ConnectionFault(client.redactor.said(str(error))) from error


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
    job: Job, fingerprint: Mapping[str, str], start: Start, redactor: Redactor
) -> Iterator[tuple[Output, Recorder]]:
    if job.output == STREAM:
        stream = StreamOutput(format_of("", job.output_format))
        try:
            yield stream, NoRecorder()
        finally:
            stream.close()
        return
    output = FileOutput(
        Path(job.output),
        format_of(job.output, job.output_format),
        fingerprint,
        start,
        redactor,
        fsync=job.fsync,
    )
    try:
        yield output, output.journal
    finally:
        output.close()


def fingerprint(prepared: Prepared, connection: Connection, source: RowSource) -> dict[str, str]:
    """Say what a run is, so that another one is not taken for it. Holds digests, no data."""
    job = prepared.job
    settings: list[Any] = [job.rows, job.keep_row, job.match_fields, job.output_format, job.reveal_secrets]
    if job.follows:
        settings += [job.follows, job.only]
    chosen = {"rows": _digest(prepared.rerun.numbers.tobytes())} if prepared.rerun else {}
    return {
        "action": f"{job.action} {_digest(prepared.action.file.read_bytes())}",
        "templates": _digest(json_text.dump_bytes(dict(job.templates))),
        "connection": _digest(connection.account.encode()),
        "input": "" if source.is_stdin else source.digest(),
        "settings": _digest(json_text.dump_bytes(settings)),
        **chosen,
    }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
