"""A run in progress, as observers such as the progress bar see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from connector.client.pacing import Pacer
from connector.files.readers import InputRow
from connector.runs.job import Job
from connector.runs.summary import Pace, Summary


class Rows(Protocol):
    """The source of a run's rows."""

    def rows(self) -> Iterator[InputRow]:
        """Yield the rows in order. Raises RunError."""

    def count(self, go_on: Callable[[], bool]) -> int | None:
        """Return the number of rows, or None if it is not known or `go_on` has ended the counting."""

    def passed(self, row: int) -> int:
        """Return how many of the rows have a row number up to `row`."""


@dataclass(frozen=True)
class ActiveRun:
    """A run in progress, as other threads see it; its `summary` is updated with every row.

    `requests` returns the number of API requests sent so far, at least `delay_ms` apart unless `pacers`, one
    for each account, adapt this interval to the service. `stop` is the event that stops the run.
    """

    job: Job
    rows: Rows
    summary: Summary
    delay_ms: float
    requests: Callable[[], int]
    stop: Event | None = None
    pacers: Sequence[Pacer] = ()

    @property
    def pace(self) -> Pace | None:
        """The pace that was reached so far; None if the interval does not adapt."""
        if not self.pacers:
            return None
        longest_ms = max(pacer.delay_ms for pacer in self.pacers)
        throttled = sum(pacer.throttled for pacer in self.pacers)
        return Pace(longest_ms, self.requests(), throttled, len(self.pacers))

    @property
    def interval_ms(self) -> float:
        """The shortest average interval between the requests of all accounts together, in milliseconds."""
        return 1 / sum(1 / pacer.delay_ms for pacer in self.pacers) if self.pacers else self.delay_ms


RunObserver = Callable[[ActiveRun], None]
"""A function that is called with each run that starts."""
