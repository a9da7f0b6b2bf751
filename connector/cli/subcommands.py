"""Declares the commands of a command, such as `ninjaone key add`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

Command = Callable[[argparse.Namespace], int]
Declare = Callable[[str, Command, str], argparse.ArgumentParser]


def subcommands(parser: argparse.ArgumentParser) -> Declare:
    """Return a function that declares a command by its name, function and help text."""
    return partial(_declare, parser.add_subparsers(metavar="COMMAND", required=True))


def _declare(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: Command, help: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=help, description=help)
    command.set_defaults(command=run)
    return command
