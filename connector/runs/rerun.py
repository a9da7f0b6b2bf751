"""Finds the failed rows of a finished run that can be retried, and reads them from the run's input."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.common.json_text import Json
from connector.errors import RunError
from connector.files.envelope import Envelope
from connector.files.output_formats import TABLES, Format, format_of
from connector.files.readers import InputRow, RowSource
from connector.runs.step_rows import StepRows

RERUN_SETTINGS: dict[str, Any] = {
    **{"bom": False, "results": False, "errors": None},
    **{"summary": None, "named_at": None, "output_exists": "fail"},
}
"""Settings of a rerun, whose output has complete envelopes."""


Requests = Sequence[Mapping[str, Json]]
"""Completed requests of a row, as `continue` in the result of a row with the code `partial` has them."""


@dataclass(frozen=True)
class RetryableRows:
    """The failed rows of a run, according to its output and those of its reruns.

    `numbers` has the numbers of rows that can be retried, ascending. `in_doubt` has the `meta.code` of the
    rows that must be checked first, by number; `succeeded` is the number of rows that succeeded in a rerun.
    `action` is the run's action, `last_row` the number of its last row. `done` has the completed requests of
    the rows that continue after them; see `continued`.
    """

    action: str = ""
    numbers: array[int] = field(default_factory=lambda: array("Q"))
    in_doubt: Mapping[int, str] = field(default_factory=dict)
    succeeded: int = 0
    last_row: int = 0
    done: Mapping[int, Requests] = field(default_factory=dict)


class Doubts:
    """The failed rows that may have taken effect, so that the user has to check them first.

    An unknown outcome puts a row in doubt, until a rerun that sends the row after a check (`meta.checked`)
    has a known one. The order of the outputs does not matter, because files can be copied.
    """

    def __init__(self) -> None:
        self._unknown: Counter[int] = Counter()
        self._known: Counter[int] = Counter()
        self._codes: dict[int, str] = {}
        self._again: set[int] = set()

    def add(self, envelope: Envelope, *, is_first: bool = False) -> None:
        """Count the last envelope of a row in an output: `is_first` for the run, otherwise a rerun.

        If the run is itself a rerun, its checks were of outcomes in an earlier output, which are not counted.
        """
        row, is_checked = envelope.row, not is_first and envelope.meta.get("checked") is True
        if envelope.has_error and not can_run(envelope):
            self._codes[row] = envelope.meta["code"]
            if is_checked:
                self._again.add(row)
            else:
                self._unknown[row] += 1
        elif is_checked:
            self._known[row] += 1

    def __contains__(self, row: int) -> bool:
        return max(self._unknown.get(row, 0), row in self._again) > self._known.get(row, 0)

    def rows(self) -> Iterator[int]:
        """Yield the rows that are or were in doubt."""
        return iter(self._codes)

    def code(self, row: int) -> str:
        """Return the `meta.code` of a row that is in doubt."""
        return self._codes[row]


def find_retryable(output: Path, format: Format, reruns: Iterable[Path] = ()) -> RetryableRows:
    """Return the failed rows of a run that can be retried, according to its output and those of its reruns.

    A row that succeeded in a rerun, or whose outcome in a rerun is unknown, is not retried. Raises RunError
    if a file does not contain envelopes.
    """
    action, last_row = "", 0
    numbers = array("Q")
    doubts, succeeded = Doubts(), set()
    done: dict[int, Requests] = {}
    for envelope in read_ends(output, format):
        action, last_row = envelope.meta["action"], envelope.row
        doubts.add(envelope, is_first=True)
        if can_run(envelope):
            numbers.append(envelope.row)
            _add_done(done, envelope)
    failed_at_once = frozenset(doubts.rows())
    for rerun in reruns:
        for envelope in read_ends(rerun, format_of(str(rerun), None)):
            if envelope.row not in failed_at_once and not _holds(numbers, envelope.row):
                continue
            doubts.add(envelope)
            if not envelope.has_error:
                succeeded.add(envelope.row)
            elif can_run(envelope):
                _add_done(done, envelope)
    in_doubt = {n: doubts.code(n) for n in sorted(doubts.rows()) if n in doubts and n not in succeeded}
    left = (n for n in heapq.merge(numbers, sorted(failed_at_once)) if not (n in in_doubt or n in succeeded))
    return RetryableRows(action, array("Q", left), in_doubt, len(succeeded), last_row, done)


def _add_done(done: dict[int, Requests], envelope: Envelope) -> None:
    """Keep the completed requests of a row, unless it failed before them this time."""
    if requests := requests_done(envelope):
        done[envelope.row] = requests


def read_ends(output: Path, format: Format) -> Iterator[Envelope]:
    """Yield the last envelope of each row. Raises RunError if the file does not contain envelopes."""
    if format in TABLES:
        raise RunError(
            f"{output}: this format does not record which rows can be retried; only a run whose output is "
            "JSON Lines or JSON can be rerun (--output FILE.jsonl)"
        )
    for line in RowSource(str(output), format).rows():
        try:
            if line.error and not line.data:
                raise ValueError(line.error)
            envelope = Envelope.from_json(line.data)
        except ValueError as error:
            raise RunError(f"{output}: not the output of a run: {error}") from error
        if envelope.ends_row:
            yield envelope


def requests_done(envelope: Envelope) -> Requests:
    """Return the completed requests after which a row can continue; empty if there are none."""
    result = envelope.result if envelope.meta["code"] == "partial" else None
    found: Requests = result.get("continue", ()) if isinstance(result, dict) else ()
    return found


def can_run(envelope: Envelope) -> bool:
    """Return whether a rerun can run a row again without a check."""
    is_repeatable = envelope.meta.get("repeatable") is True
    return envelope.has_error and (is_repeatable or bool(requests_done(envelope)))


def _holds(numbers: array[int], number: int) -> bool:
    place = bisect_right(numbers, number)
    return place > 0 and numbers[place - 1] == number


@dataclass(frozen=True)
class Rerun:
    """The numbers of the rows to rerun, and the output of the run (`of`) in which they failed.

    `corrected` has the new data of these rows, by number; None means that the rows of the run's input are
    used. In a rerun of a job with steps, `corrected` has the new data of some rows, and `chain` the outputs
    from which a step reads its rows; it is None in other reruns, see `job_rerun`.
    `done` has the completed requests of rows that are continued. `checked` has the numbers of the rows that
    could have taken effect, and that the user has checked.
    """

    of: Path
    numbers: array[int]
    corrected: Mapping[int, InputRow] | None = None
    chain: Sequence[ChainFile] | None = None
    done: Mapping[int, Requests] = field(default_factory=dict)
    checked: frozenset[int] = frozenset()


@dataclass(frozen=True)
class ChainFile:
    """An output of a step whose rows the following steps read in a rerun of the job.

    `before` is added to the numbers of its rows. If it is `fresh`, all of its rows are run, else the failed
    ones.
    """

    path: Path
    format: Format
    before: int
    fresh: bool


class ChosenRows:
    """The rows of an input with certain row numbers."""

    def __init__(self, source: RowSource | StepRows, numbers: array[int]) -> None:
        self._source, self._numbers = source, numbers

    def rows(self) -> Iterator[InputRow]:
        """Yield the rows in order; stop reading the input after the last of them."""
        wanted = iter(self._numbers)
        number = next(wanted, None)
        if number is None:
            return
        for row in self._source.rows():
            if row.number == number:
                yield row
                number = next(wanted, None)
                if number is None:
                    return

    def count(self, go_on: Callable[[], bool] = lambda: True) -> int:
        """Return the number of rows."""
        return len(self._numbers)

    def passed(self, row: int) -> int:
        """Return how many of the rows have a row number up to `row`."""
        return bisect_right(self._numbers, row)
