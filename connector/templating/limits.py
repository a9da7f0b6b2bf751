"""How much one rendering of a template may do and make.

One long operation cannot be interrupted from inside a process. So each is measured before it begins: what it
makes against the longest text and list there may be, what it takes against the steps that are left.
A step is about what one name, constant or operator of a template takes. Whatever is exceeded is an InputError
(`template_error`) that says what, by how much, and what to do.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from types import FunctionType
from typing import Any, NoReturn

from connector.errors import InputError

LONGEST_SOURCE = 1 << 18
"""Characters of one template. A hundred pages; to compile that many expressions takes seconds."""
LONGEST_TEXT = 10 << 20
"""Characters of a text that a template makes, and of all that it renders. No API takes a longer JSON body."""
MOST_ITEMS = 1_000_000
"""Items of a list that a template makes: at 80 bytes each, as much memory as a long text."""
LONGEST_RANGE = 100_000
"""Numbers in a `range`, and lists that `batch` and `slice` make. It is Jinja's own bound of a sandbox."""
MOST_STEPS = 10_000_000
"""Steps of one rendering: about a second, or 400,000 passes through a loop of eight parts."""
STEPS_A_PASS = 16
"""Steps for a pass through a loop and for a call of a macro, beside those of what is in it."""
STEPS_TO_COMPILE = 100_000
"""Steps to work out constants while a template is compiled: what comes of them is kept in its code."""
CHARACTERS_A_STEP = 32
"""Characters that are handled in one step, which also bounds how many can be kept in all."""
FEW = 16
"""With no more expressions than this, a template makes but a few times what a row holds."""
STEPS_AN_ITEM = 4
"""Steps for an item of a list that is made or gone over: what a list takes is in its items."""
MOST_BITS = 4096
"""Bits of an integer that `*` and `**` give. JSON's numbers end at 1024."""
MOST_DIGITS = 4300
"""Characters of a text that is read as a number. It is Python's own bound, where Python has one."""
WIDEST = 10_000
"""Characters to which a text is padded, by a filter, a method or a format."""
LONGEST_SLOW_TEXT = 1 << 16
"""Characters of a text for `striptags`, `wordwrap` and `urlize`, which copy it again and again."""


class _Meter(threading.local):
    """What the rendering on this thread has left."""

    left = MOST_STEPS


_meter = _Meter()


def begin(steps: int = MOST_STEPS) -> None:
    """Begin a rendering on this thread, which may take so many steps."""
    _meter.left = steps


def spend(steps: int) -> None:
    """Take steps from the rendering on this thread. Raises InputError when too few are left."""
    left = _meter.left = _meter.left - steps
    if left < 0:
        refuse(
            f"it takes more than {MOST_STEPS:,} steps (a pass through a loop takes one for each part of the "
            f"loop's body, an operation one for every {CHARACTERS_A_STEP} characters): loop over less"
        )


def refuse(what: str) -> NoReturn:
    """Raise the InputError of a template that exceeds a bound."""
    raise InputError("template_error", f"the template goes too far: {what}")


def fits(characters: int) -> None:
    """Check the length of a text that is about to be made, and spend what it takes. Raises InputError."""
    if characters < CHARACTERS_A_STEP:
        return
    if characters > LONGEST_TEXT:
        refuse(f"it makes a text of more than {LONGEST_TEXT:,} characters: make it shorter")
    spend(characters // CHARACTERS_A_STEP)


def fits_items(items: int) -> None:
    """Check the length of a list that is about to be made, and spend what it takes. Raises InputError."""
    if items > MOST_ITEMS:
        refuse(f"it makes a list of more than {MOST_ITEMS:,} items: make it shorter")
    spend(STEPS_AN_ITEM * items)


def check_width(width: Any) -> None:
    """Check to how many characters a text is padded. Raises InputError."""
    if isinstance(width, int) and width > WIDEST:
        refuse(f"it pads a text to more than {WIDEST:,} characters: give a smaller width")


def check_digits(value: Any) -> None:
    """Check how long a text is that is to be read as a number. Raises InputError."""
    if isinstance(value, str) and len(value) > MOST_DIGITS:
        refuse(f"it reads a number from a text of {len(value):,} characters; {MOST_DIGITS:,} are the most")


_NO_WEIGHT = frozenset((int, float, bool, type(None)))


def weigh(value: Any) -> int:
    """Count the characters and members in a value, however it is nested, and spend what it takes to go over
    it. Raises InputError.

    A list may hold another one many times, and that one another, so that what takes no memory can take a day.
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
            raise TypeError("a function is no data")
        if STEPS_AN_ITEM * members > most:
            break
    spend(STEPS_AN_ITEM * members + characters // CHARACTERS_A_STEP)
    return members + characters + 1


def weigh_all(values: Iterable[Any]) -> None:
    """Spend what it takes to go over these values. Raises InputError."""
    for value in values:
        if type(value) is not str or len(value) >= CHARACTERS_A_STEP:
            weigh(value)
