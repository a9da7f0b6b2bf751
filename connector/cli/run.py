"""The `run` command: run an action for each row of a file, or the steps of a job."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from connector.cli.consent import require_consent
from connector.cli.consent_step import asks_later, confirm_changes
from connector.cli.file_arguments import file_path
from connector.cli.given_job import make_jobs, prepare_jobs
from connector.cli.job_options import (
    add_consent,
    add_expected,
    add_inputs,
    add_running,
    add_selection,
    add_sending,
    add_wait,
)
from connector.cli.logs import show_log_by
from connector.cli.main import OK
from connector.cli.notify import add_notify, open_notifier
from connector.cli.output_options import add_output, failed_row_text
from connector.cli.printed_results import PrintedResults
from connector.cli.progress import Progress
from connector.cli.stopping import stopping
from connector.cli.summary import Report, describe
from connector.cli.worker import TASK_QUEUE, require_temporal
from connector.common.clock import SystemClock
from connector.errors import RunError
from connector.files.envelope import Envelope
from connector.files.work_folder import Start
from connector.runs.active_run import ActiveRun
from connector.runs.exit_codes import exit_code_of_run
from connector.runs.job import STREAM, Job
from connector.runs.job_file import is_job
from connector.runs.job_run import RunStep, run_all
from connector.runs.output_choice import check_inputs_kept, start_of
from connector.runs.prepared import Prepared
from connector.runs.run import check_expected
from connector.runs.stop_event import StopEvent
from connector.runs.summary import Summary
from connector.runs.summary_document import run_as_json
from connector.templating.scope import is_template


def add_run(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone run`."""
    add_inputs(parser)
    add_sending(parser, by_service=True)
    add_running(parser)
    add_expected(parser)
    add_selection(parser)
    add_output(parser)
    add_wait(parser)
    add_outcome(parser)
    add_on(parser)
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="run the reads, show the changes without sending them, and keep no output: the same as "
        "`ninjaone plan`",
    )
    parser.set_defaults(command=_run)


def add_on(parser: argparse.ArgumentParser) -> None:
    """Declare `--on`."""
    parser.add_argument(
        "--on",
        metavar="URL",
        help="run the rows on the workers (`ninjaone worker`) of a Temporal server: "
        "temporal://HOST:PORT/NAMESPACE?task_queue=NAME",
    )


def add_outcome(parser: argparse.ArgumentParser) -> None:
    """Declare the options to resume or restart a run, and to report its result."""
    add_consent(parser)
    started = parser.add_mutually_exclusive_group()
    started.add_argument("--resume", action="store_true", help="continue an unfinished run")
    started.add_argument(
        "--restart",
        action="store_true",
        help="run all rows again and overwrite the output; requires confirmation or --yes if this repeats "
        "requests of an unfinished run that are not safe to repeat",
    )
    parser.add_argument("--json", action="store_true", help="print summaries as JSON on standard error")
    parser.add_argument(
        "--summary",
        metavar="FILE",
        type=file_path,
        help="write the run summary to FILE as JSON, even if the run fails",
    )
    add_notify(parser)


def _run(options: argparse.Namespace) -> int:
    if options.dry_run:
        if options.resume or options.restart:
            raise RunError("--dry-run runs all reads; it cannot be used with --resume or --restart")
        from connector.cli.plan import show_plan  # imported only for plans

        return show_plan(options)
    is_fixed = not is_template(str(options.summary))
    with Report(options.summary if is_fixed else None) as report:
        report.notify_by(open_notifier(options, options.action, _job_file(options)))
        now = SystemClock().now()
        with SpareFolder(report) as spare:
            jobs = make_jobs(options, now, _start(options), spare)
            if options.on:
                load = partial(_jobs_with_output, options, now)
                spare.printed = PrintedResults(jobs, _start(options), spare, load)
                jobs = spare.printed.jobs
            check_inputs_kept(jobs, files_read(options))
            report.write_to(jobs[0].summary)
            steps = prepare_jobs(jobs, options, now)
            if spare.printed:  # With rows from standard input, the run cannot be resumed.
                spare.printed.jobs = tuple(step.job for step in steps)
            exit_code = run_steps(steps, options, report, spare, run_on(options.on, steps))
            if spare.printed:
                spare.printed.print()
            return exit_code


def run_on(url: str | None, steps: Sequence[Prepared]) -> RunStep | None:
    """Return how steps are run on the workers of a Temporal server; None without a URL.

    Raises RunError if one of them cannot.
    """
    if url is None:
        return None
    require_temporal()
    from connector.temporal.address import read_address  # imported only if it is used
    from connector.temporal.starter import check_step, run_on_temporal

    for step in steps:
        check_step(step)
    return partial(run_on_temporal, read_address(url, TASK_QUEUE))


def files_read(options: argparse.Namespace) -> set[Path]:
    """Return the files that the options of a run or rerun name and that it only reads."""
    found: set[Path] = set()
    for name, value in vars(options).items():
        if name not in _WRITTEN:
            texts = value if isinstance(value, list) else [value]
            found |= {Path(text) for text in texts if isinstance(text, (str, Path)) and os.path.isfile(text)}
    return found


_WRITTEN = ("output", "errors", "summary", "audit", "log_file", "export", "command_line")
"""The options that are not, or not only, names of files that a command reads."""


