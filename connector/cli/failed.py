"""The `failed` command: write the input data of a run's failed rows, so that they can be corrected."""

from __future__ import annotations

import argparse
import shlex
import sys
from array import array
from dataclasses import replace
from pathlib import Path
from typing import get_args

from connector.cli.action_sources import add_own_actions, open_catalog
from connector.cli.main import OK
from connector.cli.rerun import (
    add_finished_run,
    check_complete,
    check_unchanged_input,
    find_job,
    find_relatives,
    later_reruns,
)
from connector.common.file_modes import PRIVATE_FILE
from connector.common.user_folders import write_whole
from connector.errors import Code, RunError, count_of, file_errors, nearest
from connector.files.readers import format_of_name
from connector.runs.job import STREAM, Job
from connector.runs.output_names import absolute
from connector.runs.records import envelopes_format, find_run
from connector.runs.repair import TEXT_FORMATS, FailedRow, find_failed, mark_rows, rows_as_text
from connector.runs.rerun import Rerun
from connector.runs.run import open_rows, prepare


def add_failed(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone failed`."""
    add_finished_run(parser)
    add_own_actions(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="output file (default: standard output)")
    parser.add_argument(
        "--output-format",
        choices=TEXT_FORMATS,
        help="default: from the file extension, else that of the input",
    )
    parser.add_argument(
        "--code",
        metavar="A,B",
        type=lambda text: text.split(","),
        help="only rows with these values of meta.code",
    )
    parser.set_defaults(command=_failed)


def _failed(options: argparse.Namespace) -> int:
    of: Path = options.of
    for code in options.code or ():
        if code not in get_args(Code):
            raise RunError(
                f'--code: "{code}" is not a possible value of meta.code{nearest(code, get_args(Code))}'
            )
    with file_errors(of):
        check_complete(of)
        record = find_run(of)
        job = find_job(of, record, options.job_file, {})
        failed = find_failed(of, envelopes_format(of, job), later_reruns(of, find_relatives(of)))
        chosen = {n: row for n, row in failed.items() if not options.code or row.code in options.code}
        check_unchanged_input(job, record, max(chosen, default=0))
        text = _text(options, job, chosen)
    output = options.output
    if output in (None, STREAM):
        sys.stdout.write(text)
        return OK
    path = Path(output)
    with file_errors(path):
        if path.exists():
            raise RunError(f"{path}: already exists; use another --output")
        write_whole(path, text.encode(), mode=PRIVATE_FILE)
    again = shlex.join(["ninjaone", "rerun", str(of), "--input", output])
    print(f"{path}: {count_of(len(chosen), 'row')}. Correct them, then: {again}", file=sys.stderr)
    return OK


def _text(options: argparse.Namespace, job: Job, chosen: dict[int, FailedRow]) -> str:
    """Return the failed rows as the text of an input file. Raises RunError if the input lacks a row."""
    numbers = array("Q", sorted(chosen))
    prepared = prepare(replace(job, step=""), open_catalog(options))
    prepared = replace(prepared, rerun=Rerun(absolute(options.of), numbers))
    rows = list(open_rows(prepared).rows.rows())
    if len(rows) != len(numbers):
        raise RunError(f"{job.input} does not have all rows of the run; it is not the run's input file")
    named = format_of_name(options.output or "")
    of_input = "jsonl" if job.follows else job.input_format or format_of_name(job.input)
    if of_input == "xlsx":
        of_input = "csv"
    format = options.output_format or named or of_input or "jsonl"
    if format not in TEXT_FORMATS:
        raise RunError(f"{options.output}: a workbook cannot be written here; use a name that ends in .csv")
    return rows_as_text(mark_rows(rows, chosen), format)
