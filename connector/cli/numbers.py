"""Whole numbers as command-line arguments, for argparse."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def whole_number(is_allowed: Callable[[int], bool], message: str) -> Callable[[str], int]:
    """Return a `type` function that raises ArgumentTypeError, with the message if a number is not allowed."""

    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if not is_allowed(value):
            raise argparse.ArgumentTypeError(message)
        return value

    return number
