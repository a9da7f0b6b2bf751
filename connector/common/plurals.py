"""Counts with correct plurals for messages."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as "1 row" or "12,000 rows". The plural is the noun and "s"."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"
