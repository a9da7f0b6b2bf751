"""Filters of Jinja that order values, and refuse texts whose order is not that of the numbers that they mean.

In a table every cell is a text, and the text `10` is before the text `9`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import signature
from itertools import pairwise
from typing import Any

from jinja2.filters import make_multi_attrgetter

from connector.templating.number_texts import number_in

Key = Sequence[Any]
"""The values by which an item is ordered: by the first, and if they are equal, by the next one."""


def ordering(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter such as `sort`, which orders the items of a list, or by their `attribute`."""

    @wraps(function)
    def ordered(environment: Any, values: Any, *args: Any, **kwargs: Any) -> Any:
        given = signature(function).bind(environment, values, *args, **kwargs).arguments
        items, attribute = list(values), given.get("attribute")
        if attribute is None:
            fix = "map('int') or map('float')"
            _check([[item] for item in items], "in the list", fix)
        else:
            keys = list(map(make_multi_attrgetter(environment, attribute), items))
            _check(keys, f'in "{attribute}"', "json_query and to_number")
        return function(environment, items, *args, **kwargs)

    return ordered


def ordering_members(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the filter `dictsort`, which orders an object's members by their names or values."""

    @wraps(function)
    def ordered(value: Any, *args: Any, **kwargs: Any) -> Any:
        by = signature(function).bind(value, *args, **kwargs).arguments.get("by", "key")
        if isinstance(value, Mapping) and by in ("key", "value"):
            members = value if by == "key" else value.values()
            fix = f"dict2items and json_query('sort_by(@, &to_number({by}))')"
            _check([[member] for member in members], f"in the {by}s", fix)
        return function(value, *args, **kwargs)

    return ordered


def _check(keys: Sequence[Key], where: str, fix: str) -> None:
    """Raise ValueError if numbers in texts have another order as texts than as numbers."""
    if not _are_in_order(keys):
        raise ValueError(f"the numbers {where} are texts, which sort in another order; use {fix} before")


def _are_in_order(keys: Sequence[Key]) -> bool:
    texts = sorted({key[0] for key in keys if type(key[0]) is str}, key=str.lower)
    numbers = [number for text in texts if (number := number_in(text)) is not None]
    if any(number > following for number, following in pairwise(numbers)):
        return False
    if not keys or len(keys[0]) == 1:
        return True
    equal: dict[str, list[Key]] = {}
    for first, *others in keys:
        equal.setdefault(repr(first).lower(), []).append(others)
    return all(map(_are_in_order, equal.values()))
