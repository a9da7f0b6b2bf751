"""The summary of the runs of a command or program as JSON: `schemas/summary.schema.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.common.clock import SystemClock
from connector.common.json_text import Json
from connector.runs.active_run import ActiveRun
from connector.runs.exit_codes import INTERRUPTED, NOTHING_RUN, OK, OUR_FAULT, ROWS_FAILED, STOPPED
from connector.runs.job import Job
from connector.runs.summary import Summary

VERSION = 2
"""The version of `schemas/summary.schema.json`."""
STATES = {
    None: "begun",
    OK: "finished",
    ROWS_FAILED: "finished",
    NOTHING_RUN: "nothing_run",
    STOPPED: "stopped",
    OUR_FAULT: "fault",
    INTERRUPTED: "interrupted",
}
"""The `state` in the JSON summary, keyed by exit code; None during the runs."""

Counts = Mapping[str, Json]
"""The summary of a run as JSON values, as in its record."""


class SummaryDocument:
    """Collects the runs of a command or program, and returns their summary as JSON."""

    def __init__(self) -> None:
        self._runs: list[tuple[Job, Summary | Counts | None]] = []
        self._clock = SystemClock()
        self._began = self._clock.now()

    def begin(self, run: ActiveRun) -> None:
        """Add a run that has started. Its summary is read when the document is made."""
        self._runs.append((run.job, run.summary))

    def finished_before(self, job: Job) -> None:
        """Add a step that was finished before the job was resumed."""
        self._runs.append((job, None))

    def finished(self, job: Job, counts: Counts) -> None:
        """Add a run that was finished before, with the summary in its record."""
        self._runs.append((job, counts))

    def as_json(self, exit_code: int | None, message: str = "") -> dict[str, Any]:
        """Return the summary as defined by `schemas/summary.schema.json`.

        Without an exit code, the summary's state is `begun`.
        """
        return {
            "summary": VERSION,
            "state": STATES[exit_code],
            "exit_code": exit_code,
            "message": message or None,
            "started": self._began,
            "ended": None if exit_code is None else self._clock.now(),
            "runs": [run_as_json(job, summary) for job, summary in self._runs],
        }


def run_as_json(job: Job, summary: Summary | Counts | None) -> dict[str, Any]:
    """Return the summary of a run as a JSON object; None stands for a step that was already finished."""
    step = {"step": job.step} if job.step else {}
    counts = summary.as_json() if isinstance(summary, Summary) else summary or {"finished_before": True}
    errors = {"errors": str(job.errors)} if job.errors else {}
    return {**step, "action": job.action, "output": job.output, **errors, **counts}
