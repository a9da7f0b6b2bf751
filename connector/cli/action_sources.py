"""The options --actions and --allow-handlers, which add custom actions to the catalog."""

from __future__ import annotations

import argparse
from pathlib import Path

from connector.catalog.catalog import Catalog
from connector.errors import RunError

DEFAULT_SERVICE = "the service (default: ninjaone)"


def add_own_actions(parser: argparse.ArgumentParser) -> None:
    """Declare `--actions` and `--allow-handlers`."""
    parser.add_argument(
        "--actions",
        metavar="DIR",
        dest="own_actions",
        type=Path,
        help="folder of custom actions, DIR/SERVICE/AREA/NAME.yaml, and services, DIR/SERVICE/service.yaml",
    )
    parser.add_argument(
        "--allow-handlers", action="store_true", help="run the Python handlers of the custom actions in DIR"
    )


def add_service_option(parser: argparse.ArgumentParser, help: str) -> None:
    """Declare `--service` with a help text; its default is an empty string."""
    parser.add_argument("--service", metavar="SERVICE", default="", help=help)


def open_catalog(options: argparse.Namespace) -> Catalog:
    """Return the catalog, including the custom actions of `--actions`. Raises RunError."""
    if options.allow_handlers and not options.own_actions:
        raise RunError("--allow-handlers requires --actions DIR")
    return Catalog(own=options.own_actions, allow_handlers=options.allow_handlers)
