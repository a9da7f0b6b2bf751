"""The settings of notifications: `notify` in a job file, or the options of `run` and `rerun`.

    notify:
      url: ${CHAT_WEBHOOK}      # a URL, ${NAME} for an environment variable, or a file with the URL
      command: mail -s "night job" ops@example.com
      template: slack           # slack, teams, json, text, or a file with a template
      when: always              # default: failure
      ping_url: ping.txt        # a monitor of scheduled jobs

They are no settings of a `Job`, because records of runs have the settings of jobs, and a URL can be secret.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from connector.catalog.declaration import Section, load_declaration
from connector.errors import RunError

NotifyOn = Literal["failure", "always"]
"""When to notify: if the exit code is not 0, or at the end of every run."""
FORMATS = ("slack", "teams", "json", "text")
"""The built-in templates."""


@dataclass(frozen=True)
class NotifySettings:
    """How to report the end of a run. An empty text means that a setting is not used.

    `url` and `ping_url` are as given: a URL, a text with `${NAME}`, or the path of a file with the URL.
    `template` is the name of a built-in template or the path of a file.
    """

    url: str = field(default="", repr=False)
    command: str = ""
    template: str = ""
    when: NotifyOn = "failure"
    ping_url: str = field(default="", repr=False)


def read_notify(top: Section) -> NotifySettings:
    """Return the settings `notify` of a job file; paths are relative to its folder.

    Raises DeclarationError.
    """
    if "notify" not in top.data:
        return NotifySettings()
    part, folder = top.section("notify"), top.path.parent
    template = part.text("template", "")
    found = NotifySettings(
        url=_placed(part.text("url", ""), folder),
        command=part.text("command", ""),
        template=template if template in ("", *FORMATS) else str(folder / template),
        when=part.one_of("when", get_args(NotifyOn), "failure"),
        ping_url=_placed(part.text("ping_url", ""), folder),
    )
    part.finish()
    return found


def notify_in(job_file: Path | None) -> NotifySettings:
    """Return the settings `notify` of a job file; the default ones if the file is missing or not valid.

    The error is raised when the job is read, so that it can be reported by other settings.
    """
    with suppress(RunError):
        if job_file:
            return read_notify(load_declaration(job_file))
    return NotifySettings()


def is_url(text: str) -> bool:
    """Return whether a setting is a URL, or has an environment variable, and is not the path of a file."""
    return "://" in text or "${" in text


def _placed(url: str, folder: Path) -> str:
    return url if not url or is_url(url) else str(folder / url)
