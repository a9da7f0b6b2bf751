"""The commands `ninjaone sync apply` and `ninjaone sync run`."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from connector.cli.logs import show_log_by
from connector.cli.main import INTERRUPTED
from connector.cli.progress import Progress
from connector.cli.stopping import stopping
from connector.cli.sync_plan import NOUNS, ROWS, SHOWN
from connector.cli.sync_sides import (
    add_choice,
    add_json,
    add_requests,
    choice_of,
    other_writers,
    read_with,
    sides_of,
)
from connector.common.clock import SystemClock
from connector.common.plurals import counted
from connector.errors import RunError, RunInterruptedError, RunStoppedError
from connector.sync.alert_run import AlertChoice, open_alerts, run_alerts
from connector.sync.apply import Applied, chosen
from connector.sync.folder import SyncFolder, open_folder
from connector.sync.plan_file import PlanFile, load_plan
from connector.sync.run import FULL_READ, Choice, Run, Syncer, require_ids, save_alerts
from connector.sync.schedule import is_full_due, parse_interval, parse_time_of_day
from connector.sync.sides import ActionSource, ActionTarget
from connector.sync.state import State
from connector.sync.state_reports import forget_error, note_error

OUTCOMES = {"problems": "ended with problems", "limits": "stopped by a limit"}
"""The outcomes of runs that texts describe in other words."""
SAVED_EVERY_S = 5.0
"""The interval in seconds at which the progress is saved for `sync status`."""


def add_apply(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync apply`."""
    parser.add_argument(
        "--plan",
        metavar="FILE",
        type=Path,
        help="the plan to apply; values that were changed in the meantime are not overwritten (default: a "
        "new plan)",
    )
    add_writing(parser)
    parser.set_defaults(command=_apply)


