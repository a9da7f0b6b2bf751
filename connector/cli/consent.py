"""Confirmation before a run that is destructive, disruptive in bulk, or repeats requests."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connector.cli.ask import confirm, is_terminal
from connector.connections.connection import Connection, load_connection
from connector.errors import RunError, count_of, file_errors
from connector.runs.job import STREAM
from connector.runs.policy import apply_policy
from connector.runs.prepared import Prepared

if TYPE_CHECKING:
    from connector.files.work_folder import Start


def require_consent(
    steps: Sequence[Prepared],
    *,
    yes: bool,
    may_ask: bool = True,
    start: Start = "new",
    is_call: bool = False,
    asks_later: bool = False,
) -> None:
    """Require confirmation of destructive steps, and of a restart that repeats requests.

    Disruptive steps of several rows are confirmed on a terminal, and require no confirmation without one.
    `yes` confirms everything. A restart that overwrites a finished output is confirmed on a terminal, and
    requires no confirmation without one. A call (`is_call`) has no rows. With `asks_later`, steps are
    confirmed later, see `consent_step`. Raises RunError, before anything is sent, if it is not confirmed or
    there is no terminal.
    """
    destructive = [step for step in steps if step.action.effect == "destructive"]
    repeats = list(_repeats(steps)) if start == "restart" else []
    overwrites = list(_overwrites(steps)) if start == "restart" else []
    if yes:
        if may_ask:
            for line in repeats:
                print(f"ninjaone: {line}", file=sys.stderr)
        return
    reads_rows = not is_call and any(step.job.input == STREAM for step in steps)
    if reason := why_not_ask(reads_rows, may_ask):
        _require_yes(destructive, repeats, reason)
        return
    if asks_later:
        destructive = []
    disruptive = [] if is_call or asks_later else [step for step in steps if _is_disruptive_in_bulk(step)]
    if not (destructive or disruptive or repeats or overwrites):
        return
    _show(destructive, disruptive, [*repeats, *overwrites], start, is_call)
    if not confirm("Continue?"):
        raise RunError("not confirmed; nothing was sent")


def _is_disruptive_in_bulk(step: Prepared) -> bool:
    """Return whether a step's action is disruptive, but not destructive, and it may have several rows."""
    if not step.action.disruptive or step.action.effect == "destructive":
        return False
    rows = _count(step)
    return rows is None or rows > 1


def _repeats(steps: Sequence[Prepared]) -> Iterator[str]:
    """Yield a message for each output whose unfinished run has sent requests that are unsafe to repeat."""
    from connector.runs.run_stores import store_of  # imported only for restarts

    store = store_of(steps[0].job.state)
    for path in _outputs(steps):
        sent = store.sent_by_unfinished_run(path)
        if not sent.complete:
            yield (
                f"{path}: the journal of the unfinished run cannot be read, so --restart may repeat requests "
                "that must not be repeated"
            )
        elif sent.count:
            requests, rows = count_of(sent.count, "request"), count_of(len(sent.rows), "row")
            yield (
                f"{path}: the unfinished run has sent {requests} of {rows} that must not be "
                "repeated; --restart sends them again, --resume does not"
            )


def _overwrites(steps: Sequence[Prepared]) -> Iterator[str]:
    """Yield a message for each output of a finished run of a write action that a restart overwrites."""
    changing = [step for step in steps if step.action.effect != "read"]
    for path in _outputs(changing):
        with file_errors(path):
            exists = path.is_file()
        if exists:
            yield f"{path} is the output of a finished run; --restart overwrites it and runs all rows again"


def _outputs(steps: Sequence[Prepared]) -> Iterator[Path]:
    return (Path(step.job.output) for step in steps if step.job.output != STREAM)


def _require_yes(destructive: Sequence[Prepared], repeats: Sequence[str], reason: str) -> None:
    """Raise RunError if the run needs a confirmation; `reason` is why there is no prompt."""
    faults = list(repeats)
    if destructive:
        names = ", ".join(dict.fromkeys(step.action.name for step in destructive))
        faults.insert(0, f"{names}: destructive; check the requests with `ninjaone preview`")
    if faults:
        raise RunError(f"{'. '.join(faults)}. This requires --yes, because {reason}. Nothing was sent")


def _show(
    destructive: Sequence[Prepared],
    disruptive: Sequence[Prepared],
    repeats: Sequence[str],
    start: Start,
    is_call: bool,
) -> None:
    """Print the steps and repeated requests that the user is asked to confirm."""
    for name, steps in (("destructive", destructive), ("disruptive", disruptive)):
        if steps:
            print(f"This is {name}:", file=sys.stderr)
        for step in steps:
            rows = "the input values of this call" if is_call else _how_many(step)
            print("\n".join(_described(step, rows)), file=sys.stderr)
    if start == "resume":
        print("  Rows that are finished are not run again.", file=sys.stderr)
    if repeats:
        print("This repeats requests:", file=sys.stderr)
    for line in repeats:
        print(f"  {line}", file=sys.stderr)


def why_not_ask(reads_rows: bool, may_ask: bool) -> str:
    """Return why there is no prompt; empty if there is one."""
    if not may_ask:
        return "--json does not prompt"
    if reads_rows:
        return "standard input contains the rows, so there is no prompt"
    return "" if is_terminal() and sys.stderr.isatty() else "there is no terminal for a prompt"


def _described(step: Prepared, rows: str) -> Iterator[str]:
    action = step.action
    yield f"  {step.job.label}: {action.title}. {action.summary}"
    yield f"    connection: {where_of(step)}"
    yield f"    rows: {rows}"


def where_of(step: Prepared) -> str:
    """Return the host of a step's connection, with its name if it is saved; or of all its connections."""
    if step.choose:
        from connector.runs.tenant_accounts import tenant_connections  # imported only for tenants

        return ", ".join(f"{name} ({_host(its)})" for name, its in tenant_connections(step).items())
    connection = apply_policy(step.action, step.job, load_connection(step.service, step.job.connection))
    return f"{connection.name} ({_host(connection)})" if connection.name else _host(connection)


def _host(connection: Connection) -> str:
    return urlsplit(connection.base_url).netloc


def _how_many(step: Prepared) -> str:
    """Return a text with the number and source of a step's rows, for the confirmation."""
    job = step.job
    count = _count(step)
    if step.rerun:
        return f"{count} of {job.input} that failed"
    if job.follows:
        only = ", limited by `only`" if job.only else ""
        return f'the results of step "{job.follows}"{only}'
    return f"{'all' if count is None else count} of {job.input}"


def _count(step: Prepared) -> int | None:
    """Return the number of a step's rows; None if it is unknown before the run."""
    if step.rerun:
        return len(step.rerun.numbers)
    job = step.job
    return None if job.follows else job.selection.rows(job.source()).count()
