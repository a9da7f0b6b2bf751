"""A source or target that calls a function between its reads, so that other work is done in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any


class Interleaved:
    """Wraps a source or target: `between` is called before each method and between records of a list."""

    def __init__(self, side: Any, between: Callable[[], None]) -> None:
        self._side, self._between = side, between

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._side, name)
        return partial(self._call, value) if callable(value) else value

    def _call(self, method: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        self._between()
        found = method(*arguments, **more)
        return self._listed(found) if isinstance(found, Iterator) else found

    def _listed(self, records: Iterator[Any]) -> Iterator[Any]:
        for record in records:
            self._between()
            yield record
