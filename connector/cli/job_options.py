"""Command-line options for the settings of a job."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from connector.cli.action_sources import add_own_actions
from connector.cli.file_arguments import file_name, file_path
from connector.cli.numbers import whole_number
from connector.errors import RunError
from connector.files.read_options import FORMATS as INPUT_FORMATS
from connector.runs.connection_choice import read_allowed
from connector.runs.job import DEFAULT_MIN_DELAY_MS, MAX_CONCURRENT, MIN_DELAY_MS, DelayMs
from connector.runs.wait_time import DEFAULT_TIMEOUT, read_timeout

_TEMPLATE = "--template INPUT=TEMPLATE"
_count = whole_number(lambda rows: rows >= 0, "the number of rows cannot be negative")
_positive = whole_number(lambda rows: rows >= 1, "the number of rows must be at least 1")
_rows_at_a_time = whole_number(
    lambda rows: 1 <= rows <= MAX_CONCURRENT, f"1 to {MAX_CONCURRENT} rows can run in parallel"
)


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Declare the options for input rows and templates."""
    add_own_actions(parser)
    parser.add_argument("action", metavar="ACTION|JOB.yaml")
    parser.add_argument(
        "-i",
        "--input",
        metavar="FILE",
        type=file_name,
        help="file or folder of rows, or - for standard input; in a job with steps, it is used by the steps "
        "that name no input",
    )
    add_reading(parser)
    parser.add_argument(
        "--var",
        metavar="NAME=VALUE",
        action="append",
        help="variable for templates and names of files, as text; can be repeated",
    )
    parser.add_argument(
        "-t",
        "--template",
        metavar="INPUT=TEMPLATE",
        action="append",
        default=[],
        help="Jinja template of one input; can be repeated",
    )
    parser.add_argument(
        "--templates", metavar="FILE", type=file_path, help="YAML file of templates by input name"
    )
    parser.add_argument(
        "--match-fields",
        action="store_true",
        default=None,
        help="fill inputs without a template from the row's field of the same name (default if there are no "
        "templates)",
    )
    parser.add_argument(
        "--empty",
        choices=("omit", "send"),
        help="omit empty texts of a row from the request (omit), or send them (send); default: omit",
    )


def add_reading(parser: argparse.ArgumentParser, *, prefix: str = "") -> None:
    """Declare the options for reading an input file: format, delimiter, encoding, sheet, records.

    The names of their values begin with `prefix`.
    """
    parser.add_argument(
        "--input-format",
        dest=f"{prefix}input_format",
        choices=INPUT_FORMATS,
        help="default: from the file extension",
    )
    parser.add_argument(
        "--delimiter",
        dest=f"{prefix}delimiter",
        metavar="CHARACTER",
        help='separator of CSV columns, such as ";" or tab (default: detected from the header)',
    )
    parser.add_argument(
        "--encoding",
        dest=f"{prefix}encoding",
        metavar="NAME",
        help="encoding of the input, such as cp1252 (default: from its byte order mark, else UTF-8)",
    )
    parser.add_argument(
        "--sheet",
        dest=f"{prefix}sheet",
        metavar="NAME",
        help="sheet of an Excel workbook, by name or number (default: the only one)",
    )
    parser.add_argument(
        "--records",
        dest=f"{prefix}records",
        metavar="PATH",
        help="path of the list of records in a JSON object, such as value or data.items; . for the object",
    )


class _Connections(argparse.Action):
    """Stores the value of one `--connection` option as text, and several values as a list."""

    def __call__(self, parser: object, options: argparse.Namespace, value: Any, *_: object) -> None:
        before = getattr(options, self.dest)
        several = [*before, value] if isinstance(before, list) else [before, value]
        setattr(options, self.dest, value if before is None else several)


def add_connection_option(parser: argparse._ActionsContainer, *, by_service: bool = False) -> None:
    """Declare `--connection`; with `by_service`, it can be repeated for steps of different services."""
    parser.add_argument(
        "-c",
        "--connection",
        metavar="NAME|FILE",
        action=_Connections if by_service else "store",
        help="name of a saved connection, or a connection file (default: from NINJAONE_* variables, else the "
        "default connection)"
        + ("; repeat it for a job with steps of several services" if by_service else ""),
    )


def add_read_only(parser: argparse.ArgumentParser) -> None:
    """Declare `--read-only`."""
    parser.add_argument(
        "--read-only",
        action="store_true",
        default=None,
        help="read-only: block every change",
    )


def add_consent(parser: argparse.ArgumentParser) -> None:
    """Declare `--yes`."""
    parser.add_argument(
        "--yes",
        action="store_true",
        help="do not ask for confirmation of a destructive action, or of a restart that repeats requests",
    )


def add_tenants(parser: argparse._ActionsContainer) -> None:
    """Declare `--allow-connections`."""
    parser.add_argument(
        "--allow-connections",
        metavar="A,B",
        type=lambda text: read_allowed(text.split(",")),
        help='connections that rows may select if --connection is a template such as "{{ tenant }}"',
    )


