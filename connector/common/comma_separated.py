"""Lists in one text, such as `read,write`."""

from __future__ import annotations


def comma_separated(text: str) -> tuple[str, ...]:
    """Return the items of a text that are separated by commas, without white space and empty ones."""
    return tuple(item.strip() for item in text.split(",") if item.strip())
