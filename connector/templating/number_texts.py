"""Numbers in texts."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*", re.ASCII)
_LONGEST = 400


def number_in(text: str) -> int | float | None:
    """Return the number that a text is, with a decimal point; None for any other text."""
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        return None
    try:
        return int(text)
    except ValueError:
        return float(text)
