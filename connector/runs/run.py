"""Prepares and runs a single run: its action, connection, client, rows and output."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import tzinfo
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.client import Client
from connector.client.factory import open_client, sign_in
from connector.common import json_text
from connector.common.clock import Clock, SystemClock
from connector.common.zones import each_in_zone, in_zone, read_zone
from connector.connections.connection import Connection, load_connection, state_of
from connector.errors import ConnectionSetupError, RunError
from connector.files.envelope import Envelope
from connector.files.output import FileOutput, Output, Start
from connector.files.read_options import ReadOptions
from connector.files.readers import InputRow, RowSource
from connector.invocation.bindings import Bindings, bind
from connector.invocation.exchange import NoRecorder, Recorder
from connector.invocation.handlers import find_handler
from connector.invocation.invoke import Invoker
from connector.runs.account import Account
from connector.runs.active_run import ActiveRun, Rows, RunObserver
from connector.runs.batch import require_first, run_batch
from connector.runs.distinct import Distinct, Key, compile_distinct
from connector.runs.expected_rows import ExpectedRows, read_expected
from connector.runs.job import LEAST_DELAY_MS, NO_INPUT, STREAM, Job, of_service
from connector.runs.job_checks import (
    check_delay,
    check_one_reads_stdin,
    check_output_format,
    runs_without_rows,
)
from connector.runs.policy import apply_policy, check_files_folder, check_policy
from connector.runs.records import recorded, where
from connector.runs.run_output import check_start, open_output
from connector.runs.selection import Selection
from connector.runs.step_rows import Only, StepRows, compile_only
from connector.runs.summary import FailureLimit, Listener, Summary
from connector.runs.tenant_split import Choose, is_template, read_choice
from connector.state.setting import find_state, shown

if TYPE_CHECKING:
    from connector.runs.rerun import Rerun
    from connector.runs.wait import WaitPlan


@dataclass(frozen=True)
class Prepared:
    """A job with its action and compiled templates, before anything is read or sent.

    `expected` has the limits of its number of rows; None means no limits, as in a rerun.

    `choose` returns the connection of each row if it is a template; see `tenant_runs`. `distinct` returns the
    value by which rows share a result; see `distinct`. `seen` is the id of the run that a job's output had
    before the job was checked; see `RunStore.run_id`.
    """

    job: Job
    action: Action
    service: Service
    bindings: Bindings
    only: Only | None = None
    rerun: Rerun | None = None
    choose: Choose | None = None
    expected: ExpectedRows | None = None
    distinct: Key | None = None
    wait: WaitPlan | None = None
    seen: int | None = None

    @property
    def delay_ms(self) -> float:
        """The minimum interval between two requests, in milliseconds: the job's, or the service's default."""
        delay_ms = self.job.delay_ms
        return self.service.delay.default_ms if delay_ms is None or delay_ms == "auto" else delay_ms

    @property
    def min_delay_ms(self) -> float | None:
        """The shortest interval in milliseconds if it adapts to the service; else None."""
        return (self.job.min_delay_ms or LEAST_DELAY_MS) if self.job.delay_ms == "auto" else None


def prepare(
    job: Job,
    catalog: Catalog,
    fallbacks: Mapping[str, Any] | None = None,
    now: float | None = None,
    *,
    null_is_missing: bool = False,
) -> Prepared:
    """Return a job with its action and compiled templates. Raises RunError.

    `fallbacks` are values for inputs without a value in a row. The platform that hosts the connector supplies
    them, such as the end time of its batch. The template variable `now` is the start time of the run in epoch
    seconds, the same for all rows. With `null_is_missing`, the rows are from a table with NULL cells; see
    `Bindings`.
    """
    action = catalog.action(job.action)
    for service in job.connections:
        catalog.service_file(service)  # raises RunError if there is no such service
    job = with_state(job, catalog)
    check_policy(action, job)
    try:
        read_zone(job.timezone)
    except ValueError as error:
        raise RunError(f"timezone: {error}") from None
    check_output_format(job)
    check_delay(job)
    constants = {**job.vars, "now": SystemClock().now() if now is None else now}
    bindings = bind(
        action,
        job.templates,
        match_fields=job.match_fields,
        fallbacks=fallbacks,
        constants=constants,
        null_is_missing=null_is_missing,
        send_empty=job.empty == "send",
    )
    if action.returns_file:
        check_files_folder(action, job.files)
    find_handler(action)  # loaded here, so that a failure is reported once and not for each row
    only = compile_only(job.only, constants) if job.only else None
    choose = read_choice(job.connection, job.allow_connections)
    if job.input == NO_INPUT and (choose or not runs_without_rows(action, bindings)):
        job = replace(job, input=STREAM)
    expected = None if job.step else read_expected(job.max_rows, job.expect_rows)
    distinct = compile_distinct(job.distinct, job.rows) if job.distinct else None
    its = catalog.service(action.service)
    if job.name_kinds:
        from connector.invocation.result_names import check_kinds  # imported only if it is used

        check_kinds(its, job.name_kinds)
    wait = None
    if job.wait_s is not None and not (job.step and action.outcome is None):
        from connector.runs.wait import plan_wait  # imported only for runs that wait

        wait = plan_wait(action, its, catalog, job.wait_s)
    return Prepared(
        *(job, action, its, bindings, only),
        choose=choose,
        expected=expected,
        distinct=distinct,
        wait=wait,
    )


def with_state(job: Job, catalog: Catalog) -> Job:
    """Return a job with the connection of its service, and with the database that has its state.

    It is that of the job, of its connection or of the environment; a run over tenants has no connection.
    Raises RunError.
    """
    job = of_service(job, catalog.action(job.action).service)
    service = catalog.service(catalog.action(job.action).service)
    of_connection = "" if is_template(job.connection) else state_of(service, job.connection)
    return replace(job, state=find_state(job.state, of_connection))


def with_one_state(jobs: Sequence[Job], catalog: Catalog) -> list[Job]:
    """Return the steps of a job, or its single run, with the database that has the state of all of them.

    Raises RunError if their connections name different ones.
    """
    states = []
    for job in jobs:
        with naming(job):
            states.append(with_state(job, catalog).state)
    if len(different := set(filter(None, states))) > 1:
        named = " and ".join(sorted(map(shown, different)))
        raise RunError(
            f"the connections of the steps have their state in different databases ({named}); set `state` in "
            "the job, or use --state"
        )
    return [replace(job, state=max(states, default="")) for job in jobs]


def prepare_all(jobs: Sequence[Job], catalog: Catalog, now: float | None = None) -> list[Prepared]:
    """Return the prepared steps of a job, or its single run, all with the same `now`. Raises RunError."""
    now = SystemClock().now() if now is None else now
    prepared = []
    for job in with_one_state(jobs, catalog):
        with naming(job):
            prepared.append(prepare(job, catalog, now=now))
    check_one_reads_stdin([step.job for step in prepared])
    for number, step in enumerate(prepared):
        if step.job.step and step.action.effect != "read":
            prepared[number] = replace(step, expected=_expected_of_step(step.job))
            break
    return prepared


def _expected_of_step(job: Job) -> ExpectedRows | None:
    hint = ". The earlier steps are complete: --resume continues after them" if job.follows else ""
    return read_expected(job.max_rows, job.expect_rows, hint)


@contextmanager
def naming(job: Job) -> Iterator[None]:
    """Context in which the messages of RunError start with the name of the job's step."""
    try:
        yield
    except RunError as error:
        if not job.step:
            raise
        kind = ConnectionSetupError if isinstance(error, ConnectionSetupError) else RunError
        failure = kind(f'step "{job.step}": {error}')
        failure.transient = error.transient
        raise failure from error


