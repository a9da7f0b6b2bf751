"""A run's summary, with its counts by error code, and the limit of failed rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

from connector.errors import Kind, kind_of
from connector.files.envelope import Envelope

Listener = Callable[[Envelope], None]
"""A function that is called with each envelope after it was written."""


@dataclass(frozen=True)
class Awaited:
    """The number of rows whose work a run waits for, and of those whose work has completed, or failed.

    `unclear` is the number of rows whose end cannot be told from that of others.
    """

    rows: int
    completed: int = 0
    failed: int = 0
    unclear: int = 0

    @property
    def left(self) -> int:
        """The number of rows for whose end the run still waits."""
        return self.rows - self.completed - self.failed - self.unclear

    def __add__(self, other: Awaited) -> Awaited:
        return Awaited(
            self.rows + other.rows,
            self.completed + other.completed,
            self.failed + other.failed,
            self.unclear + other.unclear,
        )


class Pace(NamedTuple):
    """The pace that a run with an adaptive delay reached: the interval between requests at its end.

    With several `accounts`, it is the longest of theirs. `throttled` of all `requests` were too many for the
    service.
    """

    delay_ms: float
    requests: int
    throttled: int
    accounts: int = 1

    @property
    def interval_text(self) -> str:
        """The interval as text, such as `20 ms between requests`."""
        if self.accounts > 1:
            return f"at most {self.delay_ms:.0f} ms between requests of an account"
        return f"{self.delay_ms:.0f} ms between requests"

    def as_json(self) -> dict[str, Any]:
        """Return the pace as JSON values."""
        numbers = {"requests": self.requests, "throttled": self.throttled}
        return {"delay_ms": round(self.delay_ms, 1), **numbers}


@dataclass
class Summary:
    """The summary of a run. Counts are numbers of rows.

    `codes` has the failed rows by `meta.code`, `kinds` by kind; `repeatable` is the number of failed rows
    that can be retried. `resumed_rows` is the number of rows done before the run was resumed; the other
    counts include them. `truncated` is the number of lists truncated at the limit. `last_row` is the number
    of the last finished row.

    `stopped` is true if some rows were not started or not finished; `too_many_errors` if more rows failed
    than the run allows. `left_out` has the number of rows that a step skipped, by reason; see `step_rows`.
    `pace` is None if the delay does not adapt to the service.
    `connections` has the rows and failed rows of each tenant, if there are several. `awaited` has the state
    of the wait for the end of queued work, by tenant; it is empty before the wait. `failed` counts the rows
    whose work has failed when the wait is over. `queues` is true if the requests only queue work, and `waits`
    if the run waits for its end.

    It can be read from another thread during the run.
    """

    rows: int = 0
    succeeded: int = 0
    failed: int = 0
    repeatable: int = 0
    kinds: dict[Kind, int] = field(default_factory=lambda: {"retry": 0, "fix": 0, "check": 0})
    warned: int = 0
    truncated: int = 0
    existed: int = 0
    shared: int = 0
    resumed_rows: int = 0
    last_row: int = 0
    seconds: float = 0.0
    codes: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    warning: str = ""
    stopped: bool = False
    too_many_errors: bool = False
    left_out: dict[str, int] = field(default_factory=dict)
    connections: dict[str, dict[str, int]] = field(default_factory=dict)
    pace: Pace | None = None
    awaited: dict[str, Awaited] = field(default_factory=dict)
    queues: bool = False
    waits: bool = False

    @property
    def is_accepted(self) -> bool:
        """Whether the work of the rows that succeeded may not be done yet."""
        return self.queues and not (self.waits and not self.stopped)

    def count(self, envelope: Envelope) -> None:
        """Count the row of an envelope, if this is the row's last envelope."""
        if not envelope.ends_row:
            return
        self.rows += 1
        self.last_row = envelope.row
        meta = envelope.meta
        if "connection" in meta:
            its = self.connections.setdefault(meta["connection"], {"rows": 0, "failed": 0})
            its["rows"] += 1
            its["failed"] += envelope.has_error
        if "warnings" in meta:
            self._count_warning(envelope)
        self.existed += "existed" in meta
        self.shared += "same_as" in meta
        if meta.get("truncated"):
            self.truncated += 1
        if envelope.has_error:
            self._count_failure(envelope)
        else:
            self.succeeded += 1

    def revise(self, envelope: Envelope) -> None:
        """Count the outcome of work that a row has queued: failed, or succeeded with a warning.

        The row was counted as succeeded, without a warning if it has one now.
        """
        if not envelope.has_error:
            self._count_warning(envelope)
            return
        self.succeeded -= 1
        if "connection" in envelope.meta:
            self.connections[envelope.meta["connection"]]["failed"] += 1
        self._count_failure(envelope)

    def wait_for(self, awaited: Awaited, tenant: str = "") -> None:
        """Set the state of the wait for the end of queued work, for one tenant if there are several."""
        self.awaited = {**self.awaited, tenant: awaited}

    def _count_warning(self, envelope: Envelope) -> None:
        self.warned += 1
        self.warning = self.warning or f"{envelope.row_text}: {envelope.meta['warnings'][0]}"

    def _count_failure(self, envelope: Envelope) -> None:
        meta = envelope.meta
        self.failed += 1
        self.repeatable += meta.get("repeatable", False)
        self.kinds[kind_of(meta)] += 1
        code = str(meta["code"])
        self.examples.setdefault(code, f"{envelope.row_text}: {envelope.error}")
        self.codes[code] = self.codes.get(code, 0) + 1

    def as_json(self) -> dict[str, Any]:
        """Return the summary as JSON values: `#/$defs/run` of `schemas/summary.schema.json`."""
        # Copies, because another thread can be counting.
        codes, left_out, connections = dict(self.codes), dict(self.left_out), dict(self.connections)
        return {
            "rows": self.rows,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "repeatable": self.repeatable,
            "kinds": dict(self.kinds),
            "warned": self.warned,
            "truncated": self.truncated,
            "resumed_rows": self.resumed_rows,
            "seconds": round(self.seconds, 3),
            "codes": {code: {"rows": n, "example": self.examples[code]} for code, n in codes.items()},
            "stopped": self.stopped,
            "too_many_errors": self.too_many_errors,
            **({"accepted": self.succeeded} if self.is_accepted else {}),
            **({"existed": self.existed} if self.existed else {}),
            **({"shared": self.shared} if self.shared else {}),
            **({"pace": self.pace.as_json()} if self.pace else {}),
            **({"left_out": left_out} if left_out else {}),
            **({"connections": dict(sorted(connections.items()))} if connections else {}),
        }


class FailureLimit:
    """The number of failed rows, and the allowed number (`most`; None means no limit). Safe for threads.

    The batches of one run share it.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = float("inf") if most is None else most
        self._failed = 0
        self._lock = Lock()

    @property
    def exceeded(self) -> bool:
        """Whether more rows have failed than allowed."""
        return self._failed > self._most

    def count(self, rows: int = 1) -> None:
        """Add failed rows to the count."""
        with self._lock:
            self._failed += rows
