"""Test undocumented behavior of both services with one test asset and one test ticket.

The name of these records is written to `probe.json` in the sync folder before they are created, so that the
next probe can delete the records of a probe that was killed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from typing import Any, Literal

from connector.common.user_folders import write_whole
from connector.errors import RowError, RunError, RunStoppedError, file_errors
from connector.sync.calls import Calls, load_part
from connector.sync.folder import SyncFolder
from connector.sync.sides import ActionSource, ActionTarget

FILE = "probe.json"
REFUSED = ("forbidden", "conflict", "input_invalid")
"""The error codes which show that a service does not support a call."""


@dataclass(frozen=True)
class Finding:
    """The result of one test: `ok`, `warning` if it failed, or `open` if it could not be decided."""

    level: Literal["ok", "warning", "open"]
    service: str
    subject: str
    text: str


@dataclass(frozen=True)
class Trial:
    """The name and client id of the test records, and the epoch time of their creation."""

    name: str
    client: int
    began: float


class Probe:
    """Runs the tests of both services, and deletes the test records."""

    def __init__(self, folder: SyncFolder, source: ActionSource, target: ActionTarget) -> None:
        self._file = folder.path / FILE
        self._calls = (source.calls, target.calls)
        self._parts: tuple[Any, Any] = (
            load_part(source.calls, "sync_probe.py", "SyncProbe", "source"),
            load_part(target.calls, "sync_probe.py", "SyncProbe", "target"),
        )
        part, alerts = self._parts[1], folder.mapping.alerts
        if alerts is not None:
            ticket = {"type": alerts.ticket.type, "priority": alerts.ticket.priority}
            part.ticket_values = {**ticket, "source": alerts.ticket.source}
            part.stamp_field, part.note_outcome = alerts.stamp, alerts.note_outcome
            part.closed_status, part.reopen_status = alerts.closed_status, alerts.reopen_status

    def earlier(self) -> Trial | None:
        """Return the test records of an earlier probe, or None, from `probe.json`. Raises RunError."""
        with file_errors(self._file):
            if not self._file.exists():
                return None
            text = self._file.read_text(encoding="utf-8")
        try:
            found = Trial(**json.loads(text))
            return Trial(str(found.name), int(found.client), float(found.began))
        except (ValueError, TypeError):
            raise RunError(
                f"{self._file}: not written by `sync check --probe`; move or delete this file"
            ) from None

    def begin(self, client: int, now: float) -> Trial:
        """Write the name of the test records to `probe.json` before they are created. Raises RunError."""
        name = time.strftime("Sync test %Y%m%d-%H%M%S", time.gmtime(now))
        trial = Trial(name, client, now)
        with file_errors(self._file):
            write_whole(self._file, json.dumps(vars(trial)).encode())
        return trial

    def findings(self, trial: Trial, stop: Event) -> Iterator[Finding]:
        """Run all tests until `stop` is set, and yield their results."""
        self._use(trial)
        for calls, part in zip(self._calls, self._parts, strict=True):
            title = calls.service.title
            for subject, method in part.questions:
                if stop.is_set():
                    return
                yield self._finding(calls, title, subject, getattr(part, method))
            for subject, reason in part.not_asked:
                yield Finding("open", title, subject, reason)

    def _finding(self, calls: Calls, title: str, subject: str, ask: Any) -> Finding:
        try:
            level, text = calls.result(ask())
        except RowError as error:
            level = "warning" if error.code in REFUSED else "open"
            return Finding(level, title, subject, str(error))  # type: ignore[arg-type]
        return Finding(level, title, subject, text)

    def remove(self, trial: Trial) -> list[str]:
        """Delete the test records; return those that remain. `probe.json` is kept while records remain."""
        self._use(trial)
        calls, part = self._calls[1], self._parts[1]
        try:
            for kind, id in calls.result(part.left()):
                with suppress(RowError):
                    calls.result(part.remove(kind, id))
            left = [f"{kind} {id}" for kind, id in calls.result(part.left())]
        except (RowError, RunStoppedError) as error:
            return [f'records called "{trial.name}" ({error})']
        if not left:
            self._file.unlink(missing_ok=True)
        return left

    def _use(self, trial: Trial) -> None:
        part = self._parts[1]
        part.name, part.client, part.began = trial.name, trial.client, trial.began