def run(
    prepared: Prepared,
    start: Start = "new",
    *,
    listeners: tuple[Listener, ...] = (),
    stop: Event | None = None,
    connection: Connection | None = None,
    observer: RunObserver | None = None,
) -> Summary:
    """Run a prepared job and return its summary. Signs in first, so that nothing is sent if that fails.

    A run with an output file writes a record; see `records`.
    Raises RunError (nothing was sent), or RunStoppedError (can be resumed).
    """
    job, service = prepared.job, prepared.service
    clock = SystemClock(stop, resumable=STREAM not in (job.input, job.output))
    check_start(job, start)
    opened = open_rows(prepared)
    connection = apply_policy(prepared.action, job, connection or load_connection(service, job.connection))
    zone = zone_of(job, connection)
    with in_zone(zone):
        rows = require_first(checked_rows(prepared, opened))
    client = open_client(
        service,
        connection,
        prepared.delay_ms,
        min_delay_ms=prepared.min_delay_ms,
        clock=clock,
        state=prepared.job.state,
    )
    sign_in(client)
    account = Account(connection.account, connection.timezone)
    run_fingerprint = {} if job.output == STREAM else fingerprint(prepared, account, opened.source)
    queues, waits = prepared.action.accepted, prepared.wait is not None
    summary = Summary(left_out=opened.left_out, queues=queues, waits=waits)
    with (
        open_distinct(prepared) as distinct,
        open_output(job, run_fingerprint, start, client.redactor, seen=prepared.seen) as (output, recorder),
    ):
        for envelope in output.earlier():
            summary.count(envelope)
            if distinct:
                distinct.keep(envelope)
        summary.resumed_rows = summary.rows
        pacers = [client.pacer] if prepared.min_delay_ms else []
        delay_ms = prepared.delay_ms
        running = ActiveRun(job, opened.rows, summary, delay_ms, lambda: client.requests, stop, pacers)
        if observer:
            observer(running)
        rerun_of = prepared.rerun.of if prepared.rerun else None
        with recorded(running, run_fingerprint, clock, rerun_of, where(connection)):
            limit = FailureLimit(job.errors_allowed)

            def revise(envelope: Envelope) -> None:
                summary.revise(envelope)
                limit.count(envelope.has_error)

            try:
                run_batch(
                    each_in_zone(distinct.rows(rows, output.done_rows) if distinct else rows, zone),
                    make_invoker(prepared, client, recorder, output),
                    _waiting(prepared, output, client, clock, revise, summary),
                    clock,
                    listeners,
                    stop,
                    concurrency=job.concurrency,
                    limit=limit,
                    summary=summary,
                    distinct=distinct,
                    in_blocks=not waits,  # because outcomes are added to the results
                )
            finally:
                client.flush_audit()  # Rows in progress can have audit lines that are not written yet.
    return summary


