"""The filters `int` and `float`. Jinja's return 0 for a text that is not a number, such as `1,5`."""

from __future__ import annotations

from contextlib import suppress
from math import isfinite
from typing import Any

from connector.common.json_text import SpelledFloat, kind
from connector.errors import quote_value
from connector.templating.data_filters import is_gap
from connector.templating.number_texts import number_in
from connector.templating.values import fail_if_missing


def to_integer(value: Any, default: Any = None, base: int = 10) -> Any:
    """Return a number, or a text that is one, as an integer without its decimals. No digit is rounded.

    An empty text and null are unchanged. For anything else, return `default`; without one, raise ValueError.
    """
    fail_if_missing(value)
    if is_gap(value):
        return value if default is None else default
    try:
        return _whole(value, base)
    except (ValueError, TypeError, OverflowError):
        if default is not None:
            return default
        raise _not_a_number(value, "int") from None


def to_number(value: Any, default: Any = None) -> Any:
    """Return a number, or a text that is one, as a number with decimals; see `to_integer`."""
    fail_if_missing(value)
    if is_gap(value):
        return value if default is None else default
    try:
        return float(_number(value))
    except (ValueError, TypeError, OverflowError):
        if default is not None:
            return default
        raise _not_a_number(value, "float") from None


def _whole(value: Any, base: int) -> int:
    """Return a number without its decimals. Raises ValueError, TypeError or OverflowError."""
    if isinstance(value, SpelledFloat):
        value = value.spelling
    if not isinstance(value, str):
        return int(_number(value))
    if "_" not in value:
        with suppress(ValueError):
            return int(value, base)
    number = number_in(value) if base == 10 else None
    if number is None:
        raise ValueError
    if not number:
        return 0
    from decimal import Decimal  # imported only for such numbers

    return int(Decimal(value.strip()))


def _number(value: Any) -> float:
    """Return a finite number. Raises ValueError, or OverflowError for an integer that is too large."""
    number = number_in(value) if isinstance(value, str) else value
    if not isinstance(number, (int, float)) or not isfinite(number):
        raise ValueError
    return number


def _not_a_number(value: Any, filter: str) -> ValueError:
    shown = quote_value(value, 60) if isinstance(value, str) else kind(value)
    return ValueError(f"{shown} is not a number; {filter}(0) returns 0 in this case")
