"""The `rerun` command: run the failed rows of a finished run again, as a separate run."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from connector.catalog.catalog import Catalog
from connector.cli.action_sources import add_own_actions, open_catalog
from connector.cli.file_arguments import file_path
from connector.cli.given_job import given_settings
from connector.cli.job_options import add_pace, add_running
from connector.cli.job_steps import find_steps
from connector.cli.main import OK, ROWS_FAILED
from connector.cli.notify import open_notifier
from connector.cli.remaining import Remaining, codes_text, named_by, service_title
from connector.cli.rerun_checked import add_checked, find_checked
from connector.cli.rerun_discard import discard
from connector.cli.rerun_input import (
    add_corrected,
    check_unchanged_input,
    corrected_arguments,
    corrected_settings,
)
from connector.cli.rerun_job import prepare_rerun
from connector.cli.run import add_on, add_outcome, files_read, run_on, run_steps
from connector.cli.summary import Report
from connector.errors import RunError, count_of, file_errors
from connector.files.output_formats import TABLES, format_of
from connector.files.readers import InputRow, RowSource
from connector.runs.export import export_unfinished
from connector.runs.job import STREAM, Job
from connector.runs.job_file import is_job, load_jobs
from connector.runs.output_choice import check_inputs_kept
from connector.runs.output_names import absolute, family_name, rerun_output
from connector.runs.prepared import Prepared, prepare, with_state
from connector.runs.record import Record
from connector.runs.records import envelopes_format, find, find_run, save
from connector.runs.repair import find_failed, key_text, read_corrected
from connector.runs.rerun import RERUN_SETTINGS, Rerun, RetryableRows, find_retryable, read_ends
from connector.runs.rerun_outputs import JOB_RERUN, check_complete, find_relatives, later_reruns, only_rerun
from connector.runs.run import fingerprint, open_rows
from connector.runs.run_stores import store_of
from connector.runs.tenant_accounts import account_of


def add_finished_run(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that select a finished run: its output and its job file."""
    parser.add_argument(
        "of",
        metavar="OUT|OUTDIR|JOB.yaml",
        type=Path,
        help="output file of a finished run, JSON Lines or JSON; of a job with steps, the folder of its "
        "outputs, or the job file",
    )
    parser.add_argument(
        "job_file",
        metavar="JOB.yaml",
        type=Path,
        nargs="?",
        help="job file of the run (default: the settings recorded on this machine)",
    )


