"""What came of a run: counts by code, the listeners that see each envelope, the limit of failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from connector.files.envelope import Envelope

Listener = Callable[[Envelope], None]
"""Hears of every envelope that was written."""


@dataclass
class Summary:
    """What came of a run. Counts are rows; `codes` counts the failed ones by `meta.code`.

    `repeatable` are the failed ones that may be sent again; `resumed_rows` were done before the run was
    resumed, and all other counts hold these, too. `truncated` are lists that a cap ended. `last_row` is the
    number of the row that ended last.

    `stopped` says that rows are left that were not begun, or not finished; `too_many_errors` that more rows
    failed than the run allows (which stops it, unless they were the last). `left_out` counts what a step did
    not take from the step that it follows, by the reason: see `steps`. `connections` counts the rows of each
    tenant, where a run has several, and its failed ones.

    It may be looked at from another thread while the run continues.
    """

    rows: int = 0
    succeeded: int = 0
    failed: int = 0
    repeatable: int = 0
    warned: int = 0
    truncated: int = 0
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

    def count(self, envelope: Envelope) -> None:
        """Count an envelope if it ends its row."""
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
            self.warned += 1
            self.warning = self.warning or f"row {envelope.row}: {meta['warnings'][0]}"
        if meta.get("truncated"):
            self.truncated += 1
        if not envelope.has_error:
            self.succeeded += 1
            return
        self.failed += 1
        self.repeatable += meta.get("repeatable", False)
        code = str(meta["code"])
        self.examples.setdefault(code, f"row {envelope.row}: {envelope.error}")
        self.codes[code] = self.codes.get(code, 0) + 1

    def as_json(self) -> dict[str, Any]:
        """Return the summary for programs: `#/$defs/run` of `schemas/summary.schema.json`."""
        # Copies, as another thread may be counting.
        codes, left_out, connections = dict(self.codes), dict(self.left_out), dict(self.connections)
        return {
            "rows": self.rows,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "repeatable": self.repeatable,
            "warned": self.warned,
            "truncated": self.truncated,
            "resumed_rows": self.resumed_rows,
            "seconds": round(self.seconds, 3),
            "codes": {code: {"rows": n, "example": self.examples[code]} for code, n in codes.items()},
            "stopped": self.stopped,
            "too_many_errors": self.too_many_errors,
            **({"left_out": left_out} if left_out else {}),
            **({"connections": dict(sorted(connections.items()))} if connections else {}),
        }


class FailureLimit:
    """How many rows may fail before nothing more is started: `most`, or any number. Safe for threads.

    Batches that are one run share one.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = float("inf") if most is None else most
        self._failed = 0
        self._lock = Lock()

    @property
    def exceeded(self) -> bool:
        """Whether more rows have failed."""
        return self._failed > self._most

    def count(self, rows: int = 1) -> None:
        """Count rows that failed."""
        with self._lock:
            self._failed += rows
