"""Selects the part of an input that is run: the first rows, rows after an offset, or a sample."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from connector.errors import RunError

if TYPE_CHECKING:
    from connector.files.readers import InputRow, RowSource
    from connector.runs.rerun import ChosenRows

NAMES = ("limit", "offset", "sample")
"""The options that select rows. In a job with steps, they apply to steps that read an input file."""


class Selection(NamedTuple):
    """The rows to run: `limit` rows after the first `offset` rows, or a random `sample` of this size."""

    limit: int | None = None
    offset: int | None = None
    sample: int | None = None

    def rows(self, source: RowSource) -> RowSource | SelectedRows | ChosenRows:
        """Return the selected rows of an input. Raises RunError."""
        if self == Selection():
            return source
        if self.sample is None:
            return SelectedRows(source, self.limit, self.offset or 0)
        if self.limit is not None or self.offset is not None:
            raise RunError("--sample cannot be combined with --limit or --offset")
        if source.is_stdin:
            raise RunError("--sample requires a file, because all rows are counted first; use --input FILE")
        from connector.runs.rerun import ChosenRows  # imported only if it is used

        return ChosenRows(source, _sample(source, self.sample))


class SelectedRows:
    """The rows of an input after the first `offset` rows, at most `limit` of them."""

    def __init__(self, source: RowSource, limit: int | None, offset: int) -> None:
        self._source, self._limit, self._offset = source, limit, offset

    def rows(self) -> Iterator[InputRow]:
        """Return the rows in order; the input is read only up to the last of them."""
        stop = None if self._limit is None else self._offset + self._limit
        return islice(self._source.rows(), self._offset, stop)

    def count(self, go_on: Callable[[], bool] = lambda: True) -> int | None:
        """Return the number of rows, or None if it is not known or `go_on` has ended the counting."""
        count = self._source.count(go_on)
        return None if count is None else self.passed(count)

    def passed(self, row: int) -> int:
        """Return how many of the rows have a row number up to `row`."""
        passed = max(0, row - self._offset)
        return passed if self._limit is None else min(passed, self._limit)


def _sample(source: RowSource, size: int) -> array[int]:
    """Return the numbers of `size` random rows, ascending; the same numbers for the same input.

    Only `random()` is used, because its results do not differ between versions of Python.
    """
    numbers = array("Q")
    count = source.count() or 0
    random = Random(source.digest())  # noqa: S311 - not for secrets
    for number in range(1, count + 1):
        if random.random() * (count - number + 1) < size - len(numbers):
            numbers.append(number)
    return numbers
