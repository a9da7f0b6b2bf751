"""Checks of a job before it starts: its output and its input."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from connector.catalog.action import Action
from connector.catalog.coercion import typed_value
from connector.errors import RowError, RunError
from connector.files.output_formats import check_bom
from connector.invocation.bindings import Bindings
from connector.runs.job import STREAM, Job


def read_delay(text: str) -> float | None:
    """Return the delay in a form, in milliseconds; None if it is empty. Raises RunError."""
    if not text.strip():
        return None
    try:
        delay_ms = typed_value({"type": "number"}, text)
    except ValueError as error:
        raise RunError(f"delay_ms: {error}") from None
    if delay_ms < 0:
        raise RunError("delay_ms: the delay cannot be negative")
    return float(delay_ms)


def check_delay(job: Job) -> None:
    """Raise RunError if the job has a shortest delay, and its delay does not adapt."""
    if job.min_delay_ms is not None and job.delay_ms != "auto":
        raise RunError("min_delay_ms requires delay_ms: auto; without it, the delay does not change")


def check_output_format(job: Job) -> None:
    """Raise RunError if the output is not the name of a file, or cannot be written in its format."""
    if job.output.endswith(("/", os.sep)):
        raise RunError(f"{job.output}: the name of a folder; use a file for the output")
    if job.errors and not job.results:
        raise RunError("--errors requires --results; without it, the failed rows are in the output")
    if job.bom:
        check_bom(job.output, job.output_format)
    if job.output_form.format == "xlsx":
        from connector.files.excel_reader import excel_library  # slow to import

        excel_library("the output" if job.output == STREAM else job.output)
        if job.output == STREAM and sys.stdout.isatty():
            raise RunError("an Excel workbook cannot be shown on a terminal; use --output FILE.xlsx")


def runs_without_rows(action: Action, bindings: Bindings) -> bool:
    """Return whether an action is a read that requires no value of a row."""
    if action.effect != "read":
        return False
    try:
        bindings.values({})
    except RowError:
        return False
    return True


def check_one_reads_stdin(jobs: Sequence[Job]) -> None:
    """Raise RunError if several steps read standard input."""
    readers = [job for job in jobs if job.input == STREAM]
    if len(readers) > 1:
        raise RunError(
            f'step "{readers[1].step}": it has no input, and the step "{readers[0].step}" already reads '
            "standard input"
        )
