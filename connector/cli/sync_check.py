"""The command `ninjaone sync check`."""

from __future__ import annotations

import argparse
import json

from connector.cli.main import NOTHING_RUN, OK
from connector.cli.sync_probe import add_probe, probe
from connector.cli.sync_sides import add_delay, add_json, sides_of
from connector.sync.check import Checker
from connector.sync.folder import open_folder


def add_check(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync check`."""
    add_json(parser)
    add_delay(parser)
    parser.add_argument(
        "--beside-halo",
        action="store_true",
        help="accept that the target's built-in integration with the source is turned on",
    )
    add_probe(parser)
    parser.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    if options.probe:
        return probe(options)
    folder = open_folder(options.folder)
    source, target = sides_of(folder, options)
    unless = ", or use --beside-halo"
    checker = Checker(folder, source, target, beside=options.beside_halo, unless=unless)
    found = list(checker.findings())
    if options.json:
        print(json.dumps([vars(finding) for finding in found]))
    else:
        for finding in found:
            print(f"{finding.level:8}{finding.subject:18}{finding.text}")
    return NOTHING_RUN if any(finding.level == "error" for finding in found) else OK
