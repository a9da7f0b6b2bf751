"""Checks of the settings of sessions and runs."""

from __future__ import annotations

from typing import Any, get_args

from connector.errors import RunError
from connector.invocation.invoke import ResultMode
from connector.runs.job import MAX_CONCURRENT, MIN_DELAY_MS


def check_delays(delay_ms: Any, min_delay_ms: Any) -> None:
    """Raise RunError for a delay that is no number of milliseconds."""
    if delay_ms not in (None, "auto") and not _is_number(delay_ms, 0):
        raise RunError("delay_ms must be auto or a non-negative number of milliseconds")
    if min_delay_ms is not None and not _is_number(min_delay_ms, MIN_DELAY_MS):
        raise RunError("min_delay_ms must be a number of milliseconds, at least 1")


def check_run(concurrency: Any, results: str) -> None:
    """Raise RunError for a number of rows in parallel, or a kind of results, that a run cannot have."""
    if not isinstance(concurrency, int) or not 1 <= concurrency <= MAX_CONCURRENT:
        raise RunError(f"concurrency must be an integer between 1 and {MAX_CONCURRENT}")
    require_option("results", results, ResultMode)


def require_option(name: str, value: str, options: Any) -> None:
    """Raise RunError for a value that is not one of the options of a Literal."""
    if value not in get_args(options):
        raise RunError(f'{name}: "{value}" is not one of {", ".join(get_args(options))}')


def _is_number(value: Any, least: float) -> bool:
    return isinstance(value, (int, float)) and least <= value < float("inf")
