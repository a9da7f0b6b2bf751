"""Notifications at the end of `run` and `rerun`: by a command, to a URL, and to a monitor of scheduled jobs.

A notification that fails is reported on standard error, and does not change the exit code.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from connector.cli.notify_text import compile_notification, content_type, variables_of
from connector.cli.webhook import TIMEOUT_S, Webhook, WebhookError
from connector.common import redaction
from connector.errors import shorten
from connector.runs.notify_settings import NotifySettings

logger = logging.getLogger(__name__)
_SHELL = ("cmd", "/c") if sys.platform == "win32" else ("/bin/sh", "-c")


class Notifier:
    """Sends the notifications of one command. `job` names it in them."""

    def __init__(self, settings: NotifySettings, job: str) -> None:
        """Read URLs and templates, so that errors are found before anything is run. Raises RunError."""
        self._settings, self._job = settings, job
        self._webhook = Webhook(settings.url, "--notify-url") if settings.url else None
        self._ping = Webhook(settings.ping_url, "--ping-url") if settings.ping_url else None
        if settings.url:
            self._for_url = compile_notification(settings.template or "json")
        if settings.command:
            self._for_command = compile_notification(settings.template or "text")

    def start(self) -> None:
        """Report the start of the run."""
        if self._ping:
            with _reporting(self._ping.label):
                self._ping.post("", "text/plain", suffix="/start")

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Report the end of the run, whose summary has the form of `schemas/summary.schema.json`."""
        variables = redaction.OF_PROCESS.json(variables_of(self._job, socket.gethostname(), summary))
        has_failed = summary["exit_code"] != 0
        if self._ping:
            with _reporting(self._ping.label):
                text = str(variables["text"])
                self._ping.post(text, "text/plain; charset=utf-8", suffix="/fail" if has_failed else "")
        if not has_failed and self._settings.when == "failure":
            return
        if self._webhook:
            with _reporting(self._webhook.label):
                body = redaction.OF_PROCESS.text(self._for_url(variables))
                self._webhook.post(body, content_type(body))
        if self._settings.command:
            with _reporting("--notify-command"):
                _run_command(
                    self._settings.command, redaction.OF_PROCESS.text(self._for_command(variables)), variables
                )


@contextmanager
def _reporting(label: str) -> Iterator[None]:
    """Context in which an error, or Ctrl-C, is reported on standard error and not raised."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        reason = redaction.OF_PROCESS.text(str(error)) or type(error).__name__
        logger.debug("notification (%s) failed: %s", label, reason)
        with suppress(OSError, ValueError):
            print(f"ninjaone: the notification ({label}) failed: {reason}", file=sys.stderr)
    else:
        logger.debug("notification (%s) sent", label)


def _run_command(command: str, text: str, variables: Mapping[str, Any]) -> None:
    """Run a command with a text as its standard input. Raises WebhookError if it fails or takes too long."""
    names = {f"NINJAONE_RUN_{name.upper()}": str(variables[name]) for name in ("job", "state", "exit_code")}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603  the user's command
            [*_SHELL, command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, **names},
            start_new_session=True,
        )
        try:
            process.communicate(text.encode() + b"\n", timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            _end(process)
            raise WebhookError(f"the command did not end within {TIMEOUT_S:.0f} s") from None
        if process.returncode:
            errors.seek(0)
            said = shorten(errors.read(10_000).decode(errors="replace").strip(), 200)
            raise WebhookError(f"the command ended with exit code {process.returncode}{said and ': '}{said}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command with its children."""
    if sys.platform != "win32":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
