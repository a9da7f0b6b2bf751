"""Notifications at the end of `run` and `rerun`: by a command, to a URL, and to a monitor of scheduled jobs.

A notification that fails is reported on standard error, and does not change the exit code.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from connector.cli.notify_text import compile_notification, content_type, variables_of
from connector.cli.webhook import TIMEOUT_S, Webhook, WebhookError
from connector.common import redaction
from connector.errors import shorten
from connector.runs.notify_settings import FORMATS, NotifyOn, NotifySettings, notify_in

logger = logging.getLogger(__name__)
_SHELL = ("cmd", "/c") if sys.platform == "win32" else ("/bin/sh", "-c")


def add_notify(parser: argparse.ArgumentParser) -> None:
    """Declare the options for notifications."""
    group = parser.add_argument_group("notifications at the end of the run")
    url = (
        "a URL (https, or http on this machine), ${NAME} for an environment variable, or a file with the URL"
    )
    group.add_argument("--notify-url", metavar="URL|FILE", help=f"post the notification to {url}")
    group.add_argument(
        "--notify-command",
        metavar="COMMAND",
        help="run COMMAND in a shell, with the notification as its standard input",
    )
    group.add_argument(
        "--notify-template",
        metavar="NAME|FILE",
        help=f"{', '.join(FORMATS)}, or a file with a Jinja template; default: json for a URL, text for a "
        "command",
    )
    group.add_argument(
        "--notify-on",
        choices=get_args(NotifyOn),
        help="notify if the exit code is not 0 (failure), or always; default: failure",
    )
    group.add_argument(
        "--ping-url",
        metavar="URL|FILE",
        help="monitor of scheduled jobs: post to URL/start at the start, and to URL or URL/fail at the end",
    )


def notify_settings(options: argparse.Namespace, job_file: Path | None) -> NotifySettings:
    """Return the settings of the options, and those of `notify` in the job file for missing options."""
    given = {name: getattr(options, f"notify_{name}") for name in ("url", "command", "template")}
    given |= {"when": options.notify_on, "ping_url": options.ping_url}
    chosen = {name: value for name, value in given.items() if value is not None}
    return replace(notify_in(job_file), **chosen)


def open_notifier(options: argparse.Namespace, job: str, job_file: Path | None) -> Notifier:
    """Return the notifier of a command, by its options and by `notify` of the job file. Raises RunError."""
    return Notifier(notify_settings(options, job_file), job)


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