def _waiting(
    prepared: Prepared, output: Output, client: Client, clock: Clock, revise: Listener, summary: Summary
) -> Output:
    """Return an output that waits for outcomes if the job does. Raises RunError."""
    if prepared.wait is None:
        return output
    from connector.runs.waiting_output import waiting  # imported only for runs that wait

    may_resume = STREAM not in (prepared.job.input, prepared.job.output)
    return waiting(output, prepared.wait, client, clock, revise, summary.wait_for, may_resume=may_resume)


def open_distinct(prepared: Prepared) -> AbstractContextManager[Distinct | None]:
    """Return a context with the shared results of a run; None if its rows share nothing."""
    return closing(Distinct(prepared.distinct)) if prepared.distinct else nullcontext()


class OpenedRows(NamedTuple):
    """A run's rows; `left_out` has the number of rows that a step skipped, by reason."""

    source: RowSource
    rows: Rows
    left_out: dict[str, int]


def open_rows(prepared: Prepared) -> OpenedRows:
    """Return the rows of a run's input. Raises RunError."""
    job, rerun = prepared.job, prepared.rerun
    source = job.source()
    if rerun:
        from connector.runs.job_rerun_rows import rows_of_rerun  # imported only for reruns

        return OpenedRows(source, *rows_of_rerun(rerun, job, source, prepared.only))
    if job.follows:
        of_step = StepRows(source, job.follows, prepared.only)
        return OpenedRows(source, of_step, of_step.left_out)
    return OpenedRows(source, job.selection.rows(source), {})


