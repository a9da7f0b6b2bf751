"""The filters and tests of templates, and the cost of each (see `costs`).

Values in a template are plain data: iterators and subclasses of text become lists and texts. Therefore
templates cannot access Python objects, and the size of a value cannot change after it was checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import reduce, wraps
from itertools import islice
from typing import Any

from jinja2 import Undefined
from jinja2.filters import make_attrgetter
from jinja2.utils import pass_environment

from connector.common.times import parse_time, write_time
from connector.templating.conditions import checked, compare, refuse_equal
from connector.templating.costs import (
    Cost,
    copying,
    everything,
    indenting,
    items,
    linking,
    nothing,
    number,
    others,
    padding,
    parts,
    passes,
    rounding,
    sorting,
    splitting_text,
    words,
    wrapping,
)
from connector.templating.data_filters import (
    b64decode,
    b64encode,
    combine,
    dict_to_items,
    from_json,
    hash_text,
    items_to_dict,
    mandatory,
    split,
    ternary,
    to_boolean,
)
from connector.templating.json_query import json_query
from connector.templating.limits import MAX_ITEMS, fits, fits_items
from connector.templating.number_filters import to_integer, to_number
from connector.templating.operators import add, join, printf, replace
from connector.templating.ordering import ordering, ordering_members
from connector.templating.regex_filters import (
    matches,
    regex_escape,
    regex_findall,
    regex_replace,
    regex_search,
    searches,
)
from connector.templating.time_filters import add_time, format_datetime, from_epoch, to_datetime, to_epoch
from connector.templating.values import NULL, fail_if_missing, json_of, text

Functions = dict[str, Any]
"""Filters or tests, by name. Jinja's own table of them has no types."""

_SMALL = frozenset((int, float, bool, type(None)))
_PLAIN = frozenset((str, int, float, bool, type(None), list, dict, tuple, range))


def plain(value: Any) -> Any:
    """Return the result of a filter or method as plain data. Raises InputError if it exceeds a limit."""
    kind = type(value)
    if kind is str:
        fits(len(value))
    elif kind in _PLAIN:
        pass
    elif isinstance(value, str):
        return plain(str.__str__(value))
    elif isinstance(value, (Iterator, type({}.items()), type({}.keys()), type({}.values()))):
        items = list(islice(value, MAX_ITEMS + 1))
        fits_items(len(items))
        return items
    return value


_FILTER_COSTS: dict[str, Cost] = {
    **dict.fromkeys(("count", "default", "d", "first", "last", "length", "random"), nothing),
    **dict.fromkeys(("join", "replace", "format", "sum", "string", "tojson"), others),
    **dict.fromkeys(("list", "items"), items),
    **dict.fromkeys(("map", "select", "reject", "selectattr", "rejectattr"), passes),
    **dict.fromkeys(("batch", "slice"), parts),
    **dict.fromkeys(("sort", "dictsort", "groupby", "unique", "min", "max"), sorting),
    **dict.fromkeys(("title", "urlencode", "wordcount"), words),
    **dict.fromkeys(("int", "float", "filesizeformat", "abs"), number),
    **dict.fromkeys(("b64encode", "b64decode", "hash", "regex_escape"), words),
    "center": padding,
    "indent": indenting,
    "round": rounding,
    "split": splitting_text,
    "striptags": copying,
    "urlize": linking,
    "wordwrap": wrapping,
}
_COMPARISONS = {
    **dict.fromkeys(("==", "eq", "equalto"), "eq"),
    **dict.fromkeys(("!=", "ne"), "ne"),
    **dict.fromkeys((">", "gt", "greaterthan"), "gt"),
    **dict.fromkeys((">=", "ge"), "gteq"),
    **dict.fromkeys(("<", "lt", "lessthan"), "lt"),
    **dict.fromkeys(("<=", "le"), "lteq"),
    "in": "in",
}
"""The operator of each test that compares."""
_LAX = frozenset({"default", "d", "defined", "undefined"})
"""The names of filters and tests that accept missing values."""
_OF_TEXT = frozenset(
    (
        *("capitalize", "center", "e", "escape", "forceescape", "indent", "lower", "striptags"),
        *("title", "trim", "truncate", "upper", "urlencode", "urlize", "wordwrap"),
    )
)
"""The names of Jinja's filters of texts. They return null unchanged: Jinja's would return the text `None`."""
_WITHOUT = ("attr", "pprint")
"""The names of Jinja's filters that are removed, because they give access to Python objects."""


