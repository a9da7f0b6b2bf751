"""Warnings that handlers yield."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """A warning for the envelope, yielded by a handler."""

    text: str
