"""Numbers in texts."""

from __future__ import annotations

import re
from math import isfinite

_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*", re.ASCII)
_MAX_LENGTH = 400


def number_in(text: str) -> int | float | None:
    """Return the number that a text is, with a decimal point; None for any other text.

    A whole number is exact, also with an exponent or decimals, such as 9007199254740993.0.
    """
    if len(text) > _MAX_LENGTH or not _NUMBER.fullmatch(text):
        return None
    try:
        return int(text)
    except ValueError:
        number = float(text)
    if not isfinite(number):
        return None
    if not (number and number.is_integer()):  # `Decimal` refuses some exponents of 0
        return number
    from decimal import Decimal  # imported only for such numbers

    exact = Decimal(text.strip())
    return int(exact) if exact == exact.to_integral_value() else number
