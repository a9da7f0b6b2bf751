"""The `host` command: build an integration that runs the connector inside another platform."""

from __future__ import annotations

import argparse
from pathlib import Path

from connector.catalog.catalog import Catalog
from connector.cli.action_sources import DEFAULT_SERVICE, add_service_option
from connector.cli.main import OK
from connector.common.comma_separated import comma_separated
from connector.hosts.lhub_build import PRESETS, build


def add_host(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone host`."""
    hosts = parser.add_subparsers(metavar="HOST", required=True)
    lhub = hosts.add_parser("lhub", help="LogicHub, now Devo SOAR")
    commands = lhub.add_subparsers(metavar="COMMAND", required=True)
    command = commands.add_parser("build", help="write the files of an integration to a folder")
    command.add_argument(
        "folder", metavar="DIR", type=Path, help="a new folder, or one with an earlier build"
    )
    chosen = command.add_mutually_exclusive_group()
    chosen.add_argument(
        "--actions",
        metavar="NAME,...",
        type=comma_separated,
        help="the actions to include, instead of a preset",
    )
    counted = ", ".join(f"{name} ({len(actions)} actions)" for name, actions in PRESETS.items())
    chosen.add_argument(
        "--preset",
        choices=list(PRESETS),
        default="documented",
        help=f"set of actions to include: {counted} (default: documented, as in the older connector)",
    )
    chosen.add_argument("--all", action="store_true", help="include every action of the service")
    add_service_option(command, f"{DEFAULT_SERVICE}; with --all only")
    command.set_defaults(command=_build)


def _build(options: argparse.Namespace) -> int:
    catalog = Catalog()
    names = options.actions or PRESETS[options.preset]
    if options.all:
        names = catalog.names_of(catalog.service(options.service).name)
    for path in build(options.folder, names, catalog):
        print(path)
    return OK