def add_run(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync run`."""
    add_writing(parser)
    parser.add_argument(
        "--every",
        metavar="TIME",
        type=read_with(parse_interval),
        help="repeat the run at this interval, such as 10m",
    )
    parser.add_argument(
        "--full-at",
        metavar="HH:MM",
        type=read_with(parse_time_of_day),
        help="read and compare all assets in the first run after this local time",
    )
    add_alerts(parser)
    parser.set_defaults(command=_run)


def add_alerts(parser: argparse.ArgumentParser) -> None:
    """Declare the options for alerts that failed or are held."""
    parser.add_argument("--retry", action="store_true", help="retry the alerts whose calls the API refused")
    parser.add_argument("--release", action="store_true", help="create the tickets of held alerts")


def add_writing(parser: argparse.ArgumentParser) -> None:
    """Declare the options of commands that apply a plan: the records to write, and safety overrides."""
    add_json(parser)
    add_requests(parser)
    add_choice(parser)
    parser.add_argument(
        "--beyond-limits",
        action="store_true",
        help="also write changes that exceed the limits of the mapping",
    )
    parser.add_argument(
        "--beside-halo",
        action="store_true",
        help="write even if the target's built-in integration with the source is turned on",
    )


def writing_choice(options: argparse.Namespace) -> Choice:
    """Return the chosen part of the plan. Raises RunError."""
    return replace(choice_of(options), beyond_limits=options.beyond_limits)


def _apply(options: argparse.Namespace) -> int:
    choice = writing_choice(options)
    plan = load_plan(options.plan) if options.plan is not None else None

    def work(syncer: Syncer) -> Run:
        if plan is None:
            return syncer.run(choice, full=options.full, believe=options.full)
        return syncer.apply(plan, choice)

    alerts = alerts_of(choice) if plan is None else planned_alerts(plan, choice)
    with Console(options) as console:
        folder = open_folder(options.folder)
        return console.once(folder, *console.sides(folder), work, alerts)


def planned_alerts(plan: PlanFile, choice: Choice) -> AlertChoice | None:
    """Return the alerts of a plan that are chosen; None without any."""
    items = [
        item
        for item in chosen(plan.items(), choice.entities, choice.keys)
        if item.entity == "ticket" and item.op not in ("skip", "conflict")
    ]
    if not items:
        return None
    is_lost = all((item.op, item.method) == ("link", "stamp") for item in items)
    return AlertChoice(only=frozenset(str(item.source) for item in items), lost=is_lost)


def alerts_of(choice: Choice) -> AlertChoice | None:
    """Return which alerts are chosen without a plan; None for none."""
    if choice.entities is not None and "ticket" not in choice.entities:
        return None
    if choice.keys is None:
        return AlertChoice()
    uids = frozenset(source for entity, source in choice.keys if entity == "ticket")
    return AlertChoice(only=uids) if uids else None


def _run(options: argparse.Namespace) -> int:
    choice = writing_choice(options)

    def work(syncer: Syncer) -> Run:
        return scheduled_run(syncer, choice, options)

    alerts = run_choice(choice, options)
    with Console(options) as console:
        if options.every is None:
            folder = open_folder(options.folder)
            return console.once(folder, *console.sides(folder), work, alerts)
        return console.again_and_again(work, options.every, alerts)


def scheduled_run(syncer: Syncer, choice: Choice, options: argparse.Namespace) -> Run:
    """Make one run; it reads all assets if the time of `--full-at` has passed."""
    last = syncer.state.cursor(FULL_READ)
    is_due = options.full_at is not None and is_full_due(
        float(last) if last else None, options.full_at, syncer.clock.now()
    )
    return syncer.run(choice, full=options.full or is_due, believe=options.full)


def run_choice(choice: Choice, options: argparse.Namespace) -> AlertChoice:
    """Return the options of a run for alerts. Alerts that are due are worked on, whatever is chosen."""
    alerts = alerts_of(choice) or AlertChoice(poll=False)
    return replace(alerts, retry=options.retry, release=options.release)


class Console:
    """Runs a sync, shows its progress, and stops it after the record in progress."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self.stop = threading.Event()
        self.clock = SystemClock(self.stop)
        self._progress = Progress(sys.stderr)
        self.say: Callable[[str], None] = self._progress.say
        self._stopping = stopping(self.stop, self.say, "after the record in progress")
        self._log = show_log_by(self.say)
        self._began = self._saved = self._shown = 0.0

    def __enter__(self) -> Console:
        self._stopping.__enter__()
        self._log.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        if isinstance(exc[1], (RunError, RunStoppedError)):
            self.note(exc[1])
        self._log.__exit__(*exc)
        self._stopping.__exit__(*exc)

    def sides(self, folder: SyncFolder) -> tuple[ActionSource, ActionTarget]:
        """Sign in; return (source, target). Raises RunError if an integration writes the same records."""
        source, target = sides_of(folder, self._options, self.stop)
        if target.calls.connection.read_only:
            origin = target.calls.connection.origin
            raise RunError(
                f"the connection to {target.title} is read-only ({origin}): only `sync plan` is possible"
            )
        if not self._options.beside_halo and (found := other_writers(folder, target)):
            raise RunError(f"{found[0]}: turn it off, or use --beside-halo")
        return source, target

    def once(
        self,
        folder: SyncFolder,
        source: ActionSource,
        target: ActionTarget,
        work: Callable[[Syncer], Run],
        choice: AlertChoice | None = None,
    ) -> int:
        """Make one run and return its exit code.

        `choice` has the alert options of the run; None for a run without alerts.
        """
        with folder.write_state(source, target, self.clock.now()) as state:
            require_ids(folder.mapping, target, state, self.clock.now())
            alerts = open_alerts(folder, source, target, state, self.clock) if choice else None

            def between(applied: Applied) -> None:
                if alerts is not None:
                    alerts.work()

            run = self.run(Syncer(folder, source, target, state, self.clock, self.stop, between), work)
            if alerts is not None and choice is not None and not run.is_refused and not self.stop.is_set():
                save_alerts(state, run, run_alerts(alerts, choice))
            forget_error(state)
        if run.error:
            self.note(run.error)
        self.report(run)
        return INTERRUPTED if self.stop.is_set() and run.applied.is_stopped else run.exit_code

    def note(self, error: object) -> None:
        """Save an error for `sync status`."""
        if not isinstance(error, RunInterruptedError):
            note_error(self._options.folder, str(error), self.clock.now())

    def run(self, syncer: Syncer, work: Callable[[Syncer], Run]) -> Run:
        """Make one run and show its progress."""
        self._began = self._shown = time.monotonic()

        def between(applied: Applied) -> None:
            self._show(syncer.state, applied)
            syncer.between(applied)

        run = work(replace(syncer, between=between))
        syncer.state.set_meta("progress", "")
        return run

    def again_and_again(
        self, work: Callable[[Syncer], Run], every_s: float, choice: AlertChoice | None = None
    ) -> int:
        """Make runs at an interval until stopped. The error of a run is printed, and the next run follows."""
        sides: tuple[ActionSource, ActionTarget] | None = None
        has_begun = False
        while not self.stop.is_set():
            began = time.monotonic()
            try:
                folder = open_folder(self._options.folder)
                sides = sides or self.sides(folder)
                has_begun = True
                self.once(folder, *sides, work, choice)
            except RunInterruptedError:
                break
            except (RunStoppedError, RunError) as error:
                if not has_begun:
                    raise
                self.note(error)
                self.say(f"ninjaone: {error}")
                sides = None if isinstance(error, RunStoppedError) else sides
            try:
                self.clock.sleep(every_s - (time.monotonic() - began))
            except RunInterruptedError:
                break
        return INTERRUPTED

    def _show(self, state: State, applied: Applied) -> None:
        now = time.monotonic()
        if now - self._saved >= SAVED_EVERY_S:
            self._saved = now
            state.set_meta("progress", json.dumps(self._progress_of(applied)))
        if now - self._shown >= (1.0 if sys.stderr.isatty() else 30.0) and not self._options.json:
            self._shown = now
            self.say(progress_line(self._progress_of(applied)))

    def _progress_of(self, applied: Applied) -> dict[str, float]:
        spent = max(time.monotonic() - self._began, 0.001)
        rate = applied.done / spent
        left = (applied.total - applied.done) / rate if rate else 0.0
        return {
            "done": applied.done,
            "total": applied.total,
            "a_minute": round(60 * rate, 1),
            "end": self.clock.now() + left,
        }

    def report(self, run: Run) -> None:
        """Print the result of a run."""
        if run.error:
            self.say(f"ninjaone: {run.error}: nothing was planned")
        if self._options.json:
            print(json.dumps(run.as_json()))
            return
        print("\n".join(describe_run(run, str(self._options.folder))))


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
