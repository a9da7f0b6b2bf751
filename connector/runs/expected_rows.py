"""The number of rows that a run is meant for: `max_rows` and `expect_rows`.

A run with another number of rows stops before any row is run. In a job with steps, these settings are at the
top, and apply to the first step that is not a read, after the steps before it have run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from connector.catalog.declaration import Section
from connector.errors import RunError, count_of
from connector.files.readers import InputRow

NAMES = ("max_rows", "expect_rows")
"""The settings at the top of a job file."""
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True)
class ExpectedRows:
    """The least and the most rows that are expected, both included; `hint` is added to the message."""

    least: int
    most: int
    hint: str = ""

    def check(self, count: int, *, is_all: bool = True) -> None:
        """Raise RunError for another number of rows; `is_all` is false if there are more of them."""
        if is_all and self.least <= count <= self.most:
            return
        wanted = f"at most {self.most}" if not self.least else str(self.least)
        if 0 < self.least < self.most:
            wanted = f"{self.least} to {self.most}"
        got = count_of(count, "row") if is_all else f"at least {count_of(count, 'row')}"
        raise UnexpectedRowsError(f"got {got}, expected {wanted}. No row was run{self.hint}")

    def checked(self, rows: Iterator[InputRow]) -> Iterator[InputRow]:
        """Return rows that can be read only once, after they are counted. Raises RunError."""
        first = list(islice(rows, self.most + 1))
        self.check(len(first), is_all=len(first) <= self.most)
        return iter(first)


class UnexpectedRowsError(RunError):
    """A run has another number of rows than expected; none of them was run."""


def read_range(text: str) -> tuple[int, int]:
    """Return the least and the most rows of `expect_rows`, such as 14 or 10-20. Raises RunError."""
    found = _RANGE.fullmatch(text.strip())
    least, most = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if least > most:
        raise RunError(f'"{text}" is not a number of rows; use a number such as 14, or a range such as 10-20')
    return least, most


def read_settings(top: Section) -> dict[str, Any]:
    """Return these settings of a job file. Raises RunError with file and line."""
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
    """Return the number of rows that these settings allow; None means any. Raises RunError."""
    if max_rows is None and expect_rows is None:
        return None
    least, most = (0, max_rows or 0) if expect_rows is None else read_range(expect_rows)
    if max_rows is not None:
        most = min(most, max_rows)
    if least > most:
        raise RunError(f"expect_rows {expect_rows} is more than max_rows {max_rows}")
    return ExpectedRows(least, most, hint)
