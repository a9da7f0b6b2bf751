"""Asking before what is destructive: what will be done, where, and to how many."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from connector.cli.ask import confirm, is_terminal
from connector.connections.connection import Connection, load_connection
from connector.errors import RunError
from connector.files.readers import RowSource
from connector.runs.job import STREAM
from connector.runs.policy import apply_policy
from connector.runs.run import Prepared
from connector.runs.tenant_runs import tenant_connections


def require_consent(
    steps: Sequence[Prepared],
    *,
    yes: bool,
    may_ask: bool = True,
    resumed: bool = False,
    is_call: bool = False,
) -> None:
    """Have a person agree to the destructive ones among the steps; with `yes` somebody has.

    A call has no rows but its own values. Raises RunError, before anything is sent, where the answer is
    another one and where nobody can be asked.
    """
    destructive = [step for step in steps if step.action.effect == "destructive"]
    if yes or not destructive:
        return
    reads_rows = not is_call and any(step.job.input == STREAM for step in steps)
    if reason := _why_not_ask(reads_rows, may_ask):
        names = ", ".join(dict.fromkeys(step.action.name for step in destructive))
        raise RunError(
            f"{names}: destructive, and {reason}: look at it with `ninjaone preview`, and give --yes. "
            "Nothing was sent"
        )
    print("This is destructive:", file=sys.stderr)
    for step in destructive:
        rows = "the values of this call" if is_call else _how_many(step)
        print("\n".join(_described(step, rows)), file=sys.stderr)
    if resumed:
        print("  What is done already is not done again.", file=sys.stderr)
    if not confirm("Go on?"):
        raise RunError("that was no yes: nothing was sent")


def _why_not_ask(reads_rows: bool, may_ask: bool) -> str:
    if not may_ask:
        return "with --json nobody is asked"
    if reads_rows:
        return "standard input has the rows, so that nobody can answer there"
    return "" if is_terminal() and sys.stderr.isatty() else "there is no terminal to ask on"


def _described(step: Prepared, rows: str) -> Iterator[str]:
    action = step.action
    yield f"  {step.job.label}: {action.title}. {action.summary}"
    yield f"    on    {_where(step)}"
    yield f"    for   {rows}"


def _where(step: Prepared) -> str:
    if step.choose:
        return ", ".join(f"{name} ({_host(its)})" for name, its in tenant_connections(step).items())
    connection = apply_policy(step.action, step.job, load_connection(step.service, step.job.connection))
    return f"{connection.name} ({_host(connection)})" if connection.name else _host(connection)


def _host(connection: Connection) -> str:
    return urlsplit(connection.base_url).netloc


def _how_many(step: Prepared) -> str:
    """Say for how many rows, as far as that can be known before any of them is run."""
    job = step.job
    if step.rerun:
        return f"{_rows(len(step.rerun.numbers))} of {job.input} that failed"
    if job.follows:
        only = ", as far as `only` lets them through" if job.only else ""
        return f'every row that comes of the step "{job.follows}"{only}'
    count = RowSource(job.input, job.input_format).count()
    return f"{'rows' if count is None else _rows(count)} of {job.input}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
