"""`run` and `call`: an action over rows, and an action once."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event

from connector import json_text
from connector.action import Action
from connector.batch import Summary
from connector.catalog import Catalog
from connector.cli.job_options import add_inputs, add_running, add_sending, make_jobs, pairs
from connector.cli.main import INTERRUPTED, OK, ROWS_FAILED
from connector.cli.progress import Progress, describe
from connector.connections import load_connection
from connector.errors import RunFault, nearest
from connector.job import Job
from connector.output import FORMATS as OUTPUT_FORMATS
from connector.output import Start
from connector.run import make_invoker, open_client, prepare, prepare_all, run_all, sign_in


def add_run(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone run`."""
    add_inputs(parser)
    add_sending(parser)
    add_running(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="where envelopes go; - is standard output (a job's steps: the folder)",
    )
    parser.add_argument("--output-format", choices=OUTPUT_FORMATS, help="by default the output's ending says")
    parser.add_argument(
        "--rows", choices=("one", "each"), help="a list result as one envelope, or one an item"
    )
    parser.add_argument("--keep-row", action="store_true", default=None, help="add the row to its envelope")
    started = parser.add_mutually_exclusive_group()
    started.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    started.add_argument("--restart", action="store_true", help="begin again, and replace the output")
    parser.add_argument("--json", action="store_true", help="print summaries as JSON, on standard error")
    parser.set_defaults(command=_run)


def add_call(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone call`."""
    parser.add_argument("action", metavar="ACTION")
    parser.add_argument("values", metavar="KEY=VALUE", nargs="*", help="an input's value, as text")
    add_sending(parser)
    parser.set_defaults(command=_call)


def _run(options: argparse.Namespace) -> int:
    steps = prepare_all(make_jobs(options), Catalog())
    start: Start = "resume" if options.resume else "restart" if options.restart else "new"
    stop = Event()
    progress = Progress(sys.stderr)
    exit_code = OK
    with _stopping(stop):
        for step, summary in run_all(steps, start, listeners=(progress,), stop=stop):
            progress.end()
            print(_report(step.job, summary, as_json=options.json), file=sys.stderr)
            if summary is not None:
                exit_code = max(exit_code, _exit_code(summary))
    return exit_code


def _exit_code(summary: Summary) -> int:
    if summary.stopped:
        return INTERRUPTED
    failed = summary.failed or summary.resumed_failed or summary.left_out.get("failed")
    return ROWS_FAILED if failed else OK


class _stopping:
    """Let the first Ctrl-C finish the rows under way, and the second one end the process at once."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop
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
        # Not by print: the signal may have come in the midst of one, which can be entered but once.
        with suppress(OSError, ValueError):
            os.write(
                sys.stderr.fileno(), b"ninjaone: stopping after the rows under way; once more stops at once\n"
            )


def _report(job: Job, summary: Summary | None, *, as_json: bool) -> str:
    if not as_json:
        return describe(job, summary)
    named = {"step": job.step} if job.step else {}
    return json.dumps({**named, **(summary.as_json() if summary else {"finished_before": True})})


def _call(options: argparse.Namespace) -> int:
    values = pairs(options.values, "KEY=VALUE")
    catalog = Catalog()
    action = catalog.action(options.action)
    _check_names(action, values)
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
    )
    prepared = prepare(job, catalog)
    connection = load_connection(prepared.service, job.connection)
    client = open_client(prepared.service, connection, prepared.bindings.delay_ms)
    sign_in(client)
    (envelope,) = make_invoker(prepared, client).envelopes(1, values)
    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(envelope.as_json(), indent=indent))
    return ROWS_FAILED if envelope.has_error else OK


def _check_names(action: Action, values: Mapping[str, str]) -> None:
    for name in values:
        if name not in action.inputs:
            raise RunFault(f'{action.name} has no input "{name}"{nearest(name, action.inputs)}')
