"""The command `ninjaone sync demo`."""

from __future__ import annotations

import argparse
from pathlib import Path

DEVICES, FEW = 60, 24


def add_demo(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync demo`."""
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        default=Path("demo-output") / "sync",
        help="folder of the sync and of the page (default: %(default)s)",
    )
    parser.add_argument("--short", action="store_true", help=f"use {FEW} devices instead of {DEVICES}")
    parser.set_defaults(command=_demo)


def _demo(options: argparse.Namespace) -> int:
    # imported only here: the sandboxes take longer to import than the other commands of a sync
    from connector.cli.sync_demo_steps import run_demo

    return run_demo(options.output, FEW if options.short else DEVICES)
