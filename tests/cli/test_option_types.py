"""Errors of option values say why a value is not valid, without names from the code."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

import pytest

from connector.cli.main import COMMANDS, build_parser
from connector.errors import RunError

TEXTS = ("x", "", "0", "-1", "1.5", "nan", "inf", ",", "9" * 30, "\u0668", "https://h", "1-", "2-1")


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from parsers(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_value_is_refused_with_a_reason(command: str) -> None:
    for parser in parsers(build_parser([command])):
        for action in parser._actions:
            for text in TEXTS:
                try:
                    parser._get_value(action, text)
                except argparse.ArgumentError as error:
                    message = error.message
                except RunError as error:
                    message = str(error)
                else:
                    continue
                shown = re.sub("^invalid (int|float) value: ", "", message)
                assert not re.match("invalid .* value: |$", shown), (parser.prog, str(action), message)
