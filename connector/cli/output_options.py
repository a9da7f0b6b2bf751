"""Command-line options for the output of `run` and `call`, and the report of failed rows."""

from __future__ import annotations

import argparse
import json
from typing import get_args

from connector.cli.file_arguments import file_name, file_path
from connector.files.envelope import Envelope
from connector.files.output_formats import FORMATS
from connector.runs.job import OutputExists


def add_output(parser: argparse.ArgumentParser) -> None:
    """Declare the options for the output of `run`."""
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=file_name,
        help="output file, - for standard output (of a job with steps: the output folder)",
    )
    parser.add_argument("--output-format", choices=FORMATS, help="default: from the file extension")
    parser.add_argument(
        "--output-exists",
        choices=get_args(OutputExists),
        help="if the output exists: fail, overwrite it, or add a number to the name of the new one; default: "
        "fail",
    )
    parser.add_argument(
        "--bom",
        action="store_true",
        default=None,
        help="begin CSV output with a byte order mark, so that Excel reads it as UTF-8",
    )
    parser.add_argument(
        "--results",
        action="store_true",
        default=None,
        help="write only the results, without envelopes: one item of a list per line; failed rows are "
        "reported on standard error, or written to the file of --errors",
    )
    parser.add_argument(
        "--errors",
        metavar="FILE",
        type=file_path,
        help="with --results: write the envelopes of the failed rows to FILE",
    )
    parser.add_argument(
        "--rows",
        choices=("one", "each"),
        help="write a list as one envelope (one), or as one envelope per item (each); default: one",
    )
    parser.add_argument(
        "--keep-row", action="store_true", default=None, help="include the input row in each envelope"
    )


def add_call_output(parser: argparse.ArgumentParser) -> None:
    """Declare the options for the output of `call`."""
    parser.add_argument(
        "--results",
        action="store_true",
        help="write only the result, without its envelope: one item of a list per line; an error is reported "
        "on standard error",
    )
    parser.add_argument(
        "--output-format",
        choices=FORMATS,
        help="default: the envelope as JSON; csv, xlsx and table imply --results",
    )


def failed_row_text(envelope: Envelope, *, as_json: bool) -> str:
    """Return a line that reports a failed row."""
    code = envelope.meta["code"]
    if as_json:
        return json.dumps({"row": envelope.row, "code": code, "error": envelope.error})
    return f"{envelope.row_text}: {code}: {envelope.error}"