def add_rerun(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone rerun`."""
    add_finished_run(parser)
    add_own_actions(parser)
    add_pace(parser)
    add_running(parser)
    add_on(parser)
    add_corrected(parser)
    parser.add_argument(
        "--transient",
        action="store_true",
        help="only rows that can be retried as they are: the API was busy or not available",
    )
    parser.add_argument(
        "--key",
        metavar="COLUMN",
        help="match the rows of --input, or --checked, by this column of the run's input (default: by row "
        "number)",
    )
    add_checked(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=file_path,
        help="output file (default: OUT.rerun.jsonl in the folder of OUT; not for a job)",
    )
    add_outcome(parser)
    parser.add_argument(
        "--export",
        metavar="FILE",
        type=file_path,
        help="run no row; save the results of the unfinished run of OUT to FILE, which can then be rerun. "
        "Unfinished rows get an error that says whether they can be run again",
    )
    parser.add_argument(
        "--discard",
        action="store_true",
        help="run no row; remove the unfinished run of OUT and its results. Requires --yes if it has sent "
        "requests that are not safe to repeat",
    )
    parser.set_defaults(command=_rerun)


def _rerun(options: argparse.Namespace) -> int:
    if options.discard:
        with file_errors(options.of):
            return discard(options)
    if options.export:
        with file_errors(options.export):
            return _export(options)
    with Report(options.summary) as report:
        job_file = options.of if is_job(str(options.of)) else options.job_file
        report.notify_by(open_notifier(options, f"rerun {options.of}", job_file))
        with file_errors(options.of):
            job = find_steps(options, given_settings(options))
        with only_rerun(_run_or_job(options.of, job)):
            with file_errors(options.of):
                steps, remaining = prepare_rerun(job, options) if job else _prepare(options)
            check_inputs_kept([step.job for step in steps], files_read(options))
            if remaining:
                report.require(ROWS_FAILED, remaining.text)
            run_step = run_on(options.on, steps)
            exit_code = run_steps(steps, options, report, run_step=run_step) if steps else report.exit_code
        if remaining and not options.json and exit_code == ROWS_FAILED:
            print(remaining.text, file=sys.stderr)
        return exit_code


def _run_or_job(of: Path, steps: Sequence[Job]) -> Path:
    """Return the output of the run whose rows are rerun, or the folder of its job with steps."""
    if steps:
        return of if of.is_dir() else Path(steps[0].output).parent
    record = find_run(of)
    return of.parent if record and record.job.step_outputs else family_name(of)


def _prepare(options: argparse.Namespace) -> tuple[list[Prepared], Remaining]:
    """Return the prepared rerun after printing its plan, and the failed rows that are not in it.

    The rerun is empty if there is nothing to do. Raises RunError.
    """
    of: Path = options.of
    catalog = open_catalog(options)
    record = find_run(of)
    job = find_finished(of, record, options.job_file, given_settings(options), catalog)
    relatives = find_relatives(of)
    repeats = find_retryable(of, envelopes_format(of, job), later_reruns(of, relatives, job.state))
    if repeats.action and repeats.action != job.action:
        raise RunError(f"{of} is the output of the action {repeats.action}, but the job runs {job.action}")
    read_settings = corrected_settings(options)
    if options.key and not (options.corrected or options.checked):
        raise RunError("--key requires --input FILE or --checked ROWS")
    output = Path(options.output) if options.output else rerun_output(of, job.state)
    _check_output(of, output, relatives, job.state)
    if absolute(output) == absolute(job.input):
        raise RunError(f"{output}: the input of the run; use another --output")
    service = service_title(catalog, [job.action])
    retryable, numbers = repeats.numbers, repeats.numbers
    if options.transient:
        failed = find_failed(of, envelopes_format(of, job), later_reruns(of, relatives, job.state))
        numbers = array("Q", (n for n in numbers if n in failed and failed[n].kind == "retry"))
    keys: dict[str, int] = {}
    if options.key:
        check_unchanged_input(job, record, repeats.last_row)
        known = array("Q", sorted({*repeats.numbers, *(repeats.in_doubt if options.checked else ())}))
        keys = _numbers_by_key(options, job, known, catalog)
    checked = find_checked(options, repeats.in_doubt, keys)
    numbers = array("Q", sorted({*numbers, *checked})) if checked else numbers
    corrected = None
    if read_settings:
        source = replace(job, **read_settings).source()
        corrected = _read_corrected(options, source, keys, numbers, repeats.last_row)
        numbers = array("Q", corrected)
    checked &= set(numbers)
    in_doubt = {number: code for number, code in repeats.in_doubt.items() if number not in checked}
    repeats = replace(repeats, numbers=numbers, in_doubt=in_doubt)
    if not options.corrected:
        _check_not_corrected(of, relatives, repeats, job.state)
    plan = _plan_as_json if options.json else _plan
    print(plan(of, repeats, len(checked)), file=sys.stderr)
    others = len(set(retryable) - set(numbers))
    remaining = Remaining(named_by(options), Counter(in_doubt.values()), others, service)
    if not repeats.numbers:
        return [], remaining
    job = replace(job, step="", output=str(output), output_format=None, **RERUN_SETTINGS)
    job = replace(job, **read_settings)
    rerun = Rerun(absolute(of), numbers, corrected, done=repeats.done, checked=frozenset(checked))
    prepared = replace(prepare(job, catalog), rerun=rerun)
    other = options.connection is not None or options.allow_connections is not None
    _check_unchanged(prepared, record, repeats, other_connection=other)
    return [prepared], remaining


def _export(options: argparse.Namespace) -> int:
    """Save the results of an unfinished run to a file that can be rerun. Raises RunError."""
    of, to = options.of, options.export
    record, catalog = find(of), open_catalog(options)
    job = with_state(find_job(of, record, options.job_file, given_settings(options)), catalog)
    rerun_of = record.rerun_of if record else None
    numbers: Iterable[int]
    its_fingerprint = record.fingerprint if record else None
    if rerun_of:
        numbers = find_retryable(rerun_of, format_of(str(rerun_of), None)).numbers
    else:
        prepared = prepare(job, catalog)
        numbers = (row.number for row in open_rows(prepared).rows.rows())
        if job.state and not record:
            its_fingerprint = fingerprint(prepared, account_of(prepared), job.source())
    counts = export_unfinished(
        *(of, to, job.action, numbers),
        state=job.state,
        private=job.reveal_secrets,
        fingerprint=its_fingerprint,
    )
    exported = replace(job, step="", output=str(to), output_format="jsonl", **RERUN_SETTINGS)
    if record:
        ended = record.ended or record.seen
        save(replace(record, output=absolute(to), job=exported, ended=ended, summary=None, run_id=None))
    again = f"ninjaone rerun {shlex.quote(str(to))}" + ("" if record else f" {options.job_file}")
    text = (
        f"{to}: {count_of(counts.finished, 'row')} finished, {counts.in_doubt} in doubt (outcome_unknown), "
        f"{counts.not_run} not run (cancelled). `{again}` runs those that were not run. The unfinished run "
        f"is unchanged; `ninjaone rerun {shlex.quote(str(of))} --discard` removes it"
    )
    as_json = json.dumps({"exported": str(to), **asdict(counts)})
    print(as_json if options.json else text, file=sys.stderr)
    return OK


def find_finished(
    of: Path, record: Record | None, job_file: Path | None, given: Mapping[str, Any], catalog: Catalog
) -> Job:
    """Return the job of a finished run, with its state; see `find_job`. Raises RunError."""
    if record is None:
        check_complete(of, "")  # before other errors of an output that does not exist
    job = with_state(find_job(of, record, job_file, given), catalog)
    check_complete(of, job.state)
    return job


def find_job(of: Path, record: Record | None, job_file: Path | None, given: Mapping[str, Any]) -> Job:
    """Return the job of the run, from its job file or its record. Raises RunError."""
    given = {name: value for name, value in given.items() if name != "output"}
    if job_file:
        jobs = load_jobs(job_file, given, record.job.named_at if record else None)
        family = family_name(of)
        of_these = [
            j
            for j in jobs
            if not j.step or family in (family_name(Path(j.output)), j.errors and family_name(j.errors))
        ]
        if not of_these:
            raise RunError(f"{job_file}: no step writes {of}")
        job = of_these[0]
    elif record:
        job = replace(record.job, **given)
    else:
        raise RunError(
            f"{of}: there is no record of the run on this machine; add the job file to the command: "
            f"ninjaone rerun OUT JOB.yaml"
        )
    if job.input == STREAM:
        raise RunError(f"{of}: the run read standard input; only a run with an input file can be rerun")
    return job


def _check_output(of: Path, output: Path, relatives: set[Path], state: str) -> None:
    if str(output) == STREAM or format_of(str(output), None) in TABLES:
        raise RunError("the output of a rerun must be a JSON Lines or JSON file")
    if absolute(output) == absolute(of):
        raise RunError(f"{of}: a rerun cannot overwrite the output of the original run; use another --output")
    store = store_of(state)
    for other in sorted(relatives - {absolute(output)}):
        if store.is_interrupted(other):
            raise RunError(
                f"{other}: another rerun of these rows is running or unfinished; wait until it ends, "
                "or continue it first (--resume --output FILE)"
            )


def _plan(of: Path, repeats: RetryableRows, checked: int) -> str:
    """Return a line with the number of rows that are run again, of these after a check, and of others."""
    again = len(repeats.numbers)
    parts = [f"{of}: {count_of(again, 'row')} to run again" if again else f"{of}: no rows to rerun"]
    if checked:
        parts[0] += f", {checked} of them checked"
    if repeats.succeeded:
        parts.append(f"{repeats.succeeded} succeeded in an earlier rerun")
    if repeats.in_doubt:
        codes = codes_text(Counter(repeats.in_doubt.values()))
        parts.append(f"{len(repeats.in_doubt)} to check first ({codes}), not run")
    return "; ".join(parts)


def _plan_as_json(of: Path, repeats: RetryableRows, checked: int) -> str:
    counts = {"rows": len(repeats.numbers), **({"checked": checked} if checked else {})}
    left = {"succeeded": repeats.succeeded, "in_doubt": Counter(repeats.in_doubt.values())}
    return json.dumps({"rerun_of": str(of), **counts, **left})


def _read_corrected(
    options: argparse.Namespace,
    source: RowSource,
    keys: Mapping[str, int],
    numbers: Collection[int],
    last_row: int,
) -> dict[int, InputRow]:
    """Return the corrected rows that can be run, by number; print the number of skipped rows.

    Raises RunError for a row that cannot be matched.
    """
    path = options.corrected
    rows = read_corrected(source, path, keys if options.key else None, options.key or "")
    if beyond := [number for number in rows if number > last_row]:
        raise RunError(f"{path}: row {beyond[0]} does not exist in the run, which had {last_row} rows")
    wanted = set(numbers)
    left = {number: row for number, row in rows.items() if number in wanted}
    if len(left) < len(rows) and not options.json:
        others = count_of(len(rows) - len(left), "row")
        print(f"{path}: {others} skipped: only failed rows that can be retried are run", file=sys.stderr)
    return left


def _numbers_by_key(
    options: argparse.Namespace, job: Job, numbers: array[int], catalog: Catalog
) -> dict[str, int]:
    """Return the numbers of failed rows by value of the key column. Raises RunError for equal values."""
    prepared = replace(prepare(replace(job, step=""), catalog), rerun=Rerun(absolute(options.of), numbers))
    found: dict[str, int] = {}
    for row in open_rows(prepared).rows.rows():
        if options.key not in row.data:
            raise RunError(f'{job.input}, row {row.number}: no field "{options.key}"')
        value = key_text(row.data[options.key])
        if value in found:
            raise RunError(
                f"{job.input}: rows {found[value]} and {row.number} have the same {options.key}; use the row "
                "numbers that `ninjaone failed` writes"
            )
        found[value] = row.number
    return found


def _check_not_corrected(of: Path, relatives: set[Path], repeats: RetryableRows, state: str) -> None:
    """Raise RunError if an earlier rerun had corrected data for rows to run again."""
    left = set(repeats.numbers)
    for path in later_reruns(of, relatives, state):
        record = find(path)
        if not record or "corrected" not in record.fingerprint:
            continue
        if any(envelope.row in left for envelope in read_ends(path, format_of(str(path), None))):
            if (path.parent / JOB_RERUN).is_file():
                raise RunError(f"{of}: a rerun of the job has corrected its failed rows; rerun the job")
            raise RunError(
                f"{of}: an earlier rerun has corrected failed rows in {record.job.input}; use that file: "
                f"ninjaone rerun {shlex.quote(str(of))} {corrected_arguments(record.job)}"
            )


def _check_unchanged(
    prepared: Prepared, record: Record | None, repeats: RetryableRows, *, other_connection: bool
) -> None:
    """Raise RunError if the input has changed since the run, or the connection uses another account."""
    job = prepared.job
    if prepared.rerun is None or prepared.rerun.corrected is None:
        check_unchanged_input(job, record, repeats.last_row)
    before = record.fingerprint if record else {}
    now = fingerprint(prepared, account_of(prepared), job.source())
    if not other_connection and before.get("connection", now["connection"]) != now["connection"]:
        raise RunError(
            "the connection uses another account than the run; if this is intended, use --connection"
        )
