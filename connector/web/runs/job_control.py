"""Reruns of jobs with steps that pages start; see `connector.runs.job_rerun`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from connector.errors import RunError
from connector.runs.job import Job
from connector.runs.job_rerun import FinishedJob, RerunFolder
from connector.runs.record import Record
from connector.runs.records import find
from connector.runs.run_stores import store_of


@dataclass(frozen=True)
class JobRerun:
    """A rerun of a job's failed rows, or an interrupted one to resume.

    `folder` is that of the job. `steps` are those that can run: the first one with failed rows, and all that
    follow. `rows` is the number of failed rows; `output` is that of the first step that is run.
    """

    folder: Path
    steps: Sequence[Job]
    rows: int
    output: Path
    resumes: bool

    @property
    def arguments(self) -> list[str]:
        """The arguments of the command line that runs it."""
        return ["rerun", str(self.folder), *(["--resume"] if self.resumes else [])]


def find_job_rerun(record: Record) -> JobRerun:
    """Return the rerun of the job of a step, which can be the step of an earlier rerun. Raises RunError."""
    outputs = [Path(output) for output in record.job.step_outputs]
    records = [its for output in outputs if (its := find(output))]
    if not outputs or len(records) < len(outputs):
        raise RunError("The records of this job's steps no longer exist: rerun it with its job file.")
    steps = [its.job for its in records]
    job = FinishedJob(steps)
    rerun = job.unfinished or job.new_rerun({}, is_transient=False)
    store = store_of(steps[0].state)
    for step in steps:
        store.check_not_running(rerun.output(step))
    counts = [_rows(job, step, rerun) for step in steps]
    first = next((number for number, count in enumerate(counts) if count), 0)
    if not any(counts) and not job.unfinished:
        raise RunError(
            "No failed rows of this job can be rerun: they succeeded in a rerun, or must be checked first."
        )
    left = (path for path in map(rerun.output, steps) if store.is_interrupted(path) or not path.is_file())
    return JobRerun(job.folder, steps[first:], sum(counts), next(left), job.unfinished is not None)


def _rows(job: FinishedJob, step: Job, rerun: RerunFolder) -> int:
    """Return how many failed rows of a step are run."""
    if rerun.corrected:
        return len(rerun.corrected.get(step.step, ()))
    failed = job.failed(step, rerun).values()
    return sum(row.can_run and (not rerun.is_transient or row.kind == "retry") for row in failed)
