"""The command `ninjaone sync serve`: receives webhooks, handles alerts, and makes runs at an interval."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from connector.cli.main import OK
from connector.cli.ports import port_or_free
from connector.cli.sync_apply import add_schedule, add_writing, scheduled_run, writing_choice
from connector.cli.sync_console import Console
from connector.cli.sync_report import describe_alerts
from connector.common.json_text import Json
from connector.common.listening import LOOPBACK, netloc
from connector.errors import RunError, RunStoppedError
from connector.sync.alert_driver import AlertDriver
from connector.sync.alert_run import AlertChoice, alert_problems, open_alerts, run_alerts
from connector.sync.folder import SyncFolder, open_folder
from connector.sync.hook_key import HookKey
from connector.sync.interleaved import Interleaved
from connector.sync.receiver import Receiver, Store, listen
from connector.sync.records import Source, Target
from connector.sync.run import Run, Syncer, require_ids, save_alerts
from connector.sync.service import SyncService
from connector.sync.sides import ActionSource, ActionTarget
from connector.sync.state import State
from connector.sync.state_queues import Inbox
from connector.sync.state_reports import forget_error

PORT = 8443


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone sync serve`."""
    add_writing(parser)
    parser.add_argument(
        "--host",
        default=LOOPBACK,
        help="the address to listen on (default: %(default)s; put a TLS proxy in front)",
    )
    parser.add_argument(
        "--port", type=port_or_free, default=PORT, help="the port; 0 for a free one (default: %(default)s)"
    )
    add_schedule(parser, every="interval between runs (default: 10m)", every_s=600.0)
    parser.set_defaults(command=_serve)


def _serve(options: argparse.Namespace) -> int:
    with Console(options) as console:
        folder = open_folder(options.folder)
        if folder.mapping.alerts is None:
            raise RunError(f"{folder.mapping.path} has no section alerts: use `sync run --every TIME`")
        source, target = console.sides(folder)
        with folder.write_state(source, target, console.clock.now()) as state:
            require_ids(folder.mapping, target, state, console.clock.now())
            server = _Server(options, console, folder, state, source, target)
            with server.receiving():
                server.service.serve()
    return OK


class _Server:
    """Receives webhooks and makes runs. Reads the mapping and connections again before each run."""

    def __init__(
        self,
        options: argparse.Namespace,
        console: Console,
        folder: SyncFolder,
        state: State,
        source: ActionSource,
        target: ActionTarget,
    ) -> None:
        self._options, self._console, self._state = options, console, state
        self._folder, self._sides = folder, (source, target)
        self._driver = self._open_alerts()
        self._choice = writing_choice(options)
        self._is_first = True
        self._last: dict[str, Json] = {}
        self.service = SyncService(lambda: self._driver, self._run, self._shown, options.every, console.stop)

    def _open_alerts(self) -> AlertDriver:
        driver = open_alerts(self._folder, *self._sides, self._state, self._console.clock)
        if driver is None:
            raise RunError(
                f"{self._folder.mapping.path} no longer has the section alerts: stop this process and use "
                "`sync run`"
            )
        return driver

    def _run(self) -> str:
        """Make one run; return the reason if nothing was planned."""
        try:
            error = self._run_once()
        except (RunError, RunStoppedError) as fault:
            self._console.note(fault)
            raise
        if error:
            self._console.note(error)
        else:
            forget_error(self._state)
        return error

    def _run_once(self) -> str:
        self._refresh()
        between = self.service.between
        source, target = (Interleaved(side, between) for side in self._sides)
        stop, clock = self._console.stop, self._console.clock
        syncer = Syncer(
            self._folder,
            cast(Source, source),
            cast(Target, target),
            self._state,
            clock,
            stop,
            lambda applied: between(),
        )
        run = self._console.run(syncer, self._work)
        if not stop.is_set():
            options = self._options
            alerts = AlertChoice(True, options.retry and self._is_first, options.release and self._is_first)
            save_alerts(self._state, run, run_alerts(self._driver, alerts))
            self._is_first = False
        self._last = {"last_run": clock.now(), "outcome": run.outcome, "problems": len(run.applied.problems)}
        self._console.report(run)
        return run.error

    def _refresh(self) -> None:
        """Read the mapping again, and sign in again if the mapping changed or a sign-in was rejected."""
        folder = open_folder(self._folder.path)
        if folder.mapping.digest == self._folder.mapping.digest and not self._driver.lost_sign_in:
            self._folder = folder
            require_ids(folder.mapping, self._sides[1], self._state, self._console.clock.now())
            return
        sides = self._console.sides(folder)
        require_ids(folder.mapping, sides[1], self._state, self._console.clock.now())
        self._folder, self._sides = folder, sides
        self._driver = self._open_alerts()

    def _work(self, syncer: Syncer) -> Run:
        return scheduled_run(syncer, self._choice, self._options)

    def _shown(self) -> dict[str, Json]:
        """Return what `/health` shows in addition to errors."""
        return {
            "inbox": Inbox(self._state).waiting(),
            "alerts": describe_alerts(self._driver.rows.count()),
            "alert_problems": len(alert_problems(self._driver.rows)),
            **self._last,
        }

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Listen for webhooks in other threads, if the mapping uses them, and always for `/health`."""
        folder, by = self._folder.path, self._folder.mapping.alerts
        names = [side.calls.service.name for side in self._sides]
        key = HookKey.of(folder)
        hooks = {name: key.secrets_of(name) for name in names} if by and "webhook" in by.by else {}
        store = Store(folder)
        receiver = Receiver(store, hooks, time.time, health=self.service.health, kept=self.service.deliver)
        try:
            server = listen(receiver, self._options.host, self._options.port)
        except RunError:
            store.close()
            raise
        thread = threading.Thread(target=server.run, name="receiver", daemon=True)
        thread.start()
        at = f"http://{netloc(self._options.host, server.effective_port)}"
        paths = ", ".join(f"/hooks/{name}" for name in hooks) or "no webhooks, because alerts.by is [poll]"
        self._console.say(f"receiving on {at}: {paths}; /health. Press Ctrl-C to stop.")
        try:
            yield
        finally:
            server.close()
            thread.join(5.0)
            store.close()
