"""The options of `run` and `rerun` for notifications at the end; see `notifier`."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from connector.runs.notify_settings import FORMATS, NotifyOn, NotifySettings, notify_in

if TYPE_CHECKING:
    from connector.cli.notifier import Notifier


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


def open_notifier(options: argparse.Namespace, job: str, job_file: Path | None) -> Notifier | None:
    """Return the notifier of a command, by its options and by `notify` of the job file. Raises RunError."""
    settings = notify_settings(options, job_file)
    if not (settings.url or settings.command or settings.ping_url):
        return None
    from connector.cli.notifier import Notifier  # imported only for runs that report their end

    return Notifier(settings, job)
