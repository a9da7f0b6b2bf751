"""The members of values in templates: the methods of texts and other data, and the attributes of a loop.

Only those listed here are available; all other attributes of Python objects are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from jinja2.runtime import LoopContext
from jinja2.utils import Namespace

from connector.templating.costs import (
    Cost,
    everything,
    items,
    others,
    padding,
    splitting,
    splitting_lines,
    tabs,
    translating,
    words,
)
from connector.templating.filters import plain
from connector.templating.limits import MAX_RANGE, fits_items, refuse, weigh_all
from connector.templating.operators import BoundedFormatter, join, replace
from connector.templating.values import fail_if_missing, text

_ANY_TEXT = """
capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier islower
isnumeric isprintable isspace istitle isupper lower lstrip maketrans partition removeprefix removesuffix rfind
rindex rpartition rstrip startswith strip swapcase upper
"""
_TEXT: dict[str, Cost] = {
    **dict.fromkeys(_ANY_TEXT.split(), everything),
    **dict.fromkeys(("center", "ljust", "rjust", "zfill"), padding),
    **dict.fromkeys(("split", "rsplit"), splitting),
    **dict.fromkeys(("join", "replace", "format", "format_map"), others),
    "expandtabs": tabs,
    "splitlines": splitting_lines,
    "title": words,
    "translate": translating,
}
_METHODS: tuple[tuple[type, dict[str, Cost]], ...] = (
    (str, _TEXT),
    (dict, {"get": others, **dict.fromkeys(("items", "keys", "values", "copy"), items)}),
    (list, {"count": everything, "index": everything, "copy": items}),
    (tuple, {"count": everything, "index": everything}),
    (float, {"is_integer": others}),
    (int, {"bit_length": others}),
    (LoopContext, {"cycle": others, "changed": others}),
)
_INDEXES = ("index", "index0", "revindex", "revindex0", "depth", "depth0")
_OF_A_LOOP = (*_INDEXES, "first", "last", "length", "previtem", "nextitem")
_NAMES = (str, int, float, type(None))
"""The types that the name of a member can have. Hashing a value of another type could take long."""

_HOLDERS = (Mapping, list, tuple, str, range)

NOT_THERE: Any = object()


def method(value: Any, name: str, getitem: Callable[[Any, Any], Any]) -> Any:
    """Return a method of a value, with limits, or NOT_THERE if it is not available."""
    for kind, costs in _METHODS:
        if isinstance(value, kind):
            if name not in costs:
                break
            ours = partial(_formatted, name, getitem) if name in ("format", "format_map") else _OURS.get(name)
            return partial(_called, ours or getattr(kind, name), costs[name], value)
    return NOT_THERE


def member(value: Any, name: Any) -> Any:
    """Return the value of `value[name]` or `value.name` in a template, or NOT_THERE if there is none."""
    fail_if_missing(value)
    if not isinstance(name, (*_NAMES, slice)):
        raise TypeError("a member's name is a text or a number")
    if isinstance(name, str):
        if isinstance(value, Namespace) and not name.startswith("_"):
            return getattr(value, name, NOT_THERE)
        if isinstance(value, LoopContext) and name in _OF_A_LOOP:
            return getattr(value, name)
        if isinstance(value, tuple) and name in getattr(value, "_fields", ()):
            return getattr(value, name)  # The value is a group from the filter `groupby`.
    holder: Any = value if isinstance(value, _HOLDERS) else {}
    try:
        return holder[name]
    except (TypeError, LookupError):
        return NOT_THERE


def _called(function: Callable[..., Any], cost: Cost, value: Any, /, *args: Any, **kwargs: Any) -> Any:
    cost(value, *args, **kwargs)
    return plain(function(value, *args, **kwargs))


def _formatted(
    name: str, getitem: Callable[[Any, Any], Any], pattern: str, /, *args: Any, **kwargs: Any
) -> str:
    if name == "format_map":
        (kwargs,) = args
        args = ()
    return BoundedFormatter(getitem).vformat(pattern, args, kwargs)


def _joined(separator: str, parts: Any) -> str:
    found = list(parts)
    fits_items(len(found))
    return join(separator, map(_text, found))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"the method join takes only texts; the filter join also takes {text(value)[:60]}")
    return value


_OURS: dict[str, Callable[..., Any]] = {
    "join": _joined,
    "replace": replace,
    "maketrans": lambda text, *args: str.maketrans(*args),
}


# --- functions ---------------------------------------------------------------------------------------------


def _range(*numbers: int) -> range:
    made = range(*numbers)
    if made and (made[-1] - made[0]) // made.step >= MAX_RANGE:
        refuse(f"a range can have at most {MAX_RANGE:,} numbers")
    return made


def _measured(function: Callable[..., Any]) -> Callable[..., Any]:
    def made(*args: Any, **kwargs: Any) -> Any:
        weigh_all(args)
        weigh_all(kwargs.values())
        return function(*args, **kwargs)

    return made


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "range": _range,
    "dict": _measured(dict),
    "namespace": _measured(Namespace),
}
