"""The `preview` command: show the request of each row without sending it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from connector.cli.given_job import prepare_given
from connector.cli.job_options import (
    add_connection_option,
    add_inputs,
    add_read_only,
    add_selection,
    add_tenants,
    add_times,
)
from connector.cli.main import OK, ROWS_FAILED
from connector.client.factory import open_client, sign_in
from connector.common.redaction import HIDDEN
from connector.common.zones import in_zone, read_zone
from connector.connections.connection import Connection, load_connection
from connector.errors import ConnectionSetupError, RowError
from connector.files.readers import InputRow
from connector.runs.policy import apply_policy
from connector.runs.prepared import Prepared, zone_of
from connector.runs.preview import NO_INSTANCE, Reads, preview_row
from connector.runs.run import open_distinct
from connector.runs.tenant_accounts import tenant_connections
from connector.runs.tenant_split import NOBODY

_SHOWN = 10
"""The default of `--limit`."""


def add_preview(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone preview`."""
    add_inputs(parser)
    add_connection_option(parser, by_service=True)
    add_read_only(parser)
    add_times(parser)
    add_tenants(parser)
    add_selection(parser, default=str(_SHOWN))
    parser.add_argument("--uploads", metavar="DIR", type=Path, help="folder of the files to upload")
    parser.add_argument(
        "--lookup",
        action="store_true",
        help="look up names and definitions with reads, and show each request as it will be sent",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per row")
    parser.set_defaults(command=_preview)


def _preview(options: argparse.Namespace) -> int:
    steps = prepare_given(options)
    with ExitStack() as opened:
        shows = [row_preview(step, opened, options.lookup) for step in steps]
        failed = [
            _show_step(step, show, as_json=options.json) for step, show in zip(steps, shows, strict=True)
        ]
    return ROWS_FAILED if any(failed) else OK


def _show_step(step: Prepared, show: Callable[[InputRow], dict[str, Any]], *, as_json: bool) -> bool:
    """Print the rows of a step, and return whether one of them has an error."""
    failed = False
    named = {"step": step.job.step} if step.job.step else {}
    if not as_json:
        print("\n".join(_headline(step)))
    if step.job.follows:
        waits = {**named, "waits_for": step.job.follows}
        text = f'  (its rows are the results of step "{step.job.follows}")'
        print(json.dumps(waits) if as_json else text)
        return False
    for row in _rows(step):
        shown = show(row)
        failed = failed or "error" in shown
        print(json.dumps({**named, **shown}) if as_json else preview_text(shown))
    return failed


def _rows(step: Prepared) -> Iterator[InputRow]:
    """Yield the rows to preview: those that the options select, else the first ones."""
    job = step.job
    selection, source = job.selection, job.source()
    rows = iter(selection.rows(source).rows())
    if selection.limit is not None or selection.sample is not None:
        yield from rows
        return
    yield from islice(rows, _SHOWN)
    if next(rows, None) is not None:
        total = selection.rows(job.source()).count()
        some = f"the first {_SHOWN}" if total is None else f"{_SHOWN} of {total:,}"
        print(f"{some} rows; --limit shows more", file=sys.stderr)


def _headline(step: Prepared) -> list[str]:
    """Return the heading of a step, and one line per input with its template or field."""
    name = [f"# --- {step.job.label}"] if step.job.step else []
    bound = step.bindings.described()
    for given in step.action.secret_inputs:
        if (source := bound.get(given.name, "")).startswith("the template") and "{{" not in source:
            bound[given.name] = f"the template {HIDDEN}"
    return name + [f"# {name} <- {source}" for name, source in bound.items()]


def _connection(prepared: Prepared, required: bool) -> Connection | None:
    """Return the connection of a step. Unless it is required, return None if there is none."""
    try:
        connection = load_connection(prepared.service, prepared.job.connection)
        return apply_policy(prepared.action, prepared.job, connection)
    except ConnectionSetupError:
        if required or prepared.job.connection is not None:
            raise
        return None


def row_preview(prepared: Prepared, opened: ExitStack, look_up: bool) -> Callable[[InputRow], dict[str, Any]]:
    """Return a function that returns the preview of a row as a JSON object. Raises RunError."""
    choose = prepared.choose
    if choose is None:
        return _show_row(prepared, opened, _connection(prepared, look_up), look_up)
    shows = {NOBODY: _show_row(prepared, opened, None, look_up)}
    for name, connection in tenant_connections(prepared).items():
        shows[name] = _show_row(prepared, opened, connection, look_up)

    def preview(row: InputRow) -> dict[str, Any]:
        try:
            with in_zone(read_zone(prepared.job.timezone)):
                name = NOBODY if row.error else choose(row.data)
        except RowError as error:
            return {"row": row.number, "error": str(error)}
        return {**({"connection": name} if name else {}), **shows[name](row)}

    return preview


def _show_row(
    prepared: Prepared, opened: ExitStack, connection: Connection | None, look_up: bool
) -> Callable[[InputRow], dict[str, Any]]:
    """Return a function that describes a row of a connection; `look_up` sends reads. Raises RunError."""
    distinct = opened.enter_context(open_distinct(prepared))
    zone = zone_of(prepared.job, connection)
    base_url = connection.base_url if connection else NO_INSTANCE
    reads = None
    if look_up and connection:
        reads = Reads(
            open_client(
                prepared.service,
                connection,
                prepared.delay_ms,
                min_delay_ms=prepared.min_delay_ms,
                state=prepared.job.state,
            )
        )
        sign_in(reads.client)
    show = partial(preview_row, prepared.action, prepared.service, prepared.bindings, prepared.job.uploads)

    def preview(row: InputRow) -> dict[str, Any]:
        try:
            with in_zone(zone):
                first = distinct.first_of(row) if distinct else row.number
                return (
                    show(row, base_url, reads)
                    if first == row.number
                    else {"row": row.number, "same_as": first}
                )
        except RowError as error:
            return {"row": row.number, "error": str(error)}

    return preview


def preview_text(shown: Mapping[str, Any]) -> str:
    """Return a row's preview as text. Its `name` is shown if it has one."""
    names = ", ".join(shown[key] for key in ("name", "connection") if key in shown)
    name = f"row {shown['row']}" + (f" ({names})" if names else "")
    if "error" in shown:
        return f"{name}: ERROR {shown['error']}"
    if "same_as" in shown:
        return f"{name}: gets the result of row {shown['same_as']} (distinct)"
    lines = [f"{name}: {shown['method']} {shown['url']}"]
    lines += [f"  {name}: {value}" for name, value in shown["headers"].items()]
    if shown["body"] is not None:
        lines.append("  " + json.dumps(shown["body"], ensure_ascii=False))
    lines += [f"  ({name} is {time})" for name, time in shown.get("times", {}).items()]
    if "looks_up" in shown:
        lines.append(f"  (names are looked up first, once per run, at {shown['looks_up']})")
    lines += [f"  (resolved later: {text})" for text in shown.get("resolved_later", ())]
    lines += [f"  (warning: {text})" for text in shown.get("warnings", ())]
    if "if_missing" in shown:
        lines.append(f"  (sent only if no record has this name in {shown['if_missing']})")
    if "then" in shown:
        lines.append(f"  ({shown['then']})")
    return "\n".join(lines)
