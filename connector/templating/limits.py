"""The limits of one rendering of a template: time, and the size of its texts and lists.

A long operation cannot be interrupted from inside a process. Therefore the size of its result, and its time
in steps, are checked before it starts. A step is about the time to evaluate one name, constant or operator.
Exceeding a limit raises InputError (`template_error`) with the limit and a way to stay within it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from types import FunctionType
from typing import Any, NoReturn

from connector.errors import InputError

MAX_SOURCE_LENGTH = 1 << 18
"""The maximum length of a template in characters. Compiling such a template takes seconds."""
MAX_TEXT_LENGTH = 10 << 20
"""The maximum length of a text, also of a rendered result, in characters.

APIs do not accept longer bodies.
"""
MAX_ITEMS = 1_000_000
"""The maximum number of items of a list. At 80 bytes each, they take as much memory as the longest text."""
MAX_RANGE = 100_000
"""The maximum length of a `range`, and number of lists from `batch` and `slice`, as in Jinja's sandbox."""
MAX_STEPS = 10_000_000
"""The maximum number of steps of one rendering: about a second, or 400,000 iterations of a small loop."""
STEPS_PER_PASS = 16
"""The number of steps charged for an iteration or a macro call, in addition to those of its body."""
STEPS_TO_COMPILE = 100_000
"""The maximum number of steps to evaluate constants while a template is compiled."""
CHARACTERS_A_STEP = 32
"""The number of characters that are processed in one step."""
FEW = 16
"""The number of expressions up to which the size of a template's result is not checked.

It is at most a few times the size of a row.
"""
STEPS_AN_ITEM = 4
"""The number of steps charged for an item of a list that is created or read."""
MAX_BITS = 4096
"""The maximum size of integers from `*` and `**`, in bits. The largest numbers of JSON have 1024."""
MAX_DIGITS = 4300
"""The maximum length of a text that is converted to a number: the limit of recent Python versions."""
WIDEST = 10_000
"""The maximum width to which a text is padded, in characters, by a filter, a method or a format."""
MAX_SLOW_TEXT_LENGTH = 1 << 16
"""The maximum length of a text for `striptags`, `wordwrap` and `urlize`, which copy it many times."""


class _Meter(threading.local):
    """The number of steps that are left for the rendering on this thread."""

    left = MAX_STEPS


_meter = _Meter()


def begin(steps: int = MAX_STEPS) -> None:
    """Start a rendering on this thread, limited to this number of steps."""
    _meter.left = steps


def spend(steps: int) -> None:
    """Charge steps to the rendering on this thread. Raises InputError if too few steps are left."""
    left = _meter.left = _meter.left - steps
    if left < 0:
        refuse(
            f"it takes more than {MAX_STEPS:,} steps (an iteration of a loop takes one for each part of the "
            f"loop's body, an operation one for every {CHARACTERS_A_STEP} characters): use fewer iterations"
        )


def refuse(what: str) -> NoReturn:
    """Raise InputError for a template that exceeds a limit; `what` is the rest of the message."""
    raise InputError("template_error", f"the template exceeds a limit: {what}")


def fits(characters: int) -> None:
    """Check the length of a text before it is created, and charge its cost. Raises InputError."""
    if characters < CHARACTERS_A_STEP:
        return
    if characters > MAX_TEXT_LENGTH:
        refuse(f"it creates a text of more than {MAX_TEXT_LENGTH:,} characters: make it shorter")
    spend(characters // CHARACTERS_A_STEP)


def fits_items(items: int) -> None:
    """Check the length of a list before it is created, and charge its cost. Raises InputError."""
    if items > MAX_ITEMS:
        refuse(f"it creates a list of more than {MAX_ITEMS:,} items: make it shorter")
    spend(STEPS_AN_ITEM * items)


def check_width(width: Any) -> None:
    """Check the width to which a text is padded. Raises InputError."""
    if isinstance(width, int) and width > WIDEST:
        refuse(f"it pads a text to more than {WIDEST:,} characters: use a smaller width")


def check_digits(value: Any) -> None:
    """Check the length of a text before it is read as a number. Raises InputError."""
    if isinstance(value, str) and len(value) > MAX_DIGITS:
        refuse(f"it reads a number from a text of {len(value):,} characters; the limit is {MAX_DIGITS:,}")


_NO_WEIGHT = frozenset((int, float, bool, type(None)))


def weigh(value: Any) -> int:
    """Return the number of characters and members in a value, and charge the steps to read it.

    Raises InputError. A list can contain the same list many times, at several levels, so that a small value
    can take very long to read.
    """
    kind = type(value)
    if kind is str:
        if len(value) >= CHARACTERS_A_STEP:
            spend(len(value) // CHARACTERS_A_STEP)
        return len(value)
    if kind in _NO_WEIGHT:
        return 1
    members, characters, most = 0, 0, _meter.left
    stack = [value]
    while stack:
        value = stack.pop()
        kind = type(value)
        if kind is str:
            characters += len(value)
        elif isinstance(value, (list, tuple)):
            members += len(value)
            stack += value
        elif isinstance(value, Mapping):
            members += 2 * len(value)
            stack += value
            stack += value.values()
        elif kind is range:
            members += len(value)
        elif kind is FunctionType:
            raise TypeError("a function cannot be used as a value; call it with ()")
        if STEPS_AN_ITEM * members > most:
            break
    spend(STEPS_AN_ITEM * members + characters // CHARACTERS_A_STEP)
    return members + characters + 1


def weigh_all(values: Iterable[Any]) -> None:
    """Count the steps that reading these values takes. Raises InputError if they exceed the limit."""
    for value in values:
        if type(value) is not str or len(value) >= CHARACTERS_A_STEP:
            weigh(value)
