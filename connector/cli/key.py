"""The `key` command: manage the keys of `ninjaone serve` and `ninjaone mcp --http`."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from connector.callers.keys import Key, Keys, Rights
from connector.catalog.catalog import Catalog
from connector.cli.main import OK
from connector.cli.serving import add_connections
from connector.cli.subcommands import subcommands
from connector.common.comma_separated import comma_separated
from connector.connections.saved import SavedConnections
from connector.connections.settings import absolute_file, is_file
from connector.errors import RunError


def add_key(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone key`."""
    declare = subcommands(parser)
    new = declare("add", _add, "add a key, and print its secret, which is not stored and not shown again")
    shown = declare("list", _list, "list the keys and their rights")
    gone = declare("remove", _remove, "remove a key: running servers refuse it from now on")
    for command in (new, gone):
        command.add_argument("name", metavar="NAME", help="name of the key, such as that of its program")
    new.add_argument(
        "--effect",
        metavar="A,B",
        type=comma_separated,
        default=("read",),
        help="effects of the actions that the key may call: read, write, destructive (default: read)",
    )
    new.add_argument(
        "--actions",
        metavar="A,B",
        type=comma_separated,
        default=("*",),
        help="names of the actions that the key may call; * stands for any characters (default: all)",
    )
    add_connections(new, "that the key may use", "all of the server's")
    shown.add_argument("--json", action="store_true", help="print JSON")


def _add(options: argparse.Namespace) -> int:
    connections = tuple(map(absolute_file, options.connection))
    _check(options.actions, connections)
    rights = Rights(options.effect, options.actions, connections)
    secret = Keys().add(options.name, rights, date.today().isoformat())
    print(secret)
    print(
        f'the key "{options.name}" may call {_described(rights)}. Save its secret now: only the digest is '
        "stored",
        file=sys.stderr,
    )
    return OK


def _list(options: argparse.Namespace) -> int:
    keys = Keys().all()
    if options.json:
        print(json.dumps([_as_json(key) for key in keys], indent=1))
    elif not keys:
        print("no keys; use `ninjaone key add NAME` to add one", file=sys.stderr)
    for key in () if options.json else keys:
        print(f"{key.name:<20} {key.added}  {_described(key.rights)}")
    return OK


def _remove(options: argparse.Namespace) -> int:
    keys = Keys()
    keys.remove(options.name)
    left = "" if keys.all() else "; no key is left, and every request still needs one"
    print(f'removed the key "{options.name}"{left}', file=sys.stderr)
    return OK


def _check(patterns: tuple[str, ...], connections: tuple[str, ...]) -> None:
    """Raise RunError for a connection that does not exist, and note a pattern without any action."""
    for name in connections:
        if is_file(name):
            if not Path(name).is_file():
                raise RunError(f"{name}: no such file")
        else:
            SavedConnections().path(name)
    names = Catalog().names
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            print(f'ninjaone: no action of the catalog matches "{pattern}"', file=sys.stderr)


def _described(rights: Rights) -> str:
    actions = "all actions" if rights.actions == ("*",) else ", ".join(rights.actions)
    over = f", connections {', '.join(rights.connections)}" if rights.connections else ""
    return f"{actions} with the effect {' or '.join(rights.effects)}{over}"


def _as_json(key: Key) -> dict[str, object]:
    rights = key.rights
    return {
        "name": key.name,
        "added": key.added,
        "effects": rights.effects,
        "actions": rights.actions,
        "connections": rights.connections,
    }
