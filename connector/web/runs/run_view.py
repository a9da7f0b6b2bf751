"""What is shown of runs: pure functions from their records to plain values for the templates."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from connector.catalog.action import Action
from connector.common.redaction import Redactor
from connector.errors import RunError
from connector.files.output import is_interrupted, look_for_another_run
from connector.runs.job import STREAM
from connector.runs.records import EVERY_S, Record
from connector.web.runs.control import Started, is_written_as_a_job
from connector.web.runs.plot import Plot, make_plot, rate_text, time_text

State = Literal["running", "finished", "stopped", "killed", "starting", "failed"]
STATES: Mapping[State, str] = {
    "running": "running",
    "finished": "finished",
    "stopped": "stopped",
    "killed": "interrupted",
    "starting": "starting",
    "failed": "not started",
}
"""What a run's state is called on a page. `starting` and `failed` are of runs without a record."""


@dataclass(frozen=True)
class Code:
    """Failed rows of one `meta.code`, and one of them."""

    code: str
    rows: int
    example: str


@dataclass(frozen=True)
class RunView:
    """One run, as pages show it.

    `done_before` are the rows that were done before it was resumed, `rerunnable` those that may be repeated.
    `connections` are those of the rows, where each names its own, with their rows and the failed ones.
    """

    id: str
    action: str
    title: str
    effect: str
    where: str
    began: str
    state: State
    done: int = 0
    done_before: int = 0
    total: int | None = None
    succeeded: int = 0
    failed: int = 0
    codes: Sequence[Code] = ()
    seconds: float = 0.0
    rerunnable: int = 0
    in_doubt: int = 0
    can_resume: bool = False
    rerun_of: str = ""
    notes: Sequence[str] = ()
    connections: Sequence[tuple[str, int, int]] = ()
    plot: Plot | None = None

    @property
    def state_word(self) -> str:
        """Return how it is."""
        return STATES[self.state]

    @property
    def is_live(self) -> bool:
        """Return whether more is to come."""
        return self.state in ("running", "starting")

    @property
    def share(self) -> int | None:
        """How much is done, in per cent, if that is known."""
        return None if not self.total else min(100, 100 * self.done // self.total)

    @property
    def took(self) -> str:
        """For how long it has run since it was begun, or resumed."""
        return time_text(self.seconds)

    @property
    def _a_second(self) -> float:
        """How many rows are done in a second, on average; 0 where that cannot be told yet."""
        return (self.done - self.done_before) / self.seconds if self.seconds >= 1 else 0.0

    @property
    def rate(self) -> str:
        """How many rows are done in a second, on average."""
        return rate_text(self._a_second) if self._a_second else ""

    @property
    def left(self) -> str:
        """How long it will take yet, if it goes on like this."""
        if self.state != "running" or self.total is None or not self._a_second:
            return ""
        return time_text(round(max(0, self.total - self.done) / self._a_second))


def state_of(record: Record, now: float) -> State:
    """Return how a run is. One that was heard of just now goes on; of others the output's lock knows.

    The lock is not asked of a run in progress: at the instant of its end that could get in its way.
    """
    if record.ended is not None:
        return "stopped" if (record.summary or {}).get("stopped") else "finished"
    if 0 <= now - (record.seen or record.started) < 3 * EVERY_S:
        return "running"
    try:
        look_for_another_run(record.output)
    except RunError:
        return "running"
    return "killed"


def make_view(
    record: Record,
    actions: Mapping[str, Action],
    redactor: Redactor,
    where: str,
    *,
    may_continue: bool,
) -> RunView:
    """Show a run, and `where` its requests go; `may_continue` tells whether that place is still there."""
    state = state_of(record, time.time())
    action = actions.get(record.job.action)
    said: Mapping[str, Any] = record.summary or {}
    failed, repeatable = said.get("failed", 0), said.get("repeatable", 0)
    is_kept = STREAM not in (record.job.input, record.job.output)
    may_follow = may_continue and is_kept and action is not None
    is_over = state == "finished" and record.output.is_file() and may_follow
    return RunView(
        record.id,
        record.job.action,
        action.title if action else record.job.action,
        action.effect if action else "destructive",
        where,
        clock_text(record.started),
        state,
        said.get("rows", 0),
        said.get("resumed_rows", 0),
        record.total if record.total is not None else said.get("rows") if state == "finished" else None,
        said.get("succeeded", 0),
        failed,
        [
            Code(code, about["rows"], redactor.text(about["example"]))
            for code, about in sorted(said.get("codes", {}).items(), key=lambda item: -item[1]["rows"])
        ],
        said.get("seconds", 0.0),
        repeatable if is_over and _has_codes(record) else 0,
        failed - repeatable,
        state in ("stopped", "killed") and may_follow and _may_resume(record),
        "" if record.rerun_of is None else record.rerun_of.name,
        list(_notes(record, state, said)),
        [(name, its["rows"], its["failed"]) for name, its in said.get("connections", {}).items()],
        make_plot(record.timeline),
    )


def view_of_started(id: str, started: Started, actions: Mapping[str, Action]) -> RunView:
    """Show a run that has not come to its record, and perhaps never will: its log says why."""
    action, code = actions[started.action], started.process.poll()
    return RunView(
        id=id,
        action=started.action,
        title=action.title,
        effect=action.effect,
        where=started.where,
        began=clock_text(started.began),
        state="starting" if code is None else "finished" if code in (0, 1) else "failed",
    )


def _has_codes(record: Record) -> bool:
    return record.job.output_format != "csv" and record.output.suffix.lower() != ".csv"


def _may_resume(record: Record) -> bool:
    return is_written_as_a_job(record.job) and is_interrupted(record.output)


def _notes(record: Record, state: State, said: Mapping[str, Any]) -> Sequence[str]:
    notes = []
    if record.job.step:
        notes.append(f'It is the step "{record.job.step}" of a job.')
    if state in ("stopped", "killed") and not is_written_as_a_job(record.job):
        notes.append("Only the command that started it can resume it, with --resume.")
    if said.get("resumed_rows"):
        notes.append(f"{said['resumed_rows']:,} rows were done before it was resumed.")
    if said.get("warned"):
        notes.append(f"{said['warned']:,} rows have a warning.")
    if said.get("truncated"):
        notes.append(f"{said['truncated']:,} lists are truncated at the limit.")
    if said.get("too_many_errors"):
        notes.append("More rows failed than the job allows.")
    if state == "finished" and not record.output.exists():
        notes.append("Its output no longer exists.")
    return notes


def clock_text(seconds: float) -> str:
    """Write a time of this machine's clock."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
