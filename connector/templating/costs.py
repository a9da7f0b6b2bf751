"""The cost of each call in a template, charged before the call, from its arguments (see `limits`).

Each function raises InputError for a call that exceeds a limit. Wrong arguments are reported by the call
itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.templating.limits import (
    MAX_ITEMS,
    MAX_RANGE,
    MAX_SLOW_TEXT_LENGTH,
    STEPS_PER_PASS,
    check_digits,
    check_width,
    fits,
    fits_items,
    refuse,
    spend,
    weigh,
    weigh_all,
)

Cost = Callable[..., object]

_LINE_ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_MAX_PLACES = 300
"""The maximum number of decimal places to which a number is rounded; a float has fewer."""


def everything(*args: Any, **kwargs: Any) -> None:
    """Charge the cost of reading all arguments."""
    weigh_all(args)
    weigh_all(kwargs.values())


def nothing(*args: Any, **kwargs: Any) -> None:
    """Charge nothing, because the call reads at most one item."""


def others(value: Any, /, *args: Any, **kwargs: Any) -> None:
    """Charge the cost of reading all arguments except the first."""
    everything(*args, **kwargs)


def items(value: Any, /, *args: Any, **kwargs: Any) -> None:
    """Charge the cost of creating a list of a list's items, or of a text's characters."""
    everything(*args, **kwargs)
    if hasattr(value, "__len__"):
        fits_items(len(value))


def passes(value: Any, /, *args: Any, **kwargs: Any) -> None:
    """Charge the cost of a call for each item of a list."""
    items(value, *args, **kwargs)
    if hasattr(value, "__len__"):
        spend(STEPS_PER_PASS // 2 * len(value))


def parts(value: Any, /, *args: Any, **kwargs: Any) -> None:
    """Charge the cost of creating a list of lists, and check their number."""
    items(value, *args, **kwargs)
    if any(isinstance(given, int) and given > MAX_RANGE for given in (*args, *kwargs.values())):
        refuse(f"it splits a list into more than {MAX_RANGE:,} parts")


def sorting(value: Any, /, *args: Any, **kwargs: Any) -> None:
    """Charge the cost of comparing items with each other, as sorting does."""
    everything(*args, **kwargs)
    items = len(value) if hasattr(value, "__len__") else 1
    fits_items(items)
    spend((weigh(value) // 8) * items.bit_length())


def words(value: Any, /, *args: Any, **kwargs: Any) -> None:
    """Charge the cost of splitting a text into words or characters, and joining them."""
    everything(*args, **kwargs)
    spend(2 * weigh(value))


def copying(value: Any, /, *args: Any, **kwargs: Any) -> None:
    """Charge the cost of a filter whose time grows with the square of the text's length."""
    everything(*args, **kwargs)
    characters = weigh(value)
    if characters > MAX_SLOW_TEXT_LENGTH:
        refuse(f"for this filter a text can have at most {MAX_SLOW_TEXT_LENGTH:,} characters")
    spend(characters * characters >> 10)


def number(value: Any, /, *args: Any, **kwargs: Any) -> None:
    """Charge the cost of reading a number."""
    check_digits(value)
    everything(*args, **kwargs)


def rounding(value: Any, /, precision: Any = 0, *args: Any, **kwargs: Any) -> None:
    """Check a number, and the number of decimal places to which it is rounded."""
    check_digits(value)
    if isinstance(precision, int) and abs(precision) > _MAX_PLACES:
        refuse(f"it rounds to more than {_MAX_PLACES} decimal places")


def padding(value: Any, /, width: Any = 80, *args: Any, **kwargs: Any) -> None:
    """Charge the cost of padding, and check the width."""
    check_width(width)
    everything(value, *args, **kwargs)


def tabs(value: str, /, tabsize: int = 8) -> None:
    """Charge the cost of replacing tabs by spaces."""
    check_width(tabsize)
    fits(len(value) + value.count("\t") * tabsize)


def _lines(value: Any) -> int:
    return sum(map(value.count, _LINE_ENDS)) + 1 if isinstance(value, str) else 1


def splitting_lines(value: Any, /, *args: Any, **kwargs: Any) -> None:
    """Charge the cost of creating a list of a text's lines."""
    fits_items(_lines(value))
    everything(value)


def indenting(value: Any, /, width: Any = 4, *args: Any, **kwargs: Any) -> None:
    """Charge the cost of adding spaces before each line."""
    check_width(width)
    wide = len(width) if isinstance(width, str) else width
    fits(weigh(value) + _lines(value) * wide)


def wrapping(value: Any, /, width: int = 79, *args: Any, wrapstring: Any = None, **kwargs: Any) -> None:
    """Charge the cost of breaking a text into lines."""
    copying(value, *args, **kwargs)
    end = args[1] if len(args) > 1 else wrapstring
    # Of two consecutive lines, at least one is more than half full.
    fits((_lines(value) + 4 * weigh(value) // max(1, width)) * len(end or "\n"))


def linking(value: Any, /, *args: Any, **kwargs: Any) -> None:
    """Charge the cost of adding the arguments to each link."""
    copying(value, *args, **kwargs)
    fits(sum(map(weigh, (*args, *kwargs.values()))) * (len(value) // 4))


def splitting(value: str, /, sep: str | None = None, maxsplit: int = -1) -> None:
    """Charge the cost of creating a list of a text's parts."""
    everything(value, sep)
    if sep:
        found = value.count(sep)
        fits_items(1 + (found if maxsplit < 0 else min(found, maxsplit)))
    elif len(value) > 2 * MAX_ITEMS:
        fits_items(len(value.split(None, MAX_ITEMS if maxsplit < 0 else min(maxsplit, MAX_ITEMS))))
    else:
        spend(len(value))


def splitting_text(value: Any, /, separator: Any = None, maxsplit: int = -1) -> None:
    """Charge the cost of creating a list of the parts of a value's text."""
    splitting(value if isinstance(value, str) else "", separator, maxsplit)
    everything(value)


def translating(value: str, /, table: Any) -> None:
    """Charge the cost of replacing each character by a text."""
    weigh(table)
    longest = max((len(part) for part in table.values() if isinstance(part, str)), default=1)
    fits(len(value) * max(1, longest))