def add_sending(parser: argparse.ArgumentParser, *, by_service: bool = False) -> None:
    """Declare the options for requests: pacing, uploaded and downloaded files, and secrets."""
    add_pace(parser, by_service=by_service)
    add_times(parser)
    parser.add_argument(
        "--with-names",
        metavar="A,B",
        help="add names beside the ids in results, such as organizationName beside organizationId: kinds of "
        "records, such as organization,location",
    )
    parser.add_argument(
        "--times",
        choices=("epoch", "iso"),
        help="times in results: as the API returns them (epoch), or as ISO 8601 text in the time zone (iso); "
        "default: epoch",
    )
    parser.add_argument("--uploads", metavar="DIR", type=Path, help="folder of the files to upload")
    parser.add_argument("--files", metavar="DIR", type=Path, help="folder for downloaded files")
    parser.add_argument(
        "--reveal-secrets",
        action="store_true",
        default=None,
        help="include secret values of responses in the output",
    )


def add_running(parser: argparse.ArgumentParser) -> None:
    """Declare the options for concurrency, errors and durability."""
    add_tenants(parser)
    parser.add_argument(
        "--concurrency",
        type=_rows_at_a_time,
        metavar="N",
        help="number of rows in parallel (default: 1)",
    )
    parser.add_argument(
        "--on-error",
        choices=("continue", "stop"),
        help="stop: start no further row or step after a row has failed (default: continue)",
    )
    parser.add_argument(
        "--max-errors",
        type=_count,
        metavar="N",
        help="start no further row after more than N rows have failed",
    )
    parser.add_argument(
        "--fsync",
        action="store_true",
        default=None,
        help="sync files to disk after each write, to survive a power failure (slower)",
    )
    add_state(parser)


_STATE = (
    "PostgreSQL database with the state of the run, which several machines can share, such as "
    "postgresql://user@host/database (default: NINJAONE_STATE, else files)"
)


def add_state(parser: argparse._ActionsContainer, help: str = _STATE) -> None:
    """Declare `--state`."""
    parser.add_argument("--state", metavar="URL", help=help)


def add_expected(parser: argparse.ArgumentParser) -> None:
    """Declare the options that limit the number of rows of a run."""
    parser.add_argument(
        "--max-rows",
        type=_count,
        metavar="N",
        help="run no row if there are more than N; in a job with steps, this applies to the first step that "
        "is not a read, after the steps before it have run",
    )
    parser.add_argument(
        "--expect-rows",
        type=_row_range,
        metavar="A-B",
        help="run no row unless there are A to B, or exactly A; in a job with steps, as for --max-rows",
    )


def add_selection(parser: argparse.ArgumentParser, default: str = "all") -> None:
    """Declare the options that select rows of the input."""
    parser.add_argument(
        "--limit", type=_positive, metavar="N", help=f"use the first N rows of the input (default: {default})"
    )
    parser.add_argument(
        "--offset", type=_count, metavar="N", help="skip the first N rows of the input (default: 0)"
    )
    parser.add_argument(
        "--sample",
        type=_positive,
        metavar="N",
        help="use N rows from all parts of the input, always the same ones for the same input",
    )


def _row_range(text: str) -> str:
    try:
        from connector.runs.expected_rows import read_range  # imported only if it is used

        read_range(text)
    except RunError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def add_times(parser: argparse.ArgumentParser) -> None:
    """Declare `--timezone`."""
    parser.add_argument(
        "--timezone",
        metavar="ZONE",
        help="time zone of times without one, such as Europe/Berlin (default: the connection's, or UTC)",
    )


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Declare `--wait`."""
    parser.add_argument(
        "--wait",
        nargs="?",
        type=_timeout,
        const=read_timeout(DEFAULT_TIMEOUT),
        dest="wait_s",
        metavar="TIMEOUT",
        help="wait for the end of the work that the requests queue, such as scripts, and fail the rows whose "
        f"work fails; at most TIMEOUT, such as 90s or 2h (default: {DEFAULT_TIMEOUT})",
    )


def _timeout(text: str) -> float:
    try:
        return read_timeout(text)
    except RunError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_pace(parser: argparse.ArgumentParser, *, by_service: bool = False) -> None:
    """Declare the options for the connection, read-only, the audit log and the delay."""
    add_connection_option(parser, by_service=by_service)
    add_read_only(parser)
    add_audit(parser)
    add_delay(parser)
    parser.add_argument(
        "--min-delay-ms",
        type=_least_delay,
        metavar="MS",
        help="with --delay-ms auto: shortest interval, in ms, at least 1 "
        f"(default: {DEFAULT_MIN_DELAY_MS:g})",
    )


def add_audit(parser: argparse.ArgumentParser) -> None:
    """Declare `--audit`."""
    parser.add_argument(
        "--audit",
        metavar="FILE",
        type=file_path,
        help="append one line per request to FILE, without bodies and secrets",
    )


def add_delay(parser: argparse.ArgumentParser) -> None:
    """Declare `--delay-ms`."""
    parser.add_argument(
        "--delay-ms",
        type=_delay,
        metavar="MS",
        help="minimum interval between API requests, in ms (default: 300), or auto: adapt it to the service",
    )


def _least_delay(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not MIN_DELAY_MS <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number of milliseconds, at least {MIN_DELAY_MS:g}")
    return value


def _delay(text: str) -> DelayMs:
    if text == "auto":
        return "auto"
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError("must be auto or a non-negative number of milliseconds")
    return value
