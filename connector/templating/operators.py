"""The operators and the formatting of templates; limits are checked before each operation (see `limits`)."""

from __future__ import annotations

import operator
import re
from _string import formatter_field_name_split  # type: ignore[import-not-found]
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from string import Formatter
from typing import Any

from connector.templating.limits import (
    MAX_BITS,
    MAX_TEXT_LENGTH,
    check_width,
    fits,
    fits_items,
    refuse,
    weigh,
)


def add(left: Any, right: Any) -> Any:
    """Return `left + right`. Raises InputError if the resulting text or list is too long."""
    if isinstance(left, str) and isinstance(right, str):
        fits(len(left) + len(right))
    elif isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        fits_items(len(left) + len(right))
    return left + right


def multiply(left: Any, right: Any) -> Any:
    """Return `left * right`. Raises InputError if the result is too long or too large."""
    if isinstance(left, int) and not isinstance(right, int):
        left, right = right, left
    if isinstance(right, int):
        if isinstance(left, int):
            _check_bits(left.bit_length() + right.bit_length())
        elif isinstance(left, str):
            fits(len(left) * right)
        elif isinstance(left, (list, tuple)):
            fits_items(len(left) * max(0, right))
    return left * right


def power(left: Any, right: Any) -> Any:
    """Return `left ** right`. Raises InputError if the result is too large."""
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() * right)
    return left**right


def _check_bits(bits: int) -> None:
    if bits > MAX_BITS:
        refuse(f"it makes an integer of more than {MAX_BITS:,} bits, which exceeds the range of JSON")


def modulo(left: Any, right: Any) -> Any:
    """Return `left % right`, which can format a text. Raises InputError if the result is too long."""
    return printf(left, right) if isinstance(left, str) else left % right


def printf(pattern: str, values: Any) -> str:
    """Return `pattern % values`. Raises InputError if the result is too long.

    A width must be written in the pattern; `*`, which takes it from the values, is rejected.
    """
    characters, times = weigh(pattern), 0
    for width in _widths(pattern):
        characters += width
        times += 1
    # Each value of a tuple is printed once; a value of a mapping can be printed many times.
    fits(characters + (1 if isinstance(values, tuple) else times) * weigh(values))
    printed: str = pattern % values
    return printed


_SPECIFIER = re.compile(r"[#0\- +]*(\*|[0-9]*)(?:\.(\*|[0-9]*))?[hlL]?")


def _widths(pattern: str) -> Iterator[int]:
    """Yield the minimum length of each `%` field. Invalid patterns are left to Python, which reports them."""
    at = 0
    while (at := pattern.find("%", at) + 1) > 0:
        if pattern.startswith("(", at):
            end = pattern.find(")", at)
            if end < 0:
                return
            if pattern.find("(", at + 1, end) >= 0:
                refuse('it formats with a name that has a "(" in it')
            at = end + 1
        found = _SPECIFIER.match(pattern, at)
        assert found is not None  # the pattern matches any text, even an empty one
        if "*" in found.groups():
            refuse('it formats with "*" for a width: write the width as a number')
        yield sum(_width(digits) for digits in found.groups("") if digits)
        at = found.end() + 1


def _width(digits: str) -> int:
    width = int(digits) if len(digits) < 20 else 10**20
    check_width(width)
    return width


def concat(texts: Iterable[str]) -> str:
    """Return the concatenated texts. Raises InputError if the result is too long."""
    parts = texts if isinstance(texts, list) else list(texts)
    fits(sum(map(len, parts)))
    return "".join(parts)


def join(separator: str, texts: Iterable[str]) -> str:
    """Return the texts joined with a separator. Raises InputError if the result is too long."""
    parts = list(texts)
    fits(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def replace(text: str, old: str, new: str, count: int | None = -1) -> str:
    """Return the text with `old` replaced by `new`. Raises InputError if the result is too long."""
    weigh(text)
    fits(len(text) + max(0, len(new) - len(old)) * text.count(old))
    return text.replace(old, new, -1 if count is None else count)


class BoundedFormatter(Formatter):
    """Implements `str.format`: fields can only read members of the data, and widths are limited.

    `getitem` returns a member of a value.
    """

    def __init__(self, getitem: Callable[[Any, Any], Any]) -> None:
        self._getitem = getitem
        self._characters = 0

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Return the value of a replacement field such as `0.name` or `0[name]`."""
        first, rest = formatter_field_name_split(field_name)
        value = self.get_value(first, args, kwargs)
        for _, name in rest:
            value = self._getitem(value, name)
        return value, first

    def convert_field(self, value: Any, conversion: Any) -> Any:
        """Return the value converted by `!r`, `!s` or `!a`."""
        weigh(value)
        return super().convert_field(value, conversion)

    def format_field(self, value: Any, format_spec: str) -> Any:
        """Return one field as text. Raises InputError if all fields are too long together."""
        characters = weigh(value) + sum(map(_width, re.findall(r"\d+", format_spec)))
        fits(characters)
        self._characters += characters
        if self._characters > MAX_TEXT_LENGTH:
            fits(self._characters)
        return super().format_field(value, format_spec)


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": operator.sub,
    "*": multiply,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": modulo,
    "**": power,
}
BOUNDED = frozenset(["+", "*", "%", "**"])
"""The operators whose result can be much larger than their operands."""
