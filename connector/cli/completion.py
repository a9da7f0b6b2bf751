"""The `completion` command: a shell script that completes commands, options, actions and file names."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

from connector.catalog.catalog import Catalog
from connector.cli.main import COMMANDS, OK, build_parser
from connector.errors import RunError

_SHELLS = ("bash", "zsh", "fish")


def add_completion(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone completion`."""
    parser.description = (
        "Print a shell script that completes commands, options, actions and file names. "
        "`ninjaone docs getting-started` shows where each shell expects it."
    )
    parser.add_argument("shell", metavar="SHELL", choices=_SHELLS, help=", ".join(_SHELLS))
    parser.set_defaults(command=_completion)


def _completion(options: argparse.Namespace) -> int:
    try:
        import shtab  # optional dependency of this command
    except ImportError as error:
        raise RunError(
            "this command requires shtab: run `pip install 'ninjaone-connector[completion]'`"
        ) from error
    parser = build_parser(list(COMMANDS))
    names = sorted(Catalog().names)
    for argument in _arguments(parser):
        kinds = str(argument.metavar or "").split("|")
        if "ACTION" in kinds:  # if no action matches, bash completes file names
            argument.choices = names
        elif "DIR" in kinds:
            argument.complete = shtab.DIRECTORY
        elif not {"FILE", "OUT", "JOB.yaml"}.isdisjoint(kinds):
            argument.complete = shtab.FILE
    print(shtab.complete(parser, options.shell))
    return OK


def _arguments(parser: argparse.ArgumentParser) -> Iterator[Any]:
    """Yield the arguments and options of a parser and of all its subcommands."""
    for argument in parser._actions:
        if isinstance(argument, argparse._SubParsersAction):
            commands: Iterable[argparse.ArgumentParser] = argument.choices.values()
            for command in commands:
                yield from _arguments(command)
        else:
            yield argument