def _job_file(options: argparse.Namespace) -> Path | None:
    return Path(options.action) if is_job(options.action) else None


def _jobs_with_output(options: argparse.Namespace, now: float, output: str) -> tuple[Job, ...]:
    """Return the jobs of a command line with another `--output`. Raises RunError."""
    return make_jobs(argparse.Namespace(**{**vars(options), "output": output}), now)


def _start(options: argparse.Namespace) -> Start:
    return "resume" if options.resume else "restart" if options.restart else "new"


class SpareFolder:
    """The folder of the outputs of steps that have none, if the job's output is standard output.

    If the job runs on workers, it also has the results that are `printed`. It is removed at the end, unless a
    row failed or the run stopped.
    """

    printed: PrintedResults | None = None

    def __init__(self, report: Report) -> None:
        self._report, self.path = report, Path()

    def __call__(self) -> Path:
        """Return the folder; it is created when it is first used."""
        if self.path == Path():
            self.path = Path(tempfile.mkdtemp(prefix="steps-"))
        return self.path

    def has(self, output: str) -> bool:
        """Return whether an output is in the folder."""
        return self.path != Path() and Path(output).parent == self.path

    def __enter__(self) -> SpareFolder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.path == Path():
            return
        if kind is None and self._report.exit_code == OK:
            shutil.rmtree(self.path, ignore_errors=True)
            return
        has_files = any(self.path.iterdir())
        if (printed := self.printed) and not printed.are_complete and (printed.begun or has_files):
            print(f"the run {printed.how_to_continue}", file=sys.stderr)
        elif has_files:
            of = "" if self.printed else " of the earlier steps"
            print(f"results{of}: {self.path}", file=sys.stderr)
        else:
            self.path.rmdir()


def run_steps(
    steps: Sequence[Prepared],
    options: argparse.Namespace,
    report: Report,
    spare: SpareFolder | None = None,
    run_step: RunStep | None = None,
) -> int:
    """Run steps, show their progress and summaries, and return the exit code.

    Asks for confirmation if required. Raises RunError and RunStoppedError.
    """
    start = start_of([step.job for step in steps], _start(options))
    for step in steps:
        check_expected(step)
    later = asks_later(steps, yes=options.yes, may_ask=not options.json)
    require_consent(steps, yes=options.yes, may_ask=not options.json, start=_start(options), asks_later=later)
    stop = StopEvent()
    console = _Console(report, steps, spare or SpareFolder(report), as_json=options.json)
    with stopping(stop, console.say), console, show_log_by(console.say):
        listeners = (console.report_failed,) if any(hides_failed_rows(step.job) for step in steps) else ()
        confirm = confirm_changes if later else None
        for step, summary in run_all(
            *(steps, start),
            listeners=listeners,
            stop=stop,
            observer=console.begin,
            confirm=confirm,
            run_step=run_step,
        ):
            console.end(step.job, summary)
    return report.exit_code


class _Console:
    """Shows the progress and summary of each run on standard error."""

    def __init__(
        self, report: Report, steps: Sequence[Prepared], spare: SpareFolder, *, as_json: bool
    ) -> None:
        self._report, self._spare, self._as_json = report, spare, as_json
        self._titles = {step.action.name: step.service.title for step in steps}
        self._rerun_of = steps[0].rerun.of if steps[0].rerun else None
        self._progress = Progress(sys.stderr)
        self._active: ActiveRun | None = None
        self.say = self._progress.say

    def begin(self, run: ActiveRun) -> None:
        """Start showing the progress of a run."""
        self._active = run
        self._report.begin(run)
        if (printed := self._spare.printed) and (text := printed.begin(run.job)):
            self.say(json.dumps({"notice": text}) if self._as_json else text)
        if _is_shown(run.job, as_json=self._as_json):
            self._progress.begin(run)

    def end(self, job: Job, summary: Summary | None) -> None:
        """Print the summary of a run; None stands for a step that was already finished."""
        self._report_end(job, summary)
        if summary is None:
            self._report.finished_before(job)
        else:
            self._report.exit_code = max(self._report.exit_code, exit_code_of_run(summary))

    def report_failed(self, envelope: Envelope) -> None:
        """Report a failed row of the current run, if no file has it."""
        if envelope.has_error and self._active and hides_failed_rows(self._active.job):
            self.say(failed_row_text(envelope, as_json=self._as_json))

    def _report_end(self, job: Job, summary: Summary | None) -> None:
        self._active = None
        self._progress.end()
        if self._as_json:
            print(json.dumps(run_as_json(job, summary)), file=sys.stderr)
        else:
            title = self._titles[job.action]
            hidden = self._spare.has(job.output)
            of = self._rerun_of
            text = describe(job, summary, service=title, hide_output=hidden, rerun_of=of)
            print(text, file=sys.stderr)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        if run := self._active:  # The run ended with an error.
            self._report_end(run.job, run.summary)


def _is_shown(job: Job, *, as_json: bool) -> bool:
    """Return whether to show progress: not if results go to the same terminal, or with --json."""
    if sys.stderr.isatty():
        return not (job.output == STREAM and sys.stdout.isatty())
    return not as_json


def hides_failed_rows(job: Job) -> bool:
    """Return whether no file of a run has its failed rows."""
    return job.results and job.errors is None
