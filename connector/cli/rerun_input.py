"""Checks that the input of a rerun is that of its run."""

from __future__ import annotations

from pathlib import Path

from connector.errors import RunError, count_of
from connector.runs.job import STREAM, Job
from connector.runs.records import Record, find


def check_unchanged_input(job: Job, record: Record | None, last_row: int) -> None:
    """Raise RunError if the input of a run is known to have changed since the run.

    `last_row` is the highest row number of the run.
    """
    before = record.fingerprint if record else {}
    if record and "corrected" in before:
        raise RunError(
            f"{record.output} is the output of a rerun of corrected rows; use the output of the first run: "
            f"{record.rerun_of}"
        )
    source = job.source()
    if not before.get("input"):
        rows = source.count()
        if rows is not None and rows < last_row:
            raise RunError(
                f"{job.input} has {count_of(rows, 'row')}, but the run had {last_row}: "
                f"it is not the run's input file"
            )
    elif before["input"] != source.digest():
        raise RunError(
            f"{job.input}: the file has changed since the run, so row numbers may not match. "
            "To run corrected rows: ninjaone rerun OUT --input FILE, with the numbers of the rows that they "
            "replace in the column row"
        )


def check_input(step: Job, last_row: int) -> None:
    """Raise RunError if the input of a step that reads a file has changed, or was standard input."""
    record = find(Path(step.output))
    if STREAM in (step.input, record and record.job.input):
        raise RunError("the step read standard input, which is not saved")
    check_unchanged_input(step, record, last_row)