def checked_rows(prepared: Prepared, opened: OpenedRows) -> Iterator[InputRow]:
    """Return the rows of a run. Raises RunError if their number is not the expected one."""
    expected = None if prepared.rerun else prepared.expected
    if expected and opened.source.is_stdin:
        return expected.checked(opened.rows.rows())
    if expected:
        expected.check(_count_rows(prepared))
    return opened.rows.rows()


def check_expected(prepared: Prepared) -> None:
    """Raise RunError if the input's number of rows is not the expected one.

    Some inputs cannot be counted yet.
    """
    if prepared.expected and not prepared.rerun and not prepared.job.follows and prepared.job.input != STREAM:
        with naming(prepared.job):
            prepared.expected.check(_count_rows(prepared))


def _count_rows(prepared: Prepared) -> int:
    rows = open_rows(prepared).rows  # opened again, because counting changes `left_out`
    count = None if prepared.job.follows else rows.count(lambda: True)
    return sum(1 for _ in rows.rows()) if count is None else count


def make_invoker(
    prepared: Prepared, client: Client, recorder: Recorder | None = None, output: Output | None = None
) -> Invoker:
    """Return the object that runs the job's action for each row."""
    job, recorder = prepared.job, recorder or NoRecorder()
    if prepared.rerun and prepared.rerun.done:
        from connector.runs.continued import Continued  # imported only for reruns

        recorder = Continued(recorder, prepared.rerun.done)
    return Invoker(
        prepared.action,
        prepared.service,
        prepared.bindings,
        client,
        uploads=job.uploads,
        files=job.files,
        lists=output.folder if isinstance(output, FileOutput) else None,
        rows=job.rows,
        keep_row=job.keep_row,
        reveal_secrets=job.reveal_secrets,
        zone=zone_of(job, client.connection),
        times=job.times,
        with_names=job.name_kinds,
        recorder=recorder,
        order_inputs=prepared.wait.outcome.row_inputs if prepared.wait else (),
        is_alone=job.concurrency == 1,
        checked=prepared.rerun.checked if prepared.rerun else frozenset(),
    )


def zone_of(job: Job, connection: Connection | None) -> tzinfo:
    """Return the zone of times without one: the job's, or else the connection's; both are checked before."""
    return read_zone(job.timezone or (connection.timezone if connection else ""))


def fingerprint(prepared: Prepared, account: Account, source: RowSource) -> dict[str, str]:
    """Return digests of a run's action, templates, input and connection.

    A run can be resumed only with the same digests.
    """
    job = prepared.job
    settings: list[Any] = [job.rows, job.keep_row, job.match_fields, job.output_format, job.reveal_secrets]
    if prepared.wait:
        settings.append("wait")
    if job.empty == "send":
        settings.append("empty")
    if job.follows:
        settings += [job.follows, job.only]
    if job.read_options != ReadOptions():  # only if set, so that runs of earlier versions can be resumed
        settings.append({"read": asdict(job.read_options)})
    if job.selection != Selection():
        settings.append({"selection": asdict(job.selection)})
    settings += [name for name in ("bom", "results") if getattr(job, name)]
    if job.with_names:
        settings.append({"with_names": job.name_kinds})
    if job.times == "iso":
        settings.append("times")
    if job.vars:
        settings.append({"vars": dict(job.vars)})
    if zone := job.timezone or account.timezone:
        settings.append({"timezone": zone})
    if job.distinct:
        settings.append({"distinct": job.distinct})
    rerun = prepared.rerun
    chosen = {"rows": _digest(rerun.numbers.tobytes())} if rerun else {}
    if rerun and rerun.corrected is not None:
        chosen["corrected"] = "yes"
    return {
        "action": action_digest(prepared.action),
        "templates": _digest(json_text.dump_bytes(dict(job.templates))),
        "connection": _digest(account.key.encode()),
        "input": "" if source.is_stdin else source.digest(),
        "settings": _digest(json_text.dump_bytes(settings)),
        **chosen,
    }


def action_digest(action: Action) -> str:
    """Return the name of an action, and the digest of its declaration."""
    return f"{action.name} {_digest(action.file.read_bytes())}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
