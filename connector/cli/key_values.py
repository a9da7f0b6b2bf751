"""Arguments of the form KEY=VALUE."""

from __future__ import annotations

from collections.abc import Mapping

from connector.catalog.action import Action
from connector.errors import RunError


def refuse_secret_arguments(action: Action, given: Mapping[str, str]) -> None:
    """Raise RunError, without the value, for a secret input whose value is on the command line.

    A template that reads the value from the row is allowed.
    """
    for name, text in given.items():
        if name in action.inputs and action.inputs[name].is_secret and "{{" not in text:
            raise RunError(
                f"{name}: secrets cannot be passed as arguments, because other processes on this machine can "
                f"read them. Treat this one as exposed, and provide a new one in a row of `ninjaone run "
                f"{action.name} --input FILE`"
            )


def pairs(texts: list[str], form: str) -> dict[str, str]:
    """Return `NAME=VALUE` arguments as a dict. Raises RunError for another form or a repeated name."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise RunError(f'"{text}" does not have the form {form}')
        if name in found:
            raise RunError(f'"{name}" appears twice')
        found[name] = value
    return found
