"""How many examples Hypothesis tries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis import settings

SHARE = 0.25
"""The share of its examples that a test tries; `--all` makes it 1."""


def examples(count: int = 100, **more: Any) -> settings:
    """Return the settings of a test of `count` examples, each of which may take its time."""
    from hypothesis import settings

    return settings(max_examples=round(count * SHARE), deadline=None, **more)