_ANSIBLE: Functions = {
    "b64decode": b64decode,
    "b64encode": b64encode,
    "bool": to_boolean,
    "combine": combine,
    "dict2items": dict_to_items,
    "from_json": from_json,
    "hash": hash_text,
    "items2dict": items_to_dict,
    "json_query": json_query,
    "mandatory": mandatory,
    "regex_escape": regex_escape,
    "regex_findall": regex_findall,
    "regex_replace": regex_replace,
    "regex_search": regex_search,
    "split": split,
    "ternary": ternary,
    "to_json": json_of,
    "add_time": add_time,
    "format_datetime": format_datetime,
    "from_epoch": from_epoch,
    "to_datetime": to_datetime,
    "to_epoch": to_epoch,
}
"""The filters with names from Ansible, and the filters for times."""


def bounded_filters(of_jinja: Functions) -> Functions:
    """Return the filters of templates: Jinja's, with limits, and the connector's."""
    filters: Functions = {
        **of_jinja,
        "string": text,
        "tojson": json_of,
        "join": _join,
        "replace": _replace,
        "format": _format,
        "sum": _sum,
        "iso": _iso,
        **{name: ordering(of_jinja[name]) for name in ("sort", "min", "max", "groupby")},
        "dictsort": ordering_members(of_jinja["dictsort"]),
        **{name: _choosing(of_jinja[name], 0) for name in ("select", "reject")},
        **{name: _choosing(of_jinja[name], 1) for name in ("selectattr", "rejectattr")},
        "int": to_integer,
        "float": to_number,
        **_ANSIBLE,
    }
    for name in _WITHOUT:
        del filters[name]
    return {name: _bounded(name, function) for name, function in filters.items()}


def bounded_tests(of_jinja: Functions) -> Functions:
    """Return the tests of templates: Jinja's, with limits."""
    tests = {
        **of_jinja,
        "none": lambda value: value is None or value is NULL,
        "match": matches,
        "search": searches,
        "sameas": _identical,
        "true": lambda value: _identical(value, True),
        "false": lambda value: _identical(value, False),
        **{name: _comparing(operator) for name, operator in _COMPARISONS.items()},
    }
    return {name: _bounded(name, function, everything) for name, function in tests.items()}


def _bounded(name: str, function: Callable[..., Any], cost: Cost | None = None) -> Callable[..., Any]:
    """Return the function with limits: it charges a cost, rejects missing values, and returns plain data."""
    cost = cost or _FILTER_COSTS.get(name, everything)
    position = 1 if hasattr(function, "jinja_pass_arg") else 0
    is_strict, is_of_text = name not in _LAX, name in _OF_TEXT

    @wraps(function)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        given = args[position:] if position else args
        if is_strict and given and isinstance(given[0], Undefined):
            fail_if_missing(given[0])
        if is_of_text and given and given[0] is None:
            return None
        cost(*given, **kwargs)
        made = function(*args, **kwargs)
        return made if type(made) in _SMALL else plain(made)

    return bounded


def _choosing(function: Callable[..., Any], position: int) -> Callable[..., Any]:
    """Return a filter such as `select`; without a test, each value is checked as a condition.

    `position` is the number of arguments before the test.
    """

    @wraps(function)
    def choosing(context: Any, values: Any, *args: Any, **kwargs: Any) -> Any:
        if len(args) == position:
            conditions = _members(context.environment, values or (), args[0] if args else None)
            for condition in conditions:
                checked(condition)
        return function(context, values, *args, **kwargs)

    return choosing


def _identical(value: Any, other: Any) -> bool:
    """Return whether two values are identical. Raises ValueError as a comparison does."""
    refuse_equal(value, other)
    return value is other


def _comparing(operator: str) -> Callable[[Any, Any], Any]:
    return lambda left, right: compare(left, operator, right)


def _iso(value: Any) -> str:
    """Return a time (see `parse_time`) as ISO 8601 in UTC."""
    return str(write_time(parse_time(value), "iso"))


def _replace(value: Any, old: Any, new: Any, count: int | None = None) -> str:
    return replace(text(value), text(old), text(new), count)


def _format(value: Any, /, *args: Any, **kwargs: Any) -> str:
    if args and kwargs:
        raise ValueError("the filter format accepts positional or keyword arguments, not both")
    return printf(text(value), kwargs or args)


@pass_environment
def _join(environment: Any, values: Iterable[Any], d: Any = "", attribute: str | int | None = None) -> str:
    return join(text(d), map(text, _members(environment, values, attribute)))


@pass_environment
def _sum(environment: Any, values: Iterable[Any], attribute: str | int | None = None, start: Any = 0) -> Any:
    return reduce(add, _members(environment, values, attribute), start)


def _members(environment: Any, values: Iterable[Any], attribute: str | int | None) -> Iterable[Any]:
    found = list(values)
    fits_items(len(found))
    return found if attribute is None else map(make_attrgetter(environment, attribute), found)
