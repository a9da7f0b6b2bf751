"""The command `ninjaone sync init`."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from connector.cli.action_sources import open_catalog
from connector.cli.main import OK
from connector.cli.sync_sides import add_delay, add_json
from connector.common.plurals import counted
from connector.common.user_folders import write_whole
from connector.connections.settings import is_file
from connector.errors import RunError, file_errors
from connector.sync.calls import Calls, open_calls
from connector.sync.mapping_file import load_mapping
from connector.sync.new_mapping import Found, new_mapping
from connector.sync.sides import ActionSource, ActionTarget


def add_init(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync init`."""
    parser.add_argument(
        "--source",
        metavar="NAME",
        required=True,
        help="connection to the service with the devices: a saved name or a file",
    )
    parser.add_argument(
        "--target",
        metavar="NAME",
        required=True,
        help="connection to the service with the assets: a saved name or a file",
    )
    add_delay(parser)
    add_json(parser)
    parser.set_defaults(command=_init)


def _init(options: argparse.Namespace) -> int:
    path = options.folder / "mapping.yaml"
    with file_errors(options.folder):
        if path.exists():
            raise RunError(f"{path} already exists: edit it, or choose another folder")
    catalog = open_catalog(options)

    def opened(named: str) -> Calls:
        return open_calls(catalog, named, folder=options.folder, delay_ms=options.delay_ms)

    with file_errors(options.folder):
        options.folder.mkdir(mode=0o700, exist_ok=True)
    names = [_named(name, options.folder) for name in (options.source, options.target)]
    source, target = ActionSource(opened(names[0])), ActionTarget(opened(names[1]))
    found = Found(
        names[0],
        names[1],
        list(source.organizations()),
        list(source.locations()),
        list(target.clients()),
        list(target.sites()),
        target.takeover() or {},
    )
    made = new_mapping(found)
    with file_errors(path):
        write_whole(path, made.text.encode(), mode=0o644)
    load_mapping(path)
    parts = [f"{made.taken} mapped as in {target.title}'s built-in integration"] if made.taken else []
    parts += [f"{made.suggested} with the same name (suggested)", f"{made.open} open"]
    if options.json:
        numbers = {"organizations": len(found.organizations), "locations": len(found.locations)}
        numbers |= {"taken_over": made.taken, "suggested": made.suggested, "open": made.open}
        print(json.dumps({"file": str(path), **numbers}))
        return OK
    counts = [counted(len(found.organizations), "organization"), counted(len(found.locations), "location")]
    print(f"{path}: {', '.join(counts)}; {', '.join(parts)}")
    return OK


def _named(named: str, folder: Path) -> str:
    """Return a connection for the mapping file: a saved name, or a path that is valid from its folder."""
    if not is_file(named) or (folder / named).exists():
        return named
    return os.path.abspath(named)
