"""Finds the steps of a finished job for the commands `rerun` and `failed`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from connector.common.clock import SystemClock
from connector.errors import RunError
from connector.runs.job import STREAM, Job
from connector.runs.job_file import is_job, load_jobs
from connector.runs.output_choice import choose_finished, numbered_siblings
from connector.runs.output_names import absolute
from connector.runs.record import Record
from connector.runs.records import find, list_records


def find_steps(options: argparse.Namespace, given: Mapping[str, Any]) -> Sequence[Job]:
    """Return the steps of the job that the options name; empty for a run without steps.

    For a job file without steps, `options` are changed: they then name the output of its run. `given` has
    settings of the command line. Raises RunError.
    """
    steps = _steps(options, given)
    if steps and not getattr(options, "json", False):
        _print_run(options.of, steps)
    return steps


def _steps(options: argparse.Namespace, given: Mapping[str, Any]) -> Sequence[Job]:
    of: Path = options.of
    given = {name: value for name, value in given.items() if name != "output"}
    if is_job(str(of)):
        jobs = _latest(of, given)
        if jobs[0].step:
            return jobs
        if jobs[0].output == STREAM:
            raise RunError(f"{of}: the run has no output file; name the output of the run")
        options.of, options.job_file = Path(jobs[0].output), of
        return ()
    if not of.is_dir():
        return ()
    if options.job_file:
        return _latest(options.job_file, {**given, "output": str(of)})
    return [replace(record.job, **given) for record in _records_of(of)]


def _latest(job_file: Path, given: Mapping[str, Any]) -> Sequence[Job]:
    """Return the jobs of a job file with the outputs of their latest finished run. Raises RunError."""
    return choose_finished(lambda time: load_jobs(job_file, given, time), SystemClock().now())


def _print_run(of: Path, steps: Sequence[Job]) -> None:
    """Print the outputs of the run if its folder has those of other runs, too."""
    paths = [Path(step.output) for step in steps]
    if any(numbered_siblings(path) for path in paths):
        names = ", ".join(path.name for path in paths)
        print(f"{of}: the outputs of several runs exist; those of the latest run: {names}", file=sys.stderr)


def _records_of(folder: Path) -> list[Record]:
    """Return the records of the steps of the latest job whose outputs are in a folder. Raises RunError."""
    of_job = [
        record
        for record in list_records()
        if record.job.step_outputs
        and record.rerun_of is None
        and absolute(record.job.step_outputs[0]).parent == folder.resolve()
    ]
    if not of_job:
        raise RunError(
            f"{folder}: there is no record of a job with steps with this output folder on this machine; "
            "add the job file to the command"
        )
    latest = max(of_job, key=lambda record: record.started)
    records = [(output, find(Path(output))) for output in latest.job.step_outputs]
    for output, record in records:
        if record is None:
            raise RunError(
                f"{output}: there is no record of this step; continue the job with `ninjaone run JOB.yaml "
                "--resume` if it is unfinished, or add the job file to the command"
            )
    return [record for _, record in records if record]
