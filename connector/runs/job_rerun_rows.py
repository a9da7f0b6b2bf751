"""The rows of a rerun: of a run, or of a step in a rerun of its job; see `job_rerun`."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter

from connector.files.readers import InputRow, RowSource
from connector.runs.active_run import Rows
from connector.runs.job import Job
from connector.runs.repair import CorrectedRows
from connector.runs.rerun import ChosenRows, Rerun
from connector.runs.step_rows import Only, StepRows


def rows_of_rerun(
    rerun: Rerun, job: Job, source: RowSource, only: Only | None
) -> tuple[Rows, dict[str, int]]:
    """Return the rows of a rerun, and the number of skipped rows by reason."""
    if rerun.chain is not None:
        return rows_of_job(rerun, job, source, only)
    if rerun.corrected is not None:
        return CorrectedRows(rerun.corrected), {}
    of_step = StepRows(source, job.follows, only) if job.follows else None
    return ChosenRows(of_step or source, rerun.numbers), {}


def rows_of_job(
    rerun: Rerun, job: Job, source: RowSource, only: Only | None
) -> tuple[FileRows | ChainRows, dict[str, int]]:
    """Return the rows of a step in a rerun of its job, and the number of skipped rows by reason."""
    corrected = rerun.corrected or {}
    if not job.follows:
        return FileRows(source, rerun.numbers, corrected), {}
    rows = ChainRows(rerun, job.follows, only)
    return rows, rows.left_out


class FileRows:
    """The rows of a file with certain numbers; `corrected` has rows that replace those of the file."""

    def __init__(self, source: RowSource, numbers: array[int], corrected: Mapping[int, InputRow]) -> None:
        self._numbers = numbers
        self._corrected = [corrected[number] for number in numbers if number in corrected]
        unchanged = array("Q", (number for number in numbers if number not in corrected))
        self._unchanged = ChosenRows(source, unchanged)

    def rows(self) -> Iterator[InputRow]:
        """Yield the rows in order. Raises RunError."""
        return heapq.merge(self._corrected, self._unchanged.rows(), key=attrgetter("number"))

    def count(self, go_on: Callable[[], bool] = lambda: True) -> int:
        """Return the number of rows."""
        return len(self._numbers)

    def passed(self, row: int) -> int:
        """Return how many of the rows have a row number up to `row`."""
        return bisect_right(self._numbers, row)


class ChainRows:
    """The rows of a step that follows another one: its failed rows, then those that are new in this rerun.

    `left_out` has the number of new rows that are skipped, by reason.
    """

    def __init__(self, rerun: Rerun, follows: str, only: Only | None) -> None:
        self._chain, self._numbers = rerun.chain or (), rerun.numbers
        corrected = {number: row.data for number, row in (rerun.corrected or {}).items()}
        wanted = set(self._numbers)
        self._steps = [
            StepRows(
                RowSource(str(file.path), file.format),
                follows,
                only,
                before=file.before,
                numbers=None if file.fresh else wanted,
                corrected=corrected,
            )
            for file in self._chain
            if file.fresh or wanted
        ]
        self.left_out = {"failed": 0, "only": 0}

    def rows(self) -> Iterator[InputRow]:
        """Yield the rows in order. Raises RunError."""
        for rows in self._steps:
            yield from rows.rows()
            for reason, skipped in rows.left_out.items():
                self.left_out[reason] += skipped

    def count(self, go_on: Callable[[], bool]) -> int | None:
        """Return the number of failed rows and of the earlier step's new envelopes."""
        fresh = [RowSource(str(f.path), f.format).count(go_on) for f in self._chain if f.fresh]
        return len(self._numbers) + sum(number or 0 for number in fresh)

    def passed(self, row: int) -> int:
        """Return how many of the rows have a row number up to `row`."""
        first = next((file.before for file in self._chain if file.fresh), row)
        return bisect_right(self._numbers, row) + max(row - first, 0)
