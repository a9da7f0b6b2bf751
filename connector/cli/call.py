"""The `call` command: run an action once."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from connector.catalog.action import Action
from connector.cli.action_sources import add_own_actions, open_catalog
from connector.cli.consent import require_consent
from connector.cli.job_options import add_consent, add_sending, add_wait
from connector.cli.key_values import pairs, refuse_secret_arguments
from connector.cli.logs import show_log_by
from connector.cli.main import OK, ROWS_FAILED
from connector.cli.output_options import add_call_output
from connector.client.client import Client
from connector.client.factory import open_client, sign_in
from connector.common.clock import SystemClock
from connector.connections.connection import load_connection
from connector.errors import RunError
from connector.files.envelope import Envelope
from connector.files.output_formats import TABLES, OutputForm, format_of
from connector.runs.job import Job
from connector.runs.job_checks import check_output_format
from connector.runs.policy import apply_policy
from connector.runs.prepared import Prepared, make_invoker, prepare
from connector.templating.scope import is_template


def add_call(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone call`."""
    parser.add_argument("action", metavar="ACTION")
    parser.add_argument("values", metavar="KEY=VALUE", nargs="*", help="value of an input, as text")
    add_own_actions(parser)
    add_sending(parser)
    add_wait(parser)
    add_consent(parser)
    add_call_output(parser)
    parser.set_defaults(command=_call)


def _call(options: argparse.Namespace) -> int:
    values = pairs(options.values, "KEY=VALUE")
    if is_template(options.connection):
        raise RunError("call has no rows to select a connection with a template; use --connection NAME")
    form = _output_form(options)
    catalog = open_catalog(options)
    action = catalog.action(options.action)
    _check_names(action, values)
    refuse_secret_arguments(action, values)
    job = Job(
        action=action.name,
        connection=options.connection,
        match_fields=True,
        delay_ms=options.delay_ms,
        min_delay_ms=options.min_delay_ms,
        uploads=options.uploads or Path(),
        files=options.files,
        reveal_secrets=bool(options.reveal_secrets),
        read_only=bool(options.read_only),
        audit=options.audit,
        timezone=options.timezone or "",
        times=options.times or "epoch",
        with_names=options.with_names or "",
        wait_s=options.wait_s,
    )
    prepared = prepare(job, catalog, action=action)
    connection = apply_policy(action, job, load_connection(prepared.service, job.connection))
    require_consent([prepared], yes=options.yes, is_call=True)
    client = open_client(
        prepared.service,
        connection,
        prepared.delay_ms,
        min_delay_ms=prepared.min_delay_ms,
        state=prepared.job.state,
    )
    sign_in(client)
    envelope = _send(prepared, client, values)
    client.flush_audit()  # printed before the result, because standard output can be a closed pipe
    _print(envelope, form)
    return ROWS_FAILED if envelope.has_error else OK


def _send(prepared: Prepared, client: Client, values: Mapping[str, str]) -> Envelope:
    """Return the envelope of the call, with its outcome if the call waits."""

    def send() -> Envelope:
        (envelope,) = make_invoker(prepared, client).envelopes(1, values)
        return envelope

    if prepared.wait is None:
        return send()
    from connector.runs.waiting_output import call_and_wait  # imported only with --wait

    with show_log_by(lambda line: print(line, file=sys.stderr)):
        return call_and_wait(prepared.wait, client, SystemClock(), send)


def _print(envelope: Envelope, form: OutputForm) -> None:
    """Write the envelope to standard output, or with `--results` the result; then an error goes to stderr."""
    if form.results and envelope.has_error:
        print(f"ninjaone: {envelope.meta['code']}: {envelope.error}", file=sys.stderr)
    elif form.format == "jsonl":
        indent = 2 if sys.stdout.isatty() else None
        written = envelope.as_json()
        values = [written]
        if form.results:
            from connector.files.columns import result_items  # imported only with --results

            values = list(result_items(written))
        for value in values:
            print(json.dumps(value, indent=indent))
    else:
        from connector.files.stream_output import StreamOutput  # imported only for other formats

        output = StreamOutput(form)
        output.write(envelope.line())
        output.finish()
        output.close()


def _output_form(options: argparse.Namespace) -> OutputForm:
    """Return how the result is written. Raises RunError if it cannot be."""
    format = format_of("", options.output_format)
    check_output_format(Job(action="", output_format=format))
    return OutputForm(format, results=options.results or format in TABLES)


def _check_names(action: Action, values: Mapping[str, str]) -> None:
    for name in values:
        if name not in action.inputs:
            raise RunError(action.no_input(name))
