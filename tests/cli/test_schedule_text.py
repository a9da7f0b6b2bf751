"""Times and quoting of `ninjaone schedule`, by the rules and the programs of cron, the shell and systemd."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.cli.cron_times import CronTime, read_cron
from connector.cli.schedule_text import ScheduledCommand, crontab_line, service_unit
from connector.errors import RunError

SYSTEMD = "/lib/systemd/systemd"
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)
DAILY = read_cron("0 2 * * *")
WORDS = st.lists(st.text("ab %\\'\"$`;&|*?~#!{}<>()=\té•", max_size=8), min_size=1, max_size=5)


# Quoting


def as_cron_reads(command: str, *, halves_backslashes: bool) -> str:
    """Return what cron gives to the shell: the command up to the first plain `%`, without escapes of it."""
    escaped = r"\\([%\\])" if halves_backslashes else r"\\(%)"
    command = re.match(r"(?:\\.|[^\\%])*", command, re.DOTALL)[0]  # type: ignore[index]
    return re.sub(escaped + r"|(\\.)", lambda found: found[1] or found[2], command)


@settings(max_examples=60, deadline=None)
@given(words=WORDS, folder=st.text("a %\\'\"$`;", max_size=6))
def test_the_shell_of_cron_gets_the_same_words(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], folder: str
) -> None:
    where = tmp_path_factory.getbasetemp() / f"cron-{folder}-x"
    where.mkdir(exist_ok=True)
    printed = ["/usr/bin/env", "printf", "%s\\0", str(where), *words]
    line = crontab_line(ScheduledCommand("x", "root", printed, where, {"A": "b %"}), DAILY)
    assert line.startswith("0 2 * * * ")
    for halves_backslashes in (False, True):
        command = as_cron_reads(line.split(" ", 5)[5], halves_backslashes=halves_backslashes)
        assert shlex.split(command) == ["cd", str(where), "&&", "env", "A=b %", *printed]
    done = subprocess.run(["/bin/sh", "-c", command + " && pwd"], capture_output=True, text=True, check=True)
    assert done.stdout == "".join(word + "\0" for word in (str(where), *words)) + f"{where}\n"


@pytest.fixture
def readable_path() -> Iterator[Path]:
    """A folder that every user can read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(not os.access(SYSTEMD, os.X_OK), reason="systemd is not installed")
def test_systemd_reads_the_same_words(readable_path: Path) -> None:
    """Units are read by a systemd that starts nothing (`--test`) and prints what it has read."""
    commands = [
        [
            "100%",
            "%n %%",
            "a b",
            "",
            ";",
            "$HOME",
            "${X}$$",
            '"',
            "'",
            "it's",
            "\\",
            "\\n",
            "é•",
            "#",
            "-x=1",
        ],
        ["tab\there", "line\nbreak", "\\x41", "{}[]*?~!&|<>()`", "x\\"],
    ]
    for number, words in enumerate(commands):
        command = ScheduledCommand(
            "x", "root", ["/bin/a $b%", *words], readable_path / 'a "%n" b\\c', {"A": "b %n"}
        )
        unit = service_unit(command).replace("User=root\n", "")
        (readable_path / f"ours-{number}.service").write_text(unit)
        assert "Environment=A=b %n\n" not in unit
    (readable_path / "ours.target").write_text("[Unit]\nWants=ours-0.service ours-1.service\n")
    read = read_by_systemd(readable_path, "ours.target")
    for number, words in enumerate(commands):
        unit = read.partition(f"Unit ours-{number}.service:")[2].partition("-> Unit ")[0]
        assert f'WorkingDirectory: {readable_path}/a "%n" b\\c\n' in unit
        assert "Environment: A=b %n\n" in unit
        (line,) = re.findall(r"Command Line: (.*)", unit)
        program, *found = unquoted(line)
        assert program == "/bin/a $b%"
        assert [word.replace("$$", "$") for word in found] == words


def read_by_systemd(folder: Path, target: str) -> str:
    runtime = folder / "runtime"
    runtime.mkdir()
    command = [SYSTEMD, "--user", "--test", f"--unit={target}"]
    if os.geteuid() == 0:  # systemd refuses to test as root
        os.chown(runtime, 65534, 65534)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    folders = {"XDG_RUNTIME_DIR": str(runtime), "HOME": str(runtime), "SYSTEMD_UNIT_PATH": f"{folder}:"}
    done = subprocess.run(command, capture_output=True, env={"PATH": "/usr/bin:/bin", **folders}, timeout=60)
    return done.stdout.decode()


