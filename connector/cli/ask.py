"""Prompts on the terminal. They are written to standard error, so that standard output has results only."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

from connector.errors import RunError


def is_terminal() -> bool:
    """Return whether standard input is a terminal, so that a user can be prompted."""
    return sys.stdin.isatty()


def ask(question: str, check: Callable[[str], object] = bool, default: str = "") -> str:
    """Prompt until `check` accepts the reply; return it, or `default` for an empty reply."""
    shown = f"{question} [{default}]: " if default else f"{question}: "
    while True:
        print(shown, end="", file=sys.stderr, flush=True)
        try:
            line = sys.stdin.readline()
        except UnicodeDecodeError:
            raise RunError(f"the reply cannot be read: it is not {sys.stdin.encoding}") from None
        if not line:
            raise RunError("the terminal was closed before all prompts were answered")
        answer = line.strip() or default
        try:
            check(answer)
        except RunError as error:
            print(error, file=sys.stderr)
        else:
            return answer


def ask_secret(question: str) -> str:
    """Prompt for a value without showing it. Raises RunError if the terminal cannot hide it."""
    import getpass  # imported only for prompts

    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(f"{question}: ")
        except (EOFError, getpass.GetPassWarning):
            raise RunError(
                "this terminal cannot hide a secret while you type it; use --secret-file"
            ) from None


def confirm(question: str) -> bool:
    """Prompt for confirmation; return True for the replies y and yes, else False."""
    return ask(f"{question} [y/N]").lower() in ("y", "yes")
