"""Runs a job: its only run, or its steps one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from threading import Event

from connector.client.factory import open_client, sign_in
from connector.common.file_modes import PRIVATE_FOLDER
from connector.connections.connection import Connection, load_connection
from connector.errors import RunError, RunStoppedError, count_of, file_errors
from connector.files.output import Start, discard, is_interrupted, look, look_for_another_run
from connector.files.readers import RowSource
from connector.runs.job import STREAM, Job
from connector.runs.policy import apply_policy
from connector.runs.records import RunObserver
from connector.runs.run import Prepared, check_start, naming, run
from connector.runs.summary import Listener, Summary
from connector.runs.tenant_runs import check_tenants, run_tenants


def run_all(
    steps: Sequence[Prepared],
    start: Start = "new",
    *,
    listeners: tuple[Listener, ...] = (),
    stop: Event | None = None,
    connection: Connection | None = None,
    observer: RunObserver | None = None,
) -> Iterator[tuple[Prepared, Summary | None]]:
    """Run the steps of a job one after the other, or its only run. Gives the summary of each as it ends.

    A step that an interrupted job had finished is not run again (its summary is None). Nothing is sent before
    every step's input, output and connection were looked at. A step that stops is the last. Raises RunError
    (nothing was sent), or RunStoppedError (it can be resumed), also after more failures than the job allows.
    """
    begins = _look_ahead(steps, start, connection) if steps[0].job.step else [start]
    begun = False
    for number, (step, begin) in enumerate(zip(steps, begins, strict=True), start=1):
        if begin is None:
            yield step, None
            continue
        try:
            with naming(step.job):
                if step.choose:
                    summary = run_tenants(step, begin, listeners=listeners, stop=stop, observer=observer)
                else:
                    summary = run(
                        step, begin, listeners=listeners, stop=stop, connection=connection, observer=observer
                    )
        except RunError as error:
            if not begun:
                raise
            raise RunStoppedError(f"{error}. Fix this, then continue with --resume") from error
        begun = True
        yield step, summary
        if summary.too_many_errors and (summary.stopped or number < len(steps)):
            raise RunStoppedError(_too_many_errors(step.job, summary))
        if summary.stopped:
            return


def _too_many_errors(job: Job, summary: Summary) -> str:
    message = f"{job.label}: {count_of(summary.failed, 'row')} failed, which is more than the run allows"
    if STREAM in (job.input, job.output):
        return message
    return f"{message}; --resume continues after the rows that are finished"


def _look_ahead(steps: Sequence[Prepared], start: Start, connection: Connection | None) -> list[Start | None]:
    """Find all that can be known to be wrong with a job's steps, and say how each of them begins.

    None is one that is finished. A restart removes all outputs, so that none of an earlier run is taken for
    one of this. Raises RunError.
    """
    outputs = [Path(step.job.output) for step in steps]
    with file_errors(outputs[0].parent):
        begins = _resumed(outputs) if start == "resume" else _all_anew(outputs, start)
    left = [(step, begin) for step, begin in zip(steps, begins, strict=True) if begin is not None]
    followed = {step.job.follows for step in steps}
    tried: set[Connection] = set()
    for step, begin in left:
        with naming(step.job):
            _look_at_input(step.job, begin, followed)
            if step.choose:
                check_tenants(step)
                continue
            its = connection or load_connection(step.service, step.job.connection)
            its = apply_policy(step.action, step.job, its)
            if its not in tried:
                sign_in(open_client(step.service, its, 0))
            tried.add(its)
    for path in outputs:
        look_for_another_run(path)
    for step in steps:
        _make_room(Path(step.job.output), start, private=step.job.reveal_secrets)
    return begins


def _make_room(path: Path, start: Start, *, private: bool) -> None:
    """Remove what a restart replaces, and create the output's folder, a `private` one for its user alone."""
    if start == "restart":
        discard(path)
    try:
        path.parent.mkdir(PRIVATE_FOLDER if private else 0o777, parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{path.parent}: the folder cannot be created: {error.strerror}") from error


def _look_at_input(job: Job, begin: Start, followed: Set[str]) -> None:
    """Read the first row of an input that is there already: it must not have a step's name for a field."""
    check_start(job, begin)
    if job.follows or job.input == STREAM:
        return
    for row in RowSource(job.input, job.input_format).rows():
        if hidden := sorted(followed & row.data.keys()):
            raise RunError(
                f'"{hidden[0]}" is both a field of its rows and the name of a step; rename the step'
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
    """Return how each step of an interrupted job starts: None if finished, "resume", or "new"."""
    begins: list[Start | None] = []
    for path in outputs:
        if all(begin is None for begin in begins) and is_interrupted(path):
            begins.append("resume")
        elif all(begin is None for begin in begins) and path.is_file():
            begins.append(None)
        else:
            begins.append(_anew(path, "new"))
    if all(begin == "new" for begin in begins):
        raise RunError(f"{outputs[0].parent}: there is no unfinished job to resume")
    if all(begin is None for begin in begins):
        raise RunError(
            "all steps are finished: there is nothing to resume; --restart runs all rows of all steps again"
        )
    return begins
