"""`run` and `call`: an action over rows, and an action once."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event

from connector.catalog.action import Action
from connector.cli.action_sources import add_own_actions, open_catalog
from connector.cli.consent import require_consent
from connector.cli.job_options import (
    add_consent,
    add_inputs,
    add_running,
    add_sending,
    pairs,
    prepare_given,
    refuse_secret_arguments,
)
from connector.cli.logs import show_log_by
from connector.cli.main import INTERRUPTED, OK, ROWS_FAILED
from connector.cli.progress import Progress
from connector.cli.summary import Report, describe, run_as_json
from connector.client.factory import open_client, sign_in
from connector.common import json_text
from connector.connections.connection import load_connection
from connector.errors import RunError, nearest
from connector.files.output import FORMATS as OUTPUT_FORMATS
from connector.files.output import Start
from connector.runs.job import STREAM, Job
from connector.runs.job_run import run_all
from connector.runs.policy import apply_policy
from connector.runs.records import ActiveRun
from connector.runs.run import Prepared, make_invoker, prepare
from connector.runs.summary import Summary
from connector.runs.tenant_split import is_template


def add_run(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone run`."""
    add_inputs(parser)
    add_sending(parser, by_service=True)
    add_running(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="output file, - for standard output (of a job with steps: the output folder)",
    )
    parser.add_argument("--output-format", choices=OUTPUT_FORMATS, help="default: from the file extension")
    parser.add_argument(
        "--rows",
        choices=("one", "each"),
        help="write a list result as one envelope, or as one envelope per item",
    )
    parser.add_argument("--keep-row", action="store_true", default=None, help="add the row to its envelope")
    add_outcome(parser)
    parser.set_defaults(command=_run)


def add_outcome(parser: argparse.ArgumentParser) -> None:
    """Declare what a run does with an interrupted one, and how it tells what came of it."""
    add_consent(parser)
    started = parser.add_mutually_exclusive_group()
    started.add_argument("--resume", action="store_true", help="continue an unfinished run")
    started.add_argument(
        "--restart",
        action="store_true",
        help="run all rows again and overwrite the output; requires confirmation, or --yes, if an unfinished "
        "run has sent requests that must not be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print summaries as JSON on standard error")
    parser.add_argument(
        "--summary",
        metavar="FILE",
        type=Path,
        help="write the run summary to FILE as JSON, even if the run fails",
    )


def add_call(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone call`."""
    parser.add_argument("action", metavar="ACTION")
    parser.add_argument("values", metavar="KEY=VALUE", nargs="*", help="value of an input, as text")
    add_own_actions(parser)
    add_sending(parser)
    add_consent(parser)
    parser.set_defaults(command=_call)


def _run(options: argparse.Namespace) -> int:
    with Report(options.summary) as report:
        return carry_out(prepare_given(options), options, report)


def carry_out(steps: Sequence[Prepared], options: argparse.Namespace, report: Report) -> int:
    """Run steps to their end, show how they go on and what comes of them, and give the exit code.

    Asks first where they are destructive. Raises RunError and RunStoppedError.
    """
    start: Start = "resume" if options.resume else "restart" if options.restart else "new"
    require_consent(steps, yes=options.yes, may_ask=not options.json, start=start)
    stop = Event()
    titles = {step.action.name: step.service.title for step in steps}
    console = _Console(report, titles, as_json=options.json)
    with _stopping(stop, console.say), console, show_log_by(console.say):
        for step, summary in run_all(steps, start, stop=stop, observer=console.begin):
            console.end(step.job, summary)
    return report.exit_code


class _Console:
    """Shows a command's runs on standard error: how each one continues, and what came of it."""

    def __init__(self, report: Report, titles: Mapping[str, str], *, as_json: bool) -> None:
        self._report, self._titles, self._as_json = report, titles, as_json
        self._progress = Progress(sys.stderr)
        self._under_way: ActiveRun | None = None
        self.say = self._progress.say

    def begin(self, run: ActiveRun) -> None:
        """Show a run that begins."""
        self._under_way = run
        self._report.begin(run)
        if _is_shown(run.job, as_json=self._as_json):
            self._progress.begin(run)

    def end(self, job: Job, summary: Summary | None) -> None:
        """Report the result of a run; without a summary it is a step that was already finished."""
        self._tell(job, summary)
        if summary is None:
            self._report.finished_before(job)
        else:
            self._report.exit_code = max(self._report.exit_code, _exit_code(summary))

    def _tell(self, job: Job, summary: Summary | None) -> None:
        self._under_way = None
        self._progress.end()
        if self._as_json:
            print(json.dumps(run_as_json(job, summary)), file=sys.stderr)
        else:
            print(describe(job, summary, service=self._titles[job.action]), file=sys.stderr)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        if run := self._under_way:  # an error ended it
            self._tell(run.job, run.summary)


def _is_shown(job: Job, *, as_json: bool) -> bool:
    """Return whether progress may be shown: not among envelopes on one terminal, nor among JSON in a file."""
    if sys.stderr.isatty():
        return not (job.output == STREAM and sys.stdout.isatty())
    return not as_json


def _exit_code(summary: Summary) -> int:
    if summary.stopped:
        return INTERRUPTED
    failed = summary.failed or summary.left_out.get("failed")
    return ROWS_FAILED if failed else OK


class _stopping:
    """Let the first Ctrl-C finish the rows in progress, and the second one end the process at once."""

    def __init__(self, stop: Event, say: Callable[[str], None]) -> None:
        self._stop, self._say = stop, say
        self._asked_before = False

    def __enter__(self) -> None:
        self._before = {s: signal.signal(s, self._asked) for s in (signal.SIGINT, signal.SIGTERM)}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _asked(self, *_: object) -> None:
        if self._asked_before:
            # Whatever hangs cannot hold this up, and all that was written is as safe as from a kill.
            os._exit(INTERRUPTED)
        self._asked_before = True
        self._stop.set()
        self._say("ninjaone: stopping after the rows in progress; press Ctrl-C again to stop now")


def _call(options: argparse.Namespace) -> int:
    values = pairs(options.values, "KEY=VALUE")
    if is_template(options.connection):
        raise RunError("call has no rows to select a connection with a template; use --connection NAME")
    catalog = open_catalog(options)
    action = catalog.action(options.action)
    _check_names(action, values)
    refuse_secret_arguments(action, values)
    delay = values.pop("delay_ms", None)
    templates = {} if delay is None else {"delay_ms": json_text.dumps(delay)[1:-1]}
    job = Job(
        action=action.name,
        connection=options.connection,
        templates=templates,
        match_fields=True,
        delay_ms=options.delay_ms,
        uploads=options.uploads or Path(),
        files=options.files,
        reveal_secrets=bool(options.reveal_secrets),
        read_only=bool(options.read_only),
        audit=options.audit,
    )
    prepared = prepare(job, catalog)
    connection = apply_policy(action, job, load_connection(prepared.service, job.connection))
    require_consent([prepared], yes=options.yes, is_call=True)
    client = open_client(prepared.service, connection, prepared.bindings.delay_ms)
    sign_in(client)
    (envelope,) = make_invoker(prepared, client).envelopes(1, values)
    client.flush_audit()  # first, as the output may be a pipe that nobody reads
    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(envelope.as_json(), indent=indent))
    return ROWS_FAILED if envelope.has_error else OK


def _check_names(action: Action, values: Mapping[str, str]) -> None:
    for name in values:
        if name not in action.inputs:
            raise RunError(f'{action.name} has no input "{name}"{nearest(name, action.inputs)}')
