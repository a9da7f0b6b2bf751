"""Warnings that handlers yield."""

from __future__ import annotations

from typing import NamedTuple


class Note(NamedTuple):
    """A warning for the envelope, yielded by a handler."""

    text: str
