"""Runs a file of rows, or a job file, with one connection and an output that a later call can continue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

from connector.catalog.catalog import Catalog
from connector.common.clock import SystemClock
from connector.connections.connection import Connection
from connector.errors import ConnectorError, RunError, RunInterruptedError, file_errors
from connector.files.run_store import can_resume
from connector.files.work_folder import Start
from connector.runs.columns import check_columns
from connector.runs.exit_codes import INTERRUPTED, OK, ROWS_FAILED, exit_code_of_run
from connector.runs.finished_steps import changes
from connector.runs.job import STREAM, Job
from connector.runs.job_run import run_all
from connector.runs.output_choice import Jobs, Load, check_inputs_kept, choose_outputs, start_of
from connector.runs.prepared import Prepared, prepare_all
from connector.runs.records import find
from connector.runs.run import check_expected
from connector.runs.run_stores import store_of
from connector.runs.summary_document import SummaryDocument
from connector.state.setting import find_state
from connector.templating.scope import is_template

SETTINGS = (
    *("delay_ms", "min_delay_ms", "read_only", "audit", "uploads", "files", "reveal_secrets"),
    *("timezone", "times", "with_names"),
)
"""The settings of a job that a session can have, which then replace those of its job files."""
_LATER_S = 400 * 86400 + 3661.0
_RESTART = re.compile("(; use |; |, or )--restart .*")


@contextmanager
def _without_options() -> Iterator[None]:
    """Context whose errors name parameters in place of the options of the command line."""
    try:
        yield
    except ConnectorError as error:
        text = str(error).replace("--resume", "resume=True")
        if found := _RESTART.search(text):
            joined = "; use" if found[1] == "; use " else ", or use"
            text = f"{text[: found.start()]}{joined} another output"
        error.args = (text, *error.args[1:])
        raise


@_without_options()
def run_jobs(
    load: Load,
    catalog: Catalog,
    service: str,
    connection: Connection,
    *,
    named: str | None = None,
    confirm: bool = False,
    resume: bool = False,
    stop: Event | None = None,
) -> dict[str, Any]:
    """Run a job, or its steps, and return its summary, as in `schemas/summary.schema.json`.

    `load` returns the jobs for a start time. All rows are those of one connection of `service`; `named` is
    its name or file, for the record. `resume` continues an unfinished run, and returns the summary of a
    finished one, if it is the same run. Raises RunError (nothing was sent) and RunStoppedError.
    """
    now = SystemClock().now()
    jobs = _load(load, now, resume=resume)
    check_inputs_kept(jobs)
    _check_connections(jobs)
    jobs = tuple(replace(job, connection=named, connections={}, allow_connections={}) for job in jobs)
    jobs = tuple(replace(job, state=find_state(job.state, connection.state)) for job in jobs)
    steps = prepare_all(jobs, catalog, now)
    _check_steps(steps, service, confirm)
    start = _continued(steps, connection) if resume else start_of(jobs, "new")
    if start is None:
        return _finished(steps)
    for step in steps:
        if start != "resume":
            check_columns(step)
        check_expected(step)
    document, exit_code = SummaryDocument(), OK
    try:
        for step, summary in run_all(steps, start, stop=stop, connection=connection, observer=document.begin):
            if summary is None:
                document.finished_before(step.job)
            else:
                exit_code = max(exit_code, exit_code_of_run(summary))
    except RunInterruptedError as error:
        return document.as_json(INTERRUPTED, str(error))
    return document.as_json(exit_code)


def _load(load: Load, now: float, *, resume: bool) -> Jobs:
    jobs = load(now)
    if not resume:
        return choose_outputs(load, now, "new")
    if jobs[0].output_exists == "number":
        raise RunError("output_exists: number gives each run another output, so that none can be resumed")
    if [job.output for job in jobs] != [job.output for job in load(now + _LATER_S)]:
        raise RunError(
            f"{jobs[0].output}: this name depends on the time, so that a later call would not find the run "
            "to resume; use a variable (vars) in it instead of now"
        )
    return jobs


def _check_connections(jobs: Sequence[Job]) -> None:
    for job in jobs:
        if is_template(job.connection) or len(job.connections) > 1:
            raise RunError(
                "the job uses several connections, and a session has one; run it with `ninjaone run`, or in "
                "a session for each connection"
            )


def _check_steps(steps: Sequence[Prepared], service: str, confirm: bool) -> None:
    for step in steps:
        label, job = step.job.label, step.job
        if step.service.name != service:
            raise RunError(f"{label}: an action of {step.service.title}, and the session has another service")
        if step.action.effect == "destructive" and not confirm:
            raise RunError(f"{label} is destructive: it requires confirm=True. Nothing was sent")
        if job.input == STREAM:
            raise RunError(f"{label}: no input; name a file of rows as the input")
        if job.output == STREAM:
            raise RunError(f"{label}: no output; name a file, which a later call can continue")


def _continued(steps: Sequence[Prepared], connection: Connection) -> Start | None:
    """Return how a run starts that continues an earlier one, if there is one; None if that is finished.

    Raises RunError if the output is that of another run.
    """
    outputs = [Path(step.job.output) for step in steps]
    with file_errors(outputs[0]):
        exist = [path.exists() for path in outputs]
        store = store_of(steps[0].job.state)
        if any(can_resume(store, path) for path in outputs) or (any(exist) and not all(exist)):
            return "resume"
    if not any(exist):
        return "new"
    for step in steps:
        changed = changes(step, connection)
        if changed == []:
            continue
        if changed is None and not step.job.step and store.is_finished(outputs[0]):
            return "resume"  # sends nothing, and refuses the output of another run
        if step.job.output_exists == "overwrite":
            return "restart"
        why = "there is no record of its run on this machine"
        if changed:
            why = f"it is the output of another run, which differs in its {', '.join(changed)}"
        raise RunError(f"{step.job.output}: already exists, and {why}; use another name. Nothing was sent")
    return None


def _finished(steps: Sequence[Prepared]) -> dict[str, Any]:
    """Return the summary of a finished run from its record. Raises RunError."""
    document, exit_code = SummaryDocument(), OK
    for step in steps:
        record = find(Path(step.job.output))
        if record is None or record.summary is None or record.ended is None:
            raise RunError(
                f"{step.job.output}: this run is finished, and its summary was lost when its process ended; "
                "the results are in the file. Nothing was sent"
            )
        document.finished(step.job, record.summary)
        left_out: Any = record.summary.get("left_out", {})
        if record.summary["failed"] or left_out.get("failed"):
            exit_code = ROWS_FAILED
    return document.as_json(exit_code, "this run was finished before; nothing was sent")
