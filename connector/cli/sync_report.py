"""The results of sync runs as lines of text."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connector.cli.sync_plan import NOUNS, ROWS, SHOWN
from connector.common.plurals import counted
from connector.sync.run import Run

OUTCOMES = {"problems": "ended with problems", "limits": "stopped by a limit"}
"""The outcomes of runs that texts describe in other words."""


def progress_line(progress: dict[str, float]) -> str:
    """Return the progress of a run as text."""
    end = time.strftime("%H:%M", time.localtime(progress["end"]))
    done = f"{progress['done']:,.0f} of {progress['total']:,.0f} writes"
    return f"{done}, {progress['a_minute']:,.0f} a minute, until about {end}"


def describe_run(run: Run, folder: str) -> list[str]:
    """Return the summary of a run as lines of text. `folder` is that of the sync."""
    has_records = bool(run.counts) or run.alerts is None
    writes = f": {counted(run.applied.writes, 'write')}" if has_records else ""
    lines = [f"run {run.number} {OUTCOMES.get(run.outcome, run.outcome)}{writes}"]
    for entity, outcomes in run.applied.counts.items():
        counts = ", ".join(f"{number:,} {name}" for name, number in sorted(outcomes.items()))
        lines.append(f"  {ROWS[entity]:8} {counts}")
    if run.recovered:
        lines.append(f"  {counted(run.recovered, 'record')} of an earlier run found and linked")
    listed = (("failed", run.applied.problems), ("note", run.applied.partial), ("skipped", run.not_written))
    for word, items in listed:
        for item, reason in items[:SHOWN]:
            name = f' "{item.name}"' if item.name else ""
            shown = "conflict" if item.op == "conflict" else word
            lines.append(f"{shown:10}{NOUNS[item.entity]} {item.source}{name}: {reason}")
        if len(items) > SHOWN:
            lines.append(f"{word:10}{len(items) - SHOWN:,} more; --json prints all")
    conflicts, skipped = run.applied.count("conflict"), run.applied.count("skipped")
    if conflicts and not run.not_written:
        lines.append(
            f"conflict  {counted(conflicts, 'record')}: sync plan {folder} shows how to resolve each"
        )
    if skipped and not run.not_written:
        lines.append(f"reasons   of {skipped:,} skipped: sync status {folder} --unmatched")
    lines += [f"stopped   {ROWS[stop.entity]}: {stop.reason}" for stop in run.stops]
    if run.alerts is not None:
        lines.append(f"  alerts   {describe_alerts(run.alerts.of)}")
        lines += problem_lines(run.alerts.problems)
        if run.alerts.held:
            release = f"sync run {folder} --release creates their tickets"
            lines.append(f"stopped   tickets: {counted(run.alerts.held, 'alert')} held by a limit: {release}")
        lines += [f"skipped   alert {uid}: no such alert is active or known" for uid in run.alerts.unknown]
    return lines


def problem_lines(problems: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each reason for which alerts wait or failed; several alerts can have one reason."""
    reasons: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in problems:
        reasons.setdefault((row["state"], row["reason"]), []).append(row)
    for (state, reason), rows in [*reasons.items()][:SHOWN]:
        tries = [row["next_try"] for row in rows if row["next_try"]]
        again = f", again at {clock_text(min(tries))}" if tries else ""
        what = rows[0]["alert"] if len(rows) == 1 else counted(len(rows), "alert")
        yield f"alert     {what} {state.lower()}{again}: {reason}"
    if len(reasons) > SHOWN:
        yield f"alert     {len(reasons) - SHOWN:,} more; --json prints all"


def clock_text(seconds: float) -> str:
    """Return an epoch time as local time, with the date unless it is today."""
    form = "%H:%M" if time.localtime(seconds)[:3] == time.localtime()[:3] else "%Y-%m-%d %H:%M"
    return time.strftime(form, time.localtime(seconds))


def describe_alerts(counts: dict[str, int]) -> str:
    """Return the number of alerts in each state except CLOSED, as text."""
    shown = {state: number for state, number in sorted(counts.items()) if state != "CLOSED"}
    return ", ".join(f"{number:,} {state.lower()}" for state, number in shown.items()) or "none open"
