"""The input of a rerun: corrected rows, or the input of its run, which must be unchanged."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any

from connector.cli.file_arguments import file_name
from connector.cli.job_options import add_reading
from connector.errors import RunError, count_of
from connector.files.read_options import NAMES
from connector.runs.job import STREAM, Job
from connector.runs.record import Record
from connector.runs.records import find

_PREFIX = "corrected_"
_SETTINGS = ("input_format", *NAMES)
"""The names of the settings for reading an input, of a job and after the prefix of the options."""


def add_corrected(parser: argparse.ArgumentParser) -> None:
    """Declare `--input` of a rerun, and the options for reading it."""
    parser.add_argument(
        "-i",
        "--input",
        metavar="FILE",
        type=file_name,
        dest="corrected",
        help="corrected rows, as `ninjaone failed` writes them: run these in place of the failed rows",
    )
    add_reading(parser, prefix=_PREFIX)


def corrected_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the job's settings for reading the corrected rows; empty without `--input`. Raises RunError."""
    given = {name: getattr(options, f"{_PREFIX}{name}") for name in _SETTINGS}
    if options.corrected is None:
        for name, value in given.items():
            if value is not None:
                raise RunError(f"--{name.replace('_', '-')} requires --input FILE")
        return {}
    if options.corrected == STREAM:
        raise RunError("--input: the corrected rows must be in a file, so that the rerun can be resumed")
    return {"input": options.corrected, **given}


def corrected_arguments(job: Job) -> str:
    """Return the arguments of a command with which corrected rows were read."""
    given = {name: getattr(job, name) for name in _SETTINGS if getattr(job, name) is not None}
    options = [text for name, value in given.items() for text in (f"--{name.replace('_', '-')}", value)]
    return shlex.join(["--input", job.input, *options])


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
