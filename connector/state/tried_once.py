"""A context in which each database that cannot be used is tried once: each attempt can take many seconds.

It does not import the database, which many runs do not use.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from connector.errors import RunError

_FAILURES: ContextVar[dict[str, RunError] | None] = ContextVar("failures", default=None)
"""The errors of databases in the context of this thread, by URL."""


@contextmanager
def each_tried_once() -> Iterator[None]:
    """Context, such as that of a request of a page, in which each database is tried once by this thread."""
    token = _FAILURES.set({})
    try:
        yield
    finally:
        _FAILURES.reset(token)


@contextmanager
def attempt(url: str) -> Iterator[None]:
    """Context of an attempt to use a database. Raises its earlier RunError if it has failed before."""
    failures = _FAILURES.get()
    if failures and url in failures:
        raise failures[url]
    try:
        yield
    except RunError as error:
        if failures is not None:
            failures[url] = error
        raise
