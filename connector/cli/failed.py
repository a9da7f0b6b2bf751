"""The `failed` command: write the input data of a run's failed rows, so that they can be corrected."""

from __future__ import annotations

import argparse
import shlex
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from connector.cli.action_sources import add_own_actions, open_catalog
from connector.cli.file_arguments import file_name
from connector.cli.job_steps import find_steps
from connector.cli.main import OK
from connector.cli.remaining import codes_text, named_by
from connector.cli.rerun import add_finished_run, find_finished
from connector.cli.rerun_checked import ALL
from connector.cli.rerun_input import check_input, check_unchanged_input
from connector.cli.rerun_job import warn_of_unknown
from connector.common.file_modes import PRIVATE_FILE
from connector.common.json_text import Json
from connector.common.user_folders import write_whole
from connector.errors import Code, RunError, count_of, file_errors, nearest
from connector.files.readers import InputRow, format_of_name
from connector.runs.job import STREAM, Job
from connector.runs.job_repair import mark_rows_of_steps
from connector.runs.job_rerun import FinishedJob
from connector.runs.job_rerun_rows import rows_of_job
from connector.runs.output_names import absolute
from connector.runs.prepared import naming, prepare, with_one_state
from connector.runs.records import envelopes_format, find_run
from connector.runs.repair import FORMATS, FailedRow, find_failed, mark_rows, rows_as_text, rows_as_workbook
from connector.runs.rerun import Rerun
from connector.runs.rerun_outputs import find_relatives, later_reruns
from connector.runs.run import open_rows


