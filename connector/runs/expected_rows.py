"""The check of a run's number of rows against the settings `max_rows` and `expect_rows`.

If the number of rows is not within these limits, no row is run. In a job with steps, the settings are at the
top of the file and apply to the first step that changes something, after the steps before it have run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from connector.catalog.declaration import Section
from connector.errors import RunError, count_of

if TYPE_CHECKING:
    from connector.files.readers import InputRow

NAMES = ("max_rows", "expect_rows")
"""The names of the two settings, which are at the top of a job file."""
_RANGE = r"(\d{1,9})(?:-(\d{1,9}))?"


class ExpectedRows(NamedTuple):
    """The minimum and maximum number of rows, inclusive. `hint` is the end of the error message."""

    least: int
    most: int
    hint: str = ""

    def check(self, count: int, *, is_all: bool = True) -> None:
        """Raise RunError if `count` is not within the limits.

        `is_all` is false if there are more rows, which were not counted.
        """
        if is_all and self.least <= count <= self.most:
            return
        wanted = f"at most {self.most}" if not self.least else str(self.least)
        if 0 < self.least < self.most:
            wanted = f"{self.least} to {self.most}"
        got = count_of(count, "row") if is_all else f"at least {count_of(count, 'row')}"
        raise UnexpectedRowsError(f"got {got}, expected {wanted}. No row was run{self.hint}")

    def checked(self, rows: Iterator[InputRow]) -> Iterator[InputRow]:
        """Return the same rows after counting them. Raises RunError.

        It is for an input that can be read only once.
        """
        first = list(islice(rows, self.most + 1))
        self.check(len(first), is_all=len(first) <= self.most)
        return iter(first)


class UnexpectedRowsError(RunError):
    """The number of rows is not within the limits; no row was run."""


def read_range(text: str) -> tuple[int, int]:
    """Return the minimum and maximum in `expect_rows`, such as `14` or `10-20`. Raises RunError."""
    found = re.fullmatch(_RANGE, text.strip(), re.ASCII)
    least, most = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if least > most:
        raise RunError(f'"{text}" is not a number of rows; use a number such as 14, or a range such as 10-20')
    return least, most


def read_settings(top: Section) -> dict[str, Any]:
    """Return `max_rows` and `expect_rows` from a job file. Raises RunError with file and line."""
    max_rows = top.value("max_rows", int, None)
    if max_rows is not None and max_rows < 0:
        raise top.fault("the number of rows cannot be negative", "max_rows")
    given = top.value("expect_rows", (str, int), None)
    expect_rows = None if given is None else str(given)
    try:
        read_expected(max_rows, expect_rows)
    except RunError as error:
        raise top.fault(str(error), "expect_rows") from error
    return {"max_rows": max_rows, "expect_rows": expect_rows}


def read_expected(max_rows: int | None, expect_rows: str | None, hint: str = "") -> ExpectedRows | None:
    """Return the limits that these settings set, or None if there are none. Raises RunError."""
    if max_rows is None and expect_rows is None:
        return None
    least, most = (0, max_rows or 0) if expect_rows is None else read_range(expect_rows)
    if max_rows is not None:
        most = min(most, max_rows)
    if least > most:
        raise RunError(f"expect_rows {expect_rows} is more than max_rows {max_rows}")
    return ExpectedRows(least, most, hint)
