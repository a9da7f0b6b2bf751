"""Options and functions that several `sync` commands share."""

from __future__ import annotations

import argparse
import math
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from connector.cli.action_sources import open_catalog
from connector.errors import RunError
from connector.sync.folder import SyncFolder
from connector.sync.plan_items import Entity
from connector.sync.run import ENTITIES_OF, Choice, entities_of, parse_key
from connector.sync.sides import ActionSource, ActionTarget, open_sides

ENTITIES: dict[str, Entity] = {"organization": "client", "location": "site", "device": "asset"}
"""The entity of each kind of record that can be pinned."""


def positive_id(text: str) -> int:
    """Return an id. Raises ValueError."""
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise ValueError(f'"{text}" is not an id: a number from 1 is expected')
    return int(text)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Declare the option `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")


def milliseconds(text: str) -> float:
    """Return a number of milliseconds. Raises ValueError."""
    with suppress(ValueError):
        if 0 <= (found := float(text)) < math.inf:
            return found
    raise ValueError(f'"{text}" is not a non-negative number of milliseconds')


def add_delay(
    parser: argparse.ArgumentParser,
    text: str = "minimum interval between two requests to one account (default: that of its service)",
) -> None:
    """Declare the option `--delay-ms`, with its help text."""
    parser.add_argument("--delay-ms", metavar="MS", type=read_with(milliseconds), help=text)


def add_requests(parser: argparse.ArgumentParser) -> None:
    """Declare the options of commands that send requests."""
    add_delay(parser)
    parser.add_argument(
        "--full",
        action="store_true",
        help="read all assets, to find manual changes, and accept lists that became much shorter",
    )


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Declare `--item` and `--only`, which select a part of the plan."""
    parser.add_argument(
        "--item",
        metavar="KEY",
        nargs="+",
        type=read_with(parse_key),
        help="only these records, such as device:4471 or organization:2",
    )
    parser.add_argument(
        "--only",
        metavar="WHAT",
        help=f"only these kinds of records: {', '.join(ENTITIES_OF)}; separate several by commas",
    )


def choice_of(options: argparse.Namespace) -> Choice:
    """Return the part of the plan that `--item` and `--only` select. Raises RunError."""
    entities = None
    if options.only is not None:
        words = [word.strip() for word in options.only.split(",")]
        if unknown := [word for word in words if word not in ENTITIES_OF]:
            raise RunError(f'--only: "{unknown[0]}" is not one of {", ".join(ENTITIES_OF)}')
        entities = entities_of(words)
    keys = frozenset(options.item) if options.item else None
    return Choice(entities, keys)


def sides_of(
    folder: SyncFolder, options: argparse.Namespace, stop: threading.Event | None = None
) -> tuple[ActionSource, ActionTarget]:
    """Sign in to both services of a sync; return (source, target). Raises RunError."""
    return open_sides(folder.mapping, open_catalog(options), delay_ms=options.delay_ms, stop=stop)


def other_writers(folder: SyncFolder, target: ActionTarget) -> list[str]:
    """Return the target's own integrations that write what the mapping writes, as far as they can be read."""
    found = target.other_writers() or {}
    entities = ("asset", "ticket") if folder.mapping.alerts else ("asset",)
    return [found[entity] for entity in entities if entity in found]


def read_with(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a `type` function for argparse that shows the message of the ValueError of `read`."""

    def reader(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return reader
