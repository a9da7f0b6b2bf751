"""The data of the pages of runs: functions that convert records to the values of the templates."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from connector.catalog.action import Action
from connector.common.redaction import Redactor
from connector.runs.job import STREAM, Job
from connector.runs.record import Record
from connector.runs.run_state import LABELS, State, state_of
from connector.runs.run_stores import store_of
from connector.web.runs.control import Started
from connector.web.runs.envelopes import KIND_WORDS
from connector.web.runs.job_files import is_written_as_a_job
from connector.web.runs.plot import Plot, make_plot, rate_text, time_text

ViewState = Literal[State, "starting", "failed"]
STATES: Mapping[str, str] = {**LABELS, "starting": "starting", "failed": "not started"}
"""The label of each state. A run in state `starting` or `failed` has no record."""

_NOT_HERE = (
    "The output file is not on this machine. The database has the rows for at least 7 days after the end "
    "of the run."
)


@dataclass(frozen=True)
class Code:
    """The number of failed rows with one `meta.code`, and one of their messages."""

    code: str
    rows: int
    example: str


@dataclass(frozen=True)
class RunView:
    """One run, as pages show it.

    `done_before` is the number of rows done before it was resumed, `rerunnable` the number of failed rows
    that can be retried, `kinds` the numbers of failed rows by kind. `connections` has (name, rows, failed
    rows) if the rows select their connections. `accepted` is true if the successful rows only queued work
    whose end is not known; `is_stopping` if the run was told to stop.
    """

    id: str
    action: str
    title: str
    effect: str
    where: str
    began: str
    state: ViewState
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
    service: str = ""
    kinds: Sequence[tuple[str, int]] = ()
    accepted: bool = False
    can_stop: bool = False
    is_stopping: bool = False
    step: str = ""

    @property
    def state_word(self) -> str:
        """The label of the state."""
        if self.is_stopping:
            return "stopping"
        if self.state == "finished" and self.failed:
            return f"finished, {'all' if self.failed == self.done else f'{self.failed:,}'} failed"
        return STATES[self.state]

    @property
    def tone(self) -> str:
        """The CSS classes of the state."""
        if self.state != "finished" or not (self.failed or self.accepted):
            return self.state
        if self.failed:
            return "finished all-failed" if self.failed == self.done else "finished some-failed"
        return "finished accepted"

    @property
    def succeeded_word(self) -> str:
        """The label of the successful rows."""
        return "accepted" if self.accepted else "succeeded"

    @property
    def is_live(self) -> bool:
        """Return whether the run is still in progress."""
        return self.state in ("running", "starting")

    @property
    def share(self) -> int | None:
        """The number of rows done in percent of all rows, or None if their number is not known."""
        return None if not self.total else min(100, 100 * self.done // self.total)

    @property
    def took(self) -> str:
        """The time since the run was started or resumed, as text."""
        return time_text(self.seconds)

    @property
    def _a_second(self) -> float:
        """The average rate in rows per second; 0 in the first second."""
        return (self.done - self.done_before) / self.seconds if self.seconds >= 1 else 0.0

    @property
    def rate(self) -> str:
        """The average rate as text; empty in the first second."""
        return rate_text(self._a_second) if self._a_second else ""

    @property
    def left(self) -> str:
        """The estimated remaining time as text; empty if it is not known."""
        if self.state != "running" or self.total is None or not self._a_second:
            return ""
        return time_text(round(max(0, self.total - self.done) / self._a_second))


def make_view(
    record: Record,
    actions: Mapping[str, Action],
    redactor: Redactor,
    where: str,
    *,
    may_continue: bool,
    service: str = "the service",
    can_stop: bool = False,
    is_stopping: bool = False,
) -> RunView:
    """Return a run as pages show it.

    `where` is the name of its connection; `may_continue` is whether this connection is still available.
    `service` is the title of the action's service. `can_stop` and `is_stopping` apply to a running run.
    """
    state = state_of(record, time.time())
    action = actions.get(record.job.action)
    summary: Mapping[str, Any] = record.summary or {}
    failed, repeatable = summary.get("failed", 0), summary.get("repeatable", 0)
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
        summary.get("rows", 0),
        summary.get("resumed_rows", 0),
        record.total if record.total is not None else summary.get("rows") if state == "finished" else None,
        summary.get("succeeded", 0),
        failed,
        [
            Code(code, about["rows"], redactor.text(about["example"]))
            for code, about in sorted(summary.get("codes", {}).items(), key=lambda item: -item[1]["rows"])
        ],
        summary.get("seconds", 0.0),
        repeatable if is_over and _has_codes(record) else 0,
        failed - repeatable,
        state in ("stopped", "killed") and may_follow and _may_resume(record),
        "" if record.rerun_of is None else record.rerun_of.name,
        list(_notes(record, state, summary)),
        [(name, its["rows"], its["failed"]) for name, its in summary.get("connections", {}).items()],
        make_plot(record.timeline),
        service,
        kinds=[(word, n) for kind, word in KIND_WORDS.items() if (n := summary.get("kinds", {}).get(kind))],
        accepted=bool(action and queues_work(action, record.job, is_over=state == "finished")),
        can_stop=can_stop and state == "running",
        is_stopping=is_stopping and state == "running",
        step=record.job.step,
    )


def queues_work(action: Action, job: Job, *, is_over: bool) -> bool:
    """Return whether successful rows are only queued: the run does not wait for them, or is not over."""
    return action.accepted and (job.wait_s is None or not is_over)


def view_of_started(id: str, started: Started, actions: Mapping[str, Action]) -> RunView:
    """Return a run without a record as pages show it. If it never gets a record, its log has the reason."""
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
    return replace(record.job, output=str(record.output)).output_form.has_envelopes


def _may_resume(record: Record) -> bool:
    return _is_resumable(record) and store_of(record.job.state).is_interrupted(record.output)


def _is_resumable(record: Record) -> bool:
    """Return whether a page can resume a run: a step only as a part of a rerun of its job."""
    is_of_job_rerun = record.rerun_of is not None and bool(record.job.step_outputs)
    return is_of_job_rerun or is_written_as_a_job(record.job)


def _notes(record: Record, state: State, summary: Mapping[str, Any]) -> Sequence[str]:
    notes = []
    if record.job.step:
        notes.append(f'This run is the step "{record.job.step}" of a job.')
    if state in ("stopped", "killed") and not _is_resumable(record):
        notes.append("Resume this run on the command line: repeat the command that started it with --resume.")
    if summary.get("resumed_rows"):
        notes.append(f"Rows done before this run was resumed: {summary['resumed_rows']:,}.")
    if summary.get("warned"):
        notes.append(f"Rows with a warning: {summary['warned']:,}.")
    if summary.get("truncated"):
        notes.append(f"Lists truncated at the limit: {summary['truncated']:,}.")
    if summary.get("too_many_errors"):
        notes.append("The run stopped because more rows failed than the job allows.")
    if state == "finished" and not record.output.exists():
        notes.append("The output file no longer exists." if record.run_id is None else _NOT_HERE)
    return notes


def clock_text(seconds: float) -> str:
    """Return a time as text, in the local time zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
