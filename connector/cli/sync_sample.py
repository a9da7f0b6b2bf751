"""The command `ninjaone sync sample`."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from connector.cli.main import OK
from connector.cli.sync_sides import add_delay, sides_of
from connector.common.redaction import Redactor
from connector.errors import RunError
from connector.sync.folder import open_folder
from connector.sync.sample import read_sample, save_sample

COUNT = 20


def add_sample(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync sample`."""
    parser.add_argument(
        "--count", metavar="N", type=int, default=COUNT, help=f"number of devices (default: {COUNT})"
    )
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="file to write (default: standard output)"
    )
    add_delay(parser)
    parser.set_defaults(command=_sample)


def _sample(options: argparse.Namespace) -> int:
    if options.count < 1:
        raise RunError("--count must be 1 or more")
    folder = open_folder(options.folder)
    source, target = sides_of(folder, options)
    found = read_sample(folder.mapping, source, target, options.count)
    redactor = Redactor(members=source.calls.service.secrets)
    shown = replace(found, rows=tuple(redactor.json(dict(row)) for row in found.rows))
    if options.output is None:
        print(json.dumps(shown.as_json(), indent=1))
    else:
        save_sample(options.output, shown)
        print(f"{len(shown.rows)} devices, {len(shown.fields)} fields: {options.output}")
    return OK