def add_failed(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone failed`."""
    add_finished_run(parser)
    add_own_actions(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=file_name, help="output file (default: standard output)"
    )
    parser.add_argument(
        "--output-format",
        choices=FORMATS,
        help="default: from the file extension, else that of the input",
    )
    parser.add_argument(
        "--code",
        metavar="A,B",
        type=lambda text: text.split(","),
        help="only rows with these values of meta.code (default: those that `rerun --input` can run)",
    )
    parser.add_argument("--step", metavar="NAME", help="of a job with steps, only the rows of this step")
    parser.set_defaults(command=_failed)


def _failed(options: argparse.Namespace) -> int:
    for code in options.code or ():
        if code not in get_args(Code):
            raise RunError(
                f'--code: "{code}" is not a possible value of meta.code{nearest(code, get_args(Code))}'
            )
    with file_errors(options.of):
        steps = find_steps(options, {})
        if steps:
            found = _rows_of_job(options, steps)
        elif options.step:
            raise RunError("--step is for a job with steps")
        else:
            found = _rows_of_run(options)
    format, output = _format(options, found.input_format), options.output
    if output in (None, STREAM):
        sys.stdout.write(rows_as_text(found.rows, format))
        _print_check_first(options, found)
        return OK
    path = Path(output)
    with file_errors(path):
        if path.exists():
            raise RunError(f"{path}: already exists; use another --output")
    rows = found.rows
    data = rows_as_workbook(rows) if format == "xlsx" else rows_as_text(rows, format).encode()
    try:
        write_whole(path, data, mode=PRIVATE_FILE)
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}") from error
    again = shlex.join(["ninjaone", "rerun", *named_by(options), "--input", output])
    then = f". Correct them, then: {again}" if found.has_correctable else ""
    print(f"{path}: {count_of(len(rows), 'row')}{then}", file=sys.stderr)
    _print_check_first(options, found)
    return OK


@dataclass(frozen=True)
class _Found:
    """The rows to write, and the format of the run's input.

    `check` has the number of rows to check first that are among them, by `meta.code`; `omitted` has the
    number of those that are not.
    """

    rows: list[dict[str, Json]]
    input_format: str | None
    check: Counter[str]
    omitted: Counter[str]

    @property
    def has_correctable(self) -> bool:
        """Whether a rerun can run one of the rows."""
        return len(self.rows) > self.check.total()


def _print_check_first(options: argparse.Namespace, found: _Found) -> None:
    """Print how to proceed with the rows that must be checked first, because they may have taken effect."""
    if found.check:
        file = "FILE" if options.output in (None, STREAM) else options.output
        again = ["ninjaone", "rerun", *named_by(options), "--input", file, "--checked", ALL]
        print(
            f"{_to_check(found.check)}: may have taken effect. Check each of them, remove those that did "
            f"from the file, and send the others again: {shlex.join(again)}",
            file=sys.stderr,
        )
    if found.omitted:
        codes = ["--code", ",".join(found.omitted)]
        print(
            f"{_to_check(found.omitted)} not included, because to send them again could repeat their effect: "
            f"{shlex.join(['ninjaone', 'failed', *named_by(options), *codes])}",
            file=sys.stderr,
        )


def _to_check(codes: Counter[str]) -> str:
    return f"{count_of(codes.total(), 'row')} to check first ({codes_text(codes)})"


def _chosen(failed: Mapping[int, FailedRow], codes: Sequence[str] | None) -> dict[int, FailedRow]:
    """Return the failed rows with these codes; without codes, those that a rerun can run."""
    return {n: row for n, row in failed.items() if (row.code in codes if codes else row.can_run)}


def _check_first(failed: Iterable[FailedRow]) -> Counter[str]:
    """Return the number of rows to check first, by `meta.code`."""
    return Counter(row.code for row in failed if not row.can_run)


def _rows_of_run(options: argparse.Namespace) -> _Found:
    """Return the failed rows of a run. Raises RunError."""
    of: Path = options.of
    catalog = open_catalog(options)
    record = find_run(of)
    job = find_finished(of, record, options.job_file, {}, catalog)
    failed = find_failed(of, envelopes_format(of, job), later_reruns(of, find_relatives(of), job.state))
    chosen = _chosen(failed, options.code)
    check_unchanged_input(job, record, max(chosen, default=0))
    numbers = array("Q", sorted(chosen))
    prepared = prepare(replace(job, step=""), catalog)
    prepared = replace(prepared, rerun=Rerun(absolute(of), numbers))
    rows = list(open_rows(prepared).rows.rows())
    if len(rows) != len(numbers):
        raise RunError(f"{job.input} does not have all rows of the run; it is not the run's input file")
    check = _check_first(chosen.values())
    omitted = Counter() if options.code else _check_first(failed.values())
    return _Found(mark_rows(rows, chosen), _input_format(job), check, omitted)


def _rows_of_job(options: argparse.Namespace, steps: Sequence[Job]) -> _Found:
    """Return the failed rows of all steps of a job. Raises RunError."""
    names = [step.step for step in steps]
    if options.step and options.step not in names:
        raise RunError(f'--step: the job has no step "{options.step}"{nearest(options.step, names)}')
    catalog = open_catalog(options)
    steps = with_one_state(steps, catalog)
    job = FinishedJob(steps, options.of if options.of.is_dir() else None)
    warn_of_unknown(job)
    if job.unfinished:
        raise RunError(f"{job.unfinished.path}: this rerun is unfinished; continue it with --resume first")
    found, omitted = [], Counter[str]()
    for step in steps:
        if options.step in (None, step.step):
            failed = job.failed(step, job.new_rerun({}, is_transient=False))
            chosen = _chosen(failed, options.code)
            omitted += Counter() if options.code else _check_first(failed.values())
            found += [(step.step, row, chosen[row.number]) for row in _rows_of_step(job, step, chosen)]
    check = _check_first(row for _, _, row in found)
    return _Found(mark_rows_of_steps(found, names), _input_format(steps[0]), check, omitted)


def _rows_of_step(job: FinishedJob, step: Job, chosen: Mapping[int, FailedRow]) -> Iterator[InputRow]:
    """Yield the rows of a step with these numbers. Raises RunError."""
    if not step.follows and chosen:
        with naming(step):
            check_input(step, max(chosen))
    numbers = array("Q", sorted(chosen))
    rerun = job.rerun_of(step, job.new_rerun({}, is_transient=False), numbers)
    if rerun.chain:
        rerun = replace(rerun, chain=[file for file in rerun.chain if not file.fresh])
    if chosen:
        rows, _ = rows_of_job(rerun, step, step.source(), None)
        yield from rows.rows()


def _input_format(job: Job) -> str | None:
    return "jsonl" if job.follows else job.input_format or format_of_name(job.input)


def _format(options: argparse.Namespace, of_input: str | None) -> str:
    """Return the format of the output. Raises RunError."""
    is_printed = options.output in (None, STREAM)
    if is_printed and options.output_format == "xlsx":
        raise RunError("a workbook cannot be printed; use --output FILE")
    named = format_of_name(options.output or "")
    if of_input == "xlsx" and is_printed:
        of_input = "csv"
    return options.output_format or named or of_input or "jsonl"
