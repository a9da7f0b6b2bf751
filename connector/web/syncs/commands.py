"""Starts the commands of a sync as separate processes, which continue if the server stops."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connector.errors import RunError
from connector.web.runs.job_files import new_folder
from connector.web.runs.processes import LOG, log_text, start_command
from connector.web.runs.run_view import clock_text

if TYPE_CHECKING:
    from connector.web.syncs.folders import SyncFolder

KINDS = ("plan", "apply", "sample")
ENDS = {
    0: "finished",
    1: "finished; some records failed or require a decision",
    2: "not started",
    3: "stopped by a limit; the next run continues",
    130: "stopped; the next run continues",
}
"""The meanings of the commands' exit codes."""


@dataclass(frozen=True)
class Command:
    """A command that this server started: its kind (one of KINDS), and the plan that it applies."""

    kind: str
    plan: str
    log: Path
    began: float
    process: subprocess.Popen[bytes]

    @property
    def is_live(self) -> bool:
        """Return whether the command still runs."""
        return self.process.poll() is None

    @property
    def state(self) -> str:
        """Return the outcome of the command as text."""
        code = self.process.poll()
        return "running" if code is None else ENDS.get(code, f"ended with exit code {code}")

    @property
    def has_failed(self) -> bool:
        """Return whether the command could not start, or failed."""
        return self.process.poll() not in (None, 0, 1, 3, 130)

    @property
    def clock(self) -> str:
        """Return the start time of the command, as text."""
        return clock_text(self.began)

    @property
    def text(self) -> str:
        """Return the last part of the command's messages."""
        return log_text(self.log)


class SyncCommands:
    """The last command of each kind that the server started for each sync. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[tuple[str, str], Command] = {}
        self._once: set[str] = set()

    def last(self, sync: SyncFolder, *kinds: str) -> Command | None:
        """Return the last command of these kinds that this server has started for a sync, or None."""
        found = [self._last[sync.name, kind] for kind in kinds if (sync.name, kind) in self._last]
        return max(found, key=lambda command: command.began, default=None)

    def start(self, sync: SyncFolder, kind: str, plan: str, options: Sequence[str], once: str) -> None:
        """Start a command; a second call with the same key `once` starts nothing.

        Raises RunError while another command of this sync runs.
        """
        with self._lock:
            if once in self._once:
                return
            last = self.last(sync, *KINDS)
            if last and last.is_live:
                raise RunError(f"The command {last.kind}, started {last.clock}, is still running.")
            folder = new_folder(f"sync-{kind}")
            began = time.time()
            process = start_command(folder, ["sync", kind, str(sync.path), *options], os.environ)
            self._last[sync.name, kind] = Command(kind, plan, folder / LOG, began, process)
            self._once.add(once)

    def stop(self, sync: SyncFolder) -> None:
        """Stop the running command of a sync after the record in progress."""
        last = self.last(sync, *KINDS)
        if last and last.is_live:
            last.process.terminate()
