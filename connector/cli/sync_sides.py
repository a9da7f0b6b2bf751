"""Functions shared by the sync commands: signing in to both sides, opening the state, and options."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable
from typing import Any

from connector.cli.action_sources import open_catalog
from connector.errors import RunError
from connector.sync.folder import SyncFolder
from connector.sync.sides import ActionSource, ActionTarget, open_sides


def add_json(parser: argparse.ArgumentParser) -> None:
    """Declare `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")


def add_requests(parser: argparse.ArgumentParser) -> None:
    """Declare the options of commands that send requests."""
    parser.add_argument(
        "--delay-ms",
        metavar="MS",
        type=float,
        help="minimum interval between two requests to one account (default: that of its service)",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="also read all assets to find manual changes, and accept lists that became much shorter",
    )


def sides_of(
    folder: SyncFolder, options: argparse.Namespace, stop: threading.Event | None = None
) -> tuple[ActionSource, ActionTarget]:
    """Return both sides of a sync, signed in. Raises RunError."""
    if options.delay_ms is not None and options.delay_ms < 0:
        raise RunError("--delay-ms must not be negative")
    return open_sides(folder.mapping, open_catalog(options), delay_ms=options.delay_ms, stop=stop)


def read_with(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a reader of an option's value for argparse, which shows the message of its ValueError."""

    def reader(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return reader
