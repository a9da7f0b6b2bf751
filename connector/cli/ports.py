"""The number of a port as a command-line argument."""

from __future__ import annotations

import argparse


def port(text: str) -> int:
    """Return the number of a port. Raises ArgumentTypeError."""
    return _number(text, 1)


def port_or_free(text: str) -> int:
    """Return the number of a port, or 0 for a free one. Raises ArgumentTypeError."""
    return _number(text, 0)


def _number(text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text} is not a port number ({least} to 65535)")
    return int(text)
