"""Chooses the outputs of a run whose names depend on the time, or on which files exist (`output_exists`).

A run that is resumed has the names with which it started: they are rendered with the time in its record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from connector.connections.settings import is_file
from connector.errors import RunError, file_errors
from connector.files.run_store import can_resume
from connector.files.work_folder import Start
from connector.runs.job import STREAM, Job
from connector.runs.output_names import absolute
from connector.runs.records import list_records
from connector.runs.run_stores import store_of

Jobs = tuple[Job, ...]
Load = Callable[[float], Jobs]
"""Returns the steps of a job, or its single run, with the names of a start time."""


def choose_outputs(load: Load, now: float, start: Start) -> Jobs:
    """Return the jobs with the names of their outputs. Raises RunError."""
    jobs = load(now)
    with file_errors(jobs[0].output):
        if start == "resume":
            return next(_unfinished(load, jobs), jobs)
        if start == "new" and jobs[0].output_exists == "number":
            return numbered(jobs, _highest(jobs) + 1)
    return jobs


def choose_finished(load: Load, now: float) -> Jobs:
    """Return the jobs with the names of their latest run with complete outputs. Raises RunError."""
    jobs = load(now)
    for of_time in _of_earlier_times(load, jobs):
        highest = _highest(of_time) if of_time[0].output_exists == "number" else 1
        for number in range(highest, 0, -1):
            of_number = numbered(of_time, number)
            if all(path.is_file() for path in _outputs(of_number)):
                return of_number
    return jobs


def start_of(jobs: Sequence[Job], start: Start) -> Start:
    """Return how a run starts: one that overwrites complete outputs is restarted."""
    overwrites = start == "new" and jobs[0].output_exists == "overwrite"
    if overwrites and not any(map(store_of(jobs[0].state).is_interrupted, _outputs(jobs))):
        return "restart"
    return start


def check_inputs_kept(jobs: Sequence[Job], files_read: Collection[Path] = ()) -> None:
    """Raise RunError if a run would overwrite a file that it reads.

    These are the input, the file of the connection, and `files_read`.
    """
    inputs = {absolute(job.input) for job in jobs if job.input != STREAM and not job.follows}
    others = {absolute(path) for path in files_read}
    named = {name for job in jobs for name in (job.connection, *job.connections.values()) if name}
    others |= {absolute(name) for name in named if is_file(name)}
    for job in jobs:
        written = {"output": job.output, "errors": job.errors, "summary": job.summary}
        for setting, path in written.items():
            if path and str(path) != STREAM and absolute(path) in inputs:
                raise RunError(f"{path}: the input of the run; use another file name for {setting}")
            if path and str(path) != STREAM and absolute(path) in others:
                raise RunError(f"{path}: the run reads this file; use another file name for {setting}")


def numbered(jobs: Jobs, number: int) -> Jobs:
    """Return jobs whose outputs have a number in their names, such as `out-2.csv`; unchanged for 1."""
    if number == 1:
        return jobs
    names = {job.output: _numbered(job.output, number) for job in jobs}
    return tuple(
        replace(
            job,
            output=names[job.output],
            errors=job.errors and Path(_numbered(str(job.errors), number)),
            input=names[job.input] if job.follows else job.input,
            step_outputs=tuple(names[output] for output in job.step_outputs),
        )
        for job in jobs
    )


def numbered_siblings(output: Path) -> list[Path]:
    """Return the other outputs in the folder of an output whose names differ in the number alone."""
    stem = re.sub(r"-\d{1,9}$", "", output.stem)
    name = re.compile(rf"{re.escape(stem)}(?:-\d{{1,9}})?{re.escape(output.suffix)}")
    return [
        path for path in output.parent.iterdir() if name.fullmatch(path.name) and path.name != output.name
    ]


def _numbered(name: str, number: int) -> str:
    path = Path(name)
    return name if name == STREAM else str(path.with_name(f"{path.stem}-{number}{path.suffix}"))


def _outputs(jobs: Sequence[Job]) -> list[Path]:
    return [Path(job.output) for job in jobs if job.output != STREAM]


def _highest(jobs: Jobs) -> int:
    """Return the highest number of an existing output, or of an unfinished run; 1 is a name without one."""
    found = 0
    for path in (*_outputs(jobs), *(job.errors for job in jobs if job.errors)):
        name = re.compile(rf"{re.escape(path.stem)}(?:-(\d{{1,9}}))?{re.escape(path.suffix)}(?:\.run)?")
        if path.parent.is_dir():
            for other in path.parent.iterdir():
                if match := name.fullmatch(other.name):
                    found = max(found, int(match[1] or 1))
    return found


def _unfinished(load: Load, jobs: Jobs) -> Iterator[Jobs]:
    """Yield the jobs with the names of each unfinished run, the latest first."""
    for of_time in _of_earlier_times(load, jobs):
        highest = _highest(of_time) if of_time[0].output_exists == "number" else 1
        for number in range(highest, 0, -1):
            of_number = numbered(of_time, number)
            if _is_unfinished(of_number):
                yield of_number


def _of_earlier_times(load: Load, jobs: Jobs) -> Iterator[Jobs]:
    """Yield the jobs with the file names of each of their earlier runs, as their records say."""
    if jobs[0].named_at is None:
        yield jobs
        return
    runs = {(job.step, job.action) for job in jobs}
    times = {r.job.named_at for r in list_records() if (r.job.step, r.job.action) in runs}
    for time in sorted((time for time in times if time is not None), reverse=True):
        yield load(time)


def _is_unfinished(jobs: Jobs) -> bool:
    outputs = list(map(absolute, _outputs(jobs)))
    exist = [path.exists() for path in outputs]
    store = store_of(jobs[0].state)
    return any(can_resume(store, path) for path in _outputs(jobs)) or (any(exist) and not all(exist))
