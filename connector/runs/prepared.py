"""Prepares a single run: its action, templates and connection, before anything is read or sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.client import Client
from connector.common.clock import SystemClock
from connector.common.zones import read_zone
from connector.connections.connection import Connection, state_of
from connector.errors import ConnectionSetupError, RunError
from connector.invocation.bindings import Bindings, bind
from connector.invocation.exchange import NoRecorder, Recorder
from connector.invocation.handlers import find_handler
from connector.invocation.invoke import Invoker
from connector.runs.connection_choice import SelectConnection, read_choice
from connector.runs.job import DEFAULT_MIN_DELAY_MS, NO_INPUT, STREAM, Job, of_service
from connector.runs.job_checks import (
    check_delay,
    check_one_reads_stdin,
    check_output_format,
    runs_without_rows,
)
from connector.runs.policy import check_files_folder, check_policy
from connector.state.setting import find_state, shown
from connector.templating.scope import is_template

if TYPE_CHECKING:
    from connector.files.output import Output
    from connector.runs.distinct import Key
    from connector.runs.expected_rows import ExpectedRows
    from connector.runs.rerun import Rerun
    from connector.runs.step_rows import Only
    from connector.runs.wait import WaitPlan


@dataclass(frozen=True, eq=False, repr=False)
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
    choose: SelectConnection | None = None
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
        return (self.job.min_delay_ms or DEFAULT_MIN_DELAY_MS) if self.job.delay_ms == "auto" else None


def prepare(
    job: Job,
    catalog: Catalog,
    fallbacks: Mapping[str, Any] | None = None,
    now: float | None = None,
    *,
    null_is_missing: bool = False,
    action: Action | None = None,
) -> Prepared:
    """Return a job with its action and compiled templates. Raises RunError.

    `action` is the action of the job if it is already loaded.

    `fallbacks` are values for inputs without a value in a row. The platform that hosts the connector supplies
    them, such as the end time of its batch. The template variable `now` is the start time of the run in epoch
    seconds, the same for all rows. With `null_is_missing`, the rows are from a table with NULL cells; see
    `Bindings`.
    """
    action = action or catalog.action(job.action)
    for service in job.connections:
        catalog.service_file(service)  # raises RunError if there is no such service
    job = _with_state(job, catalog.service(action.service))
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
    only = None
    if job.only:
        from connector.runs.step_rows import compile_only  # imported only for steps that select rows

        only = compile_only(job.only, constants)
    choose = read_choice(job.connection, job.allow_connections)
    if job.input == NO_INPUT and (choose or not runs_without_rows(action, bindings)):
        job = replace(job, input=STREAM)
    expected = None if job.step else _expected(job)
    distinct = None
    if job.distinct:
        from connector.runs.distinct import compile_distinct  # imported only for runs with shared results

        distinct = compile_distinct(job.distinct, job.rows)
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

    The database is that of the job, of its connection or of the environment; a run over tenants has no
    connection. Raises RunError.
    """
    return _with_state(job, catalog.service(catalog.action(job.action).service))


def _with_state(job: Job, service: Service) -> Job:
    job = of_service(job, service.name)
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
    return _expected(job, hint)


def _expected(job: Job, hint: str = "") -> ExpectedRows | None:
    if job.max_rows is None and job.expect_rows is None:
        return None
    from connector.runs.expected_rows import read_expected  # imported only for runs with such limits

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


def make_invoker(
    prepared: Prepared, client: Client, recorder: Recorder | None = None, output: Output | None = None
) -> Invoker:
    """Return the object that runs the job's action for each row."""
    job, recorder = prepared.job, recorder or NoRecorder()
    if prepared.rerun and prepared.rerun.done:
        from connector.runs.continued import Continued  # imported only for reruns

        recorder = Continued(recorder, prepared.rerun.done)
    lists = None
    if output is not None:
        from connector.files.file_output import FileOutput  # imported here, because calls have no output

        lists = output.folder if isinstance(output, FileOutput) else None
    return Invoker(
        prepared.action,
        prepared.service,
        prepared.bindings,
        client,
        uploads=job.uploads,
        files=job.files,
        lists=lists,
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