def unquoted(line: str) -> list[str]:
    """Return the words of a command line as systemd prints it."""
    escapes = {"n": "\n", "t": "\t"}
    words = re.findall(r'"((?:\\.|[^"\\])*)"|(\S+)', line)
    return [re.sub(r"\\(.)", lambda m: escapes.get(m[1], m[1]), quoted) or plain for quoted, plain in words]


def test_a_folder_that_a_unit_cannot_name() -> None:
    with pytest.raises(RunError, match="a systemd unit cannot name this folder"):
        service_unit(ScheduledCommand("x", "root", ["/bin/true"], Path("/a ")))


# Times


def times_of_cron(when: CronTime, start: datetime, number: int) -> list[datetime]:
    """Return the next times of a cron expression, found by trying every minute of matching days."""
    found: list[datetime] = []
    day = start
    while len(found) < number:
        of_month, of_week = day.day in when.days, day.isoweekday() in when.days_of_week
        matches = of_month or of_week if when.is_either_day else of_month and of_week
        if matches and day.month in when.months:
            found += [day.replace(hour=h, minute=m) for h in sorted(when.hours) for m in sorted(when.minutes)]
        day += timedelta(days=1)
    return found[:number]


@needs_systemd
@pytest.mark.parametrize(
    "expression",
    [
        "0 2 * * *",
        "*/15 8-18 * * mon-fri",
        "0 0 1,15 * fri",
        "5 4 */2 * 0",
        "30 23 31 * *",
        "0 0 * * 5-7",
        "7 3 29 2 *",
        "*/7 0-23/5 1-10/3 jan,mar-may *",
        "59 23 30 6,12 7",
        "1,2,3,50 */23 2-30/4 */5 *",
        "0 12 * * 1,3,sun",
        "@monthly",
        "@Hourly",
    ],
)
def test_systemd_starts_the_job_when_cron_does(expression: str) -> None:
    when = read_cron(expression)
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    command = ["systemd-analyze", "calendar", "--iterations=6", "--base-time=2025-12-31 23:59:59 UTC"]
    done = subprocess.run(
        [*command, *when.calendar_events()], capture_output=True, text=True, env={**os.environ, "TZ": "UTC"}
    )
    assert done.returncode == 0, done.stderr
    shown = re.findall(r"(?:elapse|Iter\. #\d+|Iteration #\d+): \w+ ([\d-]+ [\d:]+) UTC", done.stdout)
    found = sorted({datetime.fromisoformat(f"{text}+00:00") for text in shown})
    assert found[:6] == times_of_cron(when, start, 6)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("0 2 * *", "expected five fields (minute, hour, day of the month, month, day of the week), got 4"),
        ("0 0 2 * * *", "expected five fields"),
        ("", "expected five fields"),
        ("5/15 * * * *", 'minute "5/15": a step requires a range: use 5-59/15'),
        ("60 * * * *", 'minute "60": expected 0 to 59'),
        ("* 24 * * *", 'hour "24": expected 0 to 23'),
        ("* * 0 * *", 'day of the month "0": expected 1 to 31'),
        ("* * * foo *", 'month "foo": expected 1 to 12'),
        ("* * * * 8", 'day of the week "8": expected 0 to 7'),
        ("0 0 31 2,4 *", "never occurs: no month has this day"),
        ("0 0 L * *", 'day of the month "L": expected 1 to 31'),
        ("0 0 * * 1#2", 'day of the week "1#2": expected *, a number, a range'),
        ("30-10 * * * *", 'minute "30-10": the range ends before it starts'),
        ("*/0 * * * *", 'minute "*/0": the step must be at least 1'),
        ("1,,2 * * * *", 'minute "": expected *, a number'),
        ("@reboot", '"@reboot" is not a time; expected five fields, or @yearly'),
    ],
)
def test_an_expression_that_is_not_valid(expression: str, message: str) -> None:
    with pytest.raises(RunError) as raised:
        read_cron(expression)
    assert message in str(raised.value)
