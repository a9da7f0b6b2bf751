"""Asking a person on the terminal. Questions go to standard error, so that results stay apart."""

from __future__ import annotations

import getpass
import sys
import warnings
from collections.abc import Callable

from connector.errors import RunError


def is_terminal() -> bool:
    """Return whether a person can be asked."""
    return sys.stdin.isatty()


def ask(question: str, check: Callable[[str], object] = bool, default: str = "") -> str:
    """Ask until `check` takes the answer without a RunError; an empty answer stands for `default`."""
    shown = f"{question} [{default}]: " if default else f"{question}: "
    while True:
        print(shown, end="", file=sys.stderr, flush=True)
        try:
            line = sys.stdin.readline()
        except UnicodeDecodeError:
            raise RunError(f"the answer cannot be read: it is not {sys.stdin.encoding}") from None
        if not line:
            raise RunError("the terminal was closed before all questions were answered")
        answer = line.strip() or default
        try:
            check(answer)
        except RunError as error:
            print(error, file=sys.stderr)
        else:
            return answer


def ask_secret(question: str) -> str:
    """Ask for what is not shown while it is typed. Raises RunError where it would be."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(f"{question}: ")
        except (EOFError, getpass.GetPassWarning):
            raise RunError(
                "this terminal cannot hide a secret while you type it; use --secret-file"
            ) from None


def confirm(question: str) -> bool:
    """Ask for a yes; anything else is a no."""
    return ask(f"{question} [y/N]").lower() in ("y", "yes")
