"""Runs a single prepared run: its client, rows and output."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

from connector.catalog.action import Action
from connector.client.client import Client
from connector.client.factory import open_client, sign_in
from connector.common import json_text
from connector.common.clock import Clock, SystemClock
from connector.common.durability import reserved_open_files
from connector.common.zones import each_in_zone, in_zone
from connector.connections.connection import Connection, load_connection
from connector.files.envelope import Envelope
from connector.files.output import Output
from connector.files.read_options import ReadOptions
from connector.files.readers import InputRow, RowSource
from connector.files.work_folder import Start
from connector.runs.account import Account
from connector.runs.active_run import ActiveRun, Rows, RunObserver
from connector.runs.batch import max_open_files, require_first, run_batch
from connector.runs.distinct import Distinct
from connector.runs.job import STREAM
from connector.runs.policy import apply_policy
from connector.runs.prepared import Prepared, make_invoker, naming, zone_of
from connector.runs.recording import recorded, where
from connector.runs.run_output import check_start, open_output, run_id_of
from connector.runs.selection import Selection
from connector.runs.step_rows import StepRows
from connector.runs.summary import FailureLimit, Listener, Summary

if TYPE_CHECKING:
    from connector.runs.wait import Report, WaitPlan


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
        reserved_open_files(max_open_files(job.concurrency)),
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
        place = where(connection)
        with recorded(running, run_fingerprint, clock, rerun_of, place, run_id_of(output)):
            limit = FailureLimit(job.errors_allowed)

            def revise(envelope: Envelope) -> None:
                summary.revise(envelope)
                limit.count(envelope.has_error)

            try:
                run_batch(
                    each_in_zone(distinct.rows(rows, output.done_rows) if distinct else rows, zone),
                    make_invoker(prepared, client, recorder, output),
                    waiting_if_planned(
                        *(output, prepared.wait, client, clock, revise, summary.wait_for),
                        may_resume=STREAM not in (job.input, job.output),
                    ),
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


def waiting_if_planned(
    output: Output,
    plan: WaitPlan | None,
    client: Client,
    clock: Clock,
    revise: Listener,
    report: Report,
    *,
    may_resume: bool,
) -> Output:
    """Return an output that waits for outcomes if there is a plan; see `waiting`. Raises RunError."""
    if plan is None:
        return output
    from connector.runs.waiting_output import waiting  # imported only for runs that wait

    return waiting(output, plan, client, clock, revise, report, may_resume=may_resume)


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
        settings.append({"read": job.read_options._asdict()})
    if job.selection != Selection():
        settings.append({"selection": job.selection._asdict()})
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
