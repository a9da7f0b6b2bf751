"""Runs the steps of a job one after the other, or its single run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Protocol

from connector.client.factory import open_client, sign_in
from connector.common.file_modes import PRIVATE_FOLDER
from connector.connections.connection import Connection, load_connection
from connector.errors import FailureLimitError, RunError, RunStoppedError, count_of, file_errors
from connector.files.errors_file import check_errors_file
from connector.files.run_store import RunStore, can_resume
from connector.files.work_folder import Start
from connector.runs.active_run import RunObserver
from connector.runs.expected_rows import UnexpectedRowsError
from connector.runs.job import STREAM, Job
from connector.runs.policy import apply_policy
from connector.runs.prepared import Prepared, naming
from connector.runs.run import run
from connector.runs.run_output import check_start
from connector.runs.run_stores import store_of
from connector.runs.summary import Listener, Summary
from connector.runs.tenant_accounts import check_tenants


class RunStep(Protocol):
    """A function that runs a step, as `run.run` does."""

    def __call__(
        self,
        prepared: Prepared,
        start: Start,
        *,
        listeners: tuple[Listener, ...],
        stop: Event | None,
        observer: RunObserver | None,
    ) -> Summary:
        """Run a step and return its summary. Raises RunError (nothing was sent), or RunStoppedError."""


def run_all(
    steps: Sequence[Prepared],
    start: Start = "new",
    *,
    listeners: tuple[Listener, ...] = (),
    stop: Event | None = None,
    connection: Connection | None = None,
    observer: RunObserver | None = None,
    confirm: Callable[[Sequence[Prepared]], None] | None = None,
    run_step: RunStep | None = None,
) -> Iterator[tuple[Prepared, Summary | None]]:
    """Run the steps of a job one after the other, or its single run; yield each with its summary.

    A step that was finished before the job was resumed is not run again; its summary is None. The inputs,
    outputs and connections of all steps are checked before anything is sent. If a step stops, later steps are
    not run. `confirm` is called with the remaining steps before the first one that is not a read. `run_step`
    runs each step in another way, such as on other machines.
    Raises RunError (nothing was sent), or RunStoppedError (the job can be resumed), also if more rows failed
    than the job allows.
    """
    for step in steps:
        if step.job.errors and start == "new":
            check_errors_file(step.job.errors, Path(step.job.output))
    begins: list[Start | None] = [start]
    if steps[0].job.step:
        steps = _with_seen(steps)
        begins = _check_all(steps, start, connection)
    begun = False
    for number, (step, begin) in enumerate(zip(steps, begins, strict=True), start=1):
        if begin is None:
            yield step, None
            continue
        if confirm and step.action.effect != "read":
            confirm(steps[number - 1 :])
            confirm = None
        try:
            with naming(step.job):
                if run_step:
                    summary = run_step(step, begin, listeners=listeners, stop=stop, observer=observer)
                elif step.choose:
                    from connector.runs.tenant_runs import run_tenants  # imported only if it is used

                    summary = run_tenants(step, begin, listeners=listeners, stop=stop, observer=observer)
                else:
                    summary = run(
                        step, begin, listeners=listeners, stop=stop, connection=connection, observer=observer
                    )
        except RunError as error:
            if not begun or isinstance(error.__cause__, UnexpectedRowsError):
                raise
            raise RunStoppedError(f"{error}. Fix this, then use --resume to continue") from error
        begun = True
        yield step, summary
        if summary.too_many_errors and (summary.stopped or number < len(steps)):
            raise FailureLimitError(_too_many_errors(step.job, summary))
        if summary.stopped:
            return


def _too_many_errors(job: Job, summary: Summary) -> str:
    message = f"{job.label}: {count_of(summary.failed, 'row')} failed, more than the run allows"
    if STREAM in (job.input, job.output):
        return message
    return f"{message}; use --resume to continue after the finished rows"


def _with_seen(steps: Sequence[Prepared]) -> list[Prepared]:
    """Return the steps with the runs that their outputs have now, before anything depends on them.

    If this process is paused before a later step, another worker can continue the job and run that step.
    """
    store = store_of(steps[0].job.state)
    return [
        step if step.job.output == STREAM else replace(step, seen=store.run_id(Path(step.job.output)))
        for step in steps
    ]


def _check_all(steps: Sequence[Prepared], start: Start, connection: Connection | None) -> list[Start | None]:
    """Check all steps of a job before it starts; return how each step starts, or None if it is finished.

    A restart first removes the outputs of all steps, so that no step reads an old output. Raises RunError.
    """
    outputs = [Path(step.job.output) for step in steps if step.job.output != STREAM]
    if start == "resume" and len(outputs) < len(steps):
        check_start(steps[-1].job, start)
    with file_errors(outputs[0].parent if outputs else STREAM):
        store = store_of(steps[0].job.state)
        begins = (
            _resumed(store, steps, outputs) if start == "resume" else _check_all_new(store, outputs, start)
        )
    begins += ["new"] * (len(steps) - len(outputs))
    if None in begins:
        from connector.runs.finished_steps import check_finished  # imported only for jobs that are resumed

        check_finished(steps, begins, connection)
    left = [(step, begin) for step, begin in zip(steps, begins, strict=True) if begin is not None]
    followed = {step.job.follows for step in steps}
    tried: set[Connection] = set()
    for step, begin in left:
        with naming(step.job):
            check_start(step.job, begin)
            if step.rerun is None:
                _check_first_row(step.job, followed)
            if step.choose:
                check_tenants(step)
                continue
            its = connection or load_connection(step.service, step.job.connection)
            its = apply_policy(step.action, step.job, its)
            if its not in tried:
                sign_in(open_client(step.service, its, 0, state=step.job.state))
            tried.add(its)
    for path in outputs:
        store.check_not_running(path, resumes=start == "resume")
        if start == "restart":
            store.check_own(path)
    for step in steps:
        if step.job.output == STREAM:
            continue
        _make_room(store, Path(step.job.output), start, private=step.job.reveal_secrets)
    return begins


def _make_room(store: RunStore, path: Path, start: Start, *, private: bool) -> None:
    """Remove the output if this is a restart, and create its folder, with mode 0700 if `private`."""
    if start == "restart":
        store.discard(path)
    try:
        path.parent.mkdir(PRIVATE_FOLDER if private else 0o777, parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{path.parent}: the folder cannot be created: {error.strerror}") from error


def _check_first_row(job: Job, followed: Set[str]) -> None:
    """Raise RunError if the first row of an input has a field with the name of a step."""
    if job.follows or job.input == STREAM:
        return
    for row in job.source().rows():
        if hidden := sorted(followed & row.data.keys()):
            raise RunError(
                f'"{hidden[0]}" is both a field of the input rows and the name of a step; rename the step'
            )
        return


def _check_new(store: RunStore, path: Path, start: Start) -> Start:
    """Check that a step's output can be written. Its folder is created later."""
    if path.parent.exists() or store.is_interrupted(path):
        store.check(path, start)
    return "new"


def _check_all_new(store: RunStore, outputs: Sequence[Path], start: Start) -> list[Start | None]:
    return [_check_new(store, path, start) for path in outputs]


def _resumed(store: RunStore, steps: Sequence[Prepared], outputs: Sequence[Path]) -> list[Start | None]:
    """Return how each step of an interrupted job starts: None if finished, "resume", or "new"."""
    begins: list[Start | None] = []
    are_finished = True  # the steps so far, here or on another machine
    for path in outputs:
        if are_finished and can_resume(store, path):
            begins.append("resume")
            are_finished = store.is_finished(path)
        elif are_finished and path.is_file():
            # What follows a step whose output is written again cannot be compared with its input yet.
            begins.append("resume" if "resume" in begins and store.is_finished(path) else None)
        else:
            are_finished = False
            begins.append(_check_new(store, path, "new"))
    if all(begin == "new" for begin in begins):
        raise RunError(f"{outputs[0].parent}: no unfinished job to resume")
    if all(begin is None for begin in begins):
        from connector.runs.job_rerun import why_finished  # imported only for this message

        are_reads = all(step.action.effect == "read" for step in steps)
        raise RunError(why_finished([step.job for step in steps], are_reads=are_reads))
    return begins
