"""The `plan` command: run the reads of a job, and show its changes without sending them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.cli.given_job import make_jobs, prepare_jobs
from connector.cli.job_options import add_expected, add_inputs, add_running, add_selection, add_sending
from connector.cli.main import INTERRUPTED, OK, ROWS_FAILED
from connector.cli.preview import preview_text, row_preview
from connector.cli.progress import Progress
from connector.cli.stopping import stopping
from connector.cli.summary import describe
from connector.common.clock import SystemClock
from connector.runs.affected import find_affected, name_of, target_of
from connector.runs.job import STREAM, Job
from connector.runs.job_run import run_all
from connector.runs.prepared import Prepared, naming
from connector.runs.records import forget
from connector.runs.rerun import RERUN_SETTINGS
from connector.runs.run import open_rows
from connector.runs.stop_event import StopEvent
from connector.runs.summary import Summary
from connector.runs.summary_document import run_as_json
from connector.runs.target_names import TargetNames

_SHOWN = 10
"""The number of rows of a step whose requests and names are shown as text."""


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone plan`."""
    add_inputs(parser)
    add_sending(parser, by_service=True)
    add_running(parser)
    add_expected(parser)
    add_selection(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, with all rows")
    parser.set_defaults(command=show_plan)


def show_plan(options: argparse.Namespace) -> int:
    """Run the reads of a job, print its changes, and return the exit code. Raises RunError."""
    now = SystemClock().now()
    with TemporaryDirectory(prefix="plan-") as name:
        folder = Path(name)
        jobs = _planned(make_jobs(options, now, "new", lambda: folder), folder)
        steps = prepare_jobs(jobs, options, now)
        reads = list(_reads(steps))
        summaries: dict[str, Summary | None] = {}
        with _forgotten(reads):
            if reads:
                summaries = _run_reads(reads, as_json=options.json)
            if any(summary and summary.stopped for summary in summaries.values()):
                return INTERRUPTED
            with ExitStack() as opened:
                failed = [_show_step(step, steps, reads, opened, options.json) for step in steps]
    failed += [bool(summary and summary.failed) for summary in summaries.values()]
    return ROWS_FAILED if any(failed) else OK


def _planned(jobs: Sequence[Job], folder: Path) -> tuple[Job, ...]:
    """Return the steps of a job, or its single run, with outputs in a temporary folder."""
    files = folder / "files"
    files.mkdir()
    outputs = {job.output: str(folder / f"{job.step or job.action}.jsonl") for job in jobs}
    return tuple(
        replace(
            job,
            output=outputs[job.output],
            output_format=None,
            **{**RERUN_SETTINGS, "named_at": job.named_at},
            input=outputs[job.input] if job.follows else job.input,
            input_format="jsonl" if job.follows else job.input_format,
            files=files,
            step_outputs=(),
        )
        for job in jobs
    )


def _reads(steps: Sequence[Prepared]) -> Iterator[Prepared]:
    """Yield the steps that are reads, unless their rows are the results of a change."""
    known = {""}
    for step in steps:
        if step.action.effect == "read" and step.job.follows in known:
            known.add(step.job.step)
            yield step


@contextmanager
def _forgotten(reads: Sequence[Prepared]) -> Iterator[None]:
    """Context that removes the records of runs at its end."""
    try:
        yield
    finally:
        for step in reads:
            forget(Path(step.job.output))


def _run_reads(reads: Sequence[Prepared], *, as_json: bool) -> dict[str, Summary | None]:
    """Run steps, print their summaries on standard error, and return these by step."""
    progress, stop = Progress(sys.stderr), StopEvent()
    found = {}
    with stopping(stop, progress.say):
        for step, summary in run_all(reads, stop=stop, observer=None if as_json else progress.begin):
            progress.end()
            found[step.job.step] = summary
            job = replace(step.job, output=STREAM)
            text = json.dumps(run_as_json(job, summary)) if as_json else describe(job, summary)
            print(text, file=sys.stderr)
    return found


def _show_step(
    step: Prepared, steps: Sequence[Prepared], reads: Sequence[Prepared], opened: ExitStack, as_json: bool
) -> bool:
    """Print the changes of a step, and return whether a row has an error. Raises RunError."""
    if step in reads:
        return False
    job, named = step.job, {"step": step.job.step} if step.job.step else {}
    known = {read.job.step for read in reads}
    if job.follows and job.follows not in known:
        text = f'{job.label}: not planned; its rows are the results of the step "{job.follows}"'
        print(json.dumps({**named, "action": job.action, "waits_for": job.follows}) if as_json else text)
        return False
    with naming(job):
        names_of = TargetNames(step, target_of(step))
        affected = find_affected(step, sys.maxsize if as_json else _SHOWN, names_of)
        if step.expected:
            step.expected._replace(hint="").check(affected.count)  # A plan cannot be resumed.
    rows = open_rows(step)
    if as_json:
        print(json.dumps({**named, "action": job.action, "rows": affected.count, "names": affected.names}))
    else:
        print(f"{job.label} on {affected.text}")
    show, failed = row_preview(step, opened, True), False
    for row in islice(rows.rows.rows(), None if as_json else _SHOWN):
        name = f"row {row.number}" if row.error else name_of(step, row.data, row.number, names_of)
        named_row = {} if name == f"row {row.number}" else {"name": name}
        shown = {**named_row, **show(row)}
        failed = failed or "error" in shown
        print(json.dumps({**named, **shown}) if as_json else _text(shown))
    if not as_json and affected.count > _SHOWN:
        print(f"  the first {_SHOWN} of {affected.count} rows; --json shows all")
    return failed


def _text(shown: Mapping[str, object]) -> str:
    """Return a row's request as indented text, without its headers."""
    without = {**shown, "headers": {}} if "headers" in shown else shown
    return "\n".join(f"  {line}" for line in preview_text(without).splitlines())
