"""Runs a sync on the command line: its progress, its errors, and stopping it."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from connector.cli.logs import show_log_by
from connector.cli.main import INTERRUPTED
from connector.cli.progress import Progress
from connector.cli.stopping import stopping
from connector.cli.sync_report import describe_run, progress_line
from connector.cli.sync_sides import other_writers, sides_of
from connector.common.clock import SystemClock
from connector.errors import RunError, RunInterruptedError, RunStoppedError
from connector.sync.alert_run import AlertChoice, open_alerts, run_alerts
from connector.sync.apply import Applied
from connector.sync.folder import SyncFolder, open_folder
from connector.sync.run import Run, Syncer, require_ids, save_alerts
from connector.sync.sides import ActionSource, ActionTarget
from connector.sync.state import State
from connector.sync.state_reports import forget_error, note_error

SAVE_INTERVAL_S = 5.0
"""The interval in seconds at which the progress is saved for `sync status`."""


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
        if now - self._saved >= SAVE_INTERVAL_S:
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
