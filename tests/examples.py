"""How Hypothesis tries examples: how many, and which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis import settings

SHARE = 0.25
"""The share of its examples that a test tries; `--all` makes it 1."""


def load_profile(*, is_all: bool) -> None:
    """Set the defaults of all tests.

    They try the same examples each time, and only those with `--all` look for new ones. How long examples
    take is not limited: on a busy machine, all of them are slow.
    """
    from hypothesis import HealthCheck, settings

    global SHARE
    SHARE = 1 if is_all else SHARE
    patient = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    settings.register_profile("tests", derandomize=not is_all, **patient)  # type: ignore[arg-type]
    settings.load_profile("tests")


def examples(count: int = 100, **more: Any) -> settings:
    """Return the settings of a test of `count` examples, each of which may take its time."""
    from hypothesis import HealthCheck, settings

    suppressed = [HealthCheck.too_slow, *more.pop("suppress_health_check", ())]
    return settings(max_examples=round(count * SHARE), suppress_health_check=suppressed, **more)
