"""The text that schedules a command: a line of a crontab, or the service and the timer of systemd.

**crontab.** The shell reads the command after cron has read it. cron ends the command at the first `%`
that has no backslash before it; some versions also turn two backslashes into one.

**systemd.** `%` begins a specifier and `$` a variable in a command, and are written twice. Words are quoted
with double quotes, in which a backslash begins an escape. Folders and descriptions are not quoted.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connector.cli.cron_times import CronTime
from connector.errors import RunError

_MAX_CRON_COMMAND_LENGTH = 998
"""The maximum length of a command in bytes; cron cuts longer ones."""
_PLAIN_WORD = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


@dataclass(frozen=True)
class ScheduledCommand:
    """A command, the absolute path of the folder in which it runs, and environment variables that it needs.

    `name` is the name of its units, without extension; `user` is the user that runs it.
    """

    name: str
    user: str
    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def crontab_line(command: ScheduledCommand, when: CronTime) -> str:
    """Return the line for a user's crontab. Raises RunError if cron cannot run the command."""
    variables = [f"{name}={value}" for name, value in command.environment.items()]
    words = [*(["env", *variables] if variables else []), *command.arguments]
    text = f"cd {_shell_word(str(command.folder))} && {' '.join(map(_shell_word, words))}"
    _refuse_lines(text)
    text = text.replace("%", "\\%")
    if (length := len(text.encode(errors="surrogateescape"))) > _MAX_CRON_COMMAND_LENGTH:
        raise RunError(
            f"the command is too long for a crontab: {length} bytes, at most {_MAX_CRON_COMMAND_LENGTH}; use "
            "--systemd, or put options into the job file"
        )
    return f"{when.expression} {text}"


def _shell_word(word: str) -> str:
    """Return a word quoted for the shell, without two backslashes, or a backslash before `%`, in a row."""
    return re.sub(r"\\(?=[\\%])", r"\\''", shlex.quote(word))


def _refuse_lines(text: str) -> None:
    if any(character in text for character in "\n\r\0"):
        raise RunError("the command has a line break, which a crontab cannot have")


def service_unit(command: ScheduledCommand) -> str:
    """Return the text of the service that runs the command. Raises RunError for an unusable folder."""
    program, *arguments = command.arguments
    words = [_quoted(program), *(_quoted(word).replace("$", "$$") for word in arguments)]
    variables = [f"Environment={_quoted(f'{n}={v}')}" for n, v in command.environment.items()]
    lines = [
        "[Unit]",
        f"Description={_description(command)}",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        "Type=oneshot",
        f"User={command.user}",
        f"WorkingDirectory={_folder(command.folder)}",
        *variables,
        f"ExecStart={' '.join(words)}",
    ]
    return "\n".join(lines) + "\n"


def timer_unit(command: ScheduledCommand, when: CronTime) -> str:
    """Return the text of the timer that starts the service."""
    lines = [
        "[Unit]",
        f"Description={_description(command)}, scheduled",
        "",
        "[Timer]",
        *(f"OnCalendar={event}" for event in when.calendar_events()),
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return "\n".join(lines) + "\n"


def _description(command: ScheduledCommand) -> str:
    return f"NinjaOne job {command.name}"


def _folder(folder: Path) -> str:
    text = str(folder)
    if not text.isprintable() or text.endswith((" ", "\\")):
        raise RunError(
            f"{folder}: a systemd unit cannot name this folder, because of an invisible character, or a "
            "space or backslash at its end"
        )
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    """Return a word as systemd reads it: with specifiers escaped, and quoted if needed."""
    if not _PLAIN_WORD.fullmatch(word):
        word = f'"{"".join(map(_escaped, word))}"'
    return word.replace("%", "%%")


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode(errors="surrogateescape"))
