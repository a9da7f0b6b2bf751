"""`ninjaone schedule`: its output is read by cron, the shell and systemd."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process

PROGRAM = shutil.which("ninjaone", path=str(Path(sys.executable).parent)) or "ninjaone"
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


FOLDERS = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")


@pytest.fixture
def job(connection_file: Path, tmp_path: Path) -> Path:
    """A job that lists the devices of two organizations, into a file with the time in its name."""
    path = tmp_path / "night.yaml"
    path.write_text(
        f"action: get_organization\nconnection: {connection_file}\ninput: rows.jsonl\n"
        'output: "out-{{ now | round }}.jsonl"\ntemplates: {organization_id: "{{ id }}"}\n'
    )
    write_lines(tmp_path / "rows.jsonl", [{"id": 1}, {"id": 2}])
    return path


def test_the_line_for_cron(ninjaone: Ninjaone, job: Path, tmp_path: Path) -> None:
    done = ninjaone("schedule", "night.yaml", "--daily", "02:15")
    assert done.returncode == 0, done.stderr
    folders = " ".join(f"{name}={os.environ[name]}" for name in FOLDERS)
    assert done.stdout == (
        f"15 2 * * * cd {tmp_path} && env {folders} {PROGRAM} run night.yaml --yes "
        "--summary night.summary.json --log-file night.log\n"
    )
    assert done.stderr == "ninjaone: add this line to your crontab with `crontab -e`\n"
    assert {path.name for path in tmp_path.iterdir()} == {"connection.yaml", "night.yaml", "rows.jsonl"}


def test_the_options_of_run_are_those_of_the_scheduled_run(ninjaone: Ninjaone, job: Path) -> None:
    done = ninjaone(
        "schedule", "--max-rows", 20, "--cron", "@weekly", "night.yaml", "--yes", "--name", "x",
        "-c", "a.yaml", "--summary", "s.json", "--log-file", "l.log", "--var", "a=--daily",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("0 0 * * 0 ")
    assert done.stdout.partition(" run ")[2] == (
        "--max-rows 20 night.yaml --yes -c a.yaml --summary s.json --log-file l.log --var a=--daily\n"
    )


def test_the_units_of_systemd(ninjaone: Ninjaone, job: Path, tmp_path: Path) -> None:
    done = ninjaone("schedule", "night.yaml", "--cron", "0 0 1,15 * fri", "--systemd")
    assert done.returncode == 0, done.stderr
    service, timer = done.stdout.split("# /etc/systemd/system/ninjaone-night.timer\n")
    assert service.startswith("# /etc/systemd/system/ninjaone-night.service\n[Unit]\n")
    assert f"WorkingDirectory={tmp_path}\nEnvironment=XDG_CONFIG_HOME=" in service
    assert f"\nExecStart={PROGRAM} run night.yaml --yes --summary night.summary.json" in service
    assert "OnCalendar=*-*-01,15 00:00:00\nOnCalendar=Fri *-*-* 00:00:00\nPersistent=true\n" in timer
    assert "systemctl enable --now ninjaone-night.timer" in done.stderr


@needs_systemd
def test_systemd_takes_the_units(ninjaone: Ninjaone, job: Path, tmp_path: Path) -> None:
    job.rename(tmp_path / 'a "$x" %d.yaml')
    units = tmp_path / "units"
    units.mkdir()
    done = ninjaone("schedule", 'a "$x" %d.yaml', "--cron", "*/10 8-18 * jan-jun 1-5", "--units", "units")
    assert done.returncode == 0, done.stderr
    names = [str(units / f"ninjaone-a-x-d.{kind}") for kind in ("service", "timer")]
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True
    )
    ours = [line for line in (checked.stdout + checked.stderr).splitlines() if "ninjaone-a-x-d" in line]
    assert (checked.returncode, ours) == (0, [])
    again = ninjaone("schedule", 'a "$x" %d.yaml', "--daily", "2:00", "--units", "units")
    assert again.returncode == 2
    assert "ninjaone-a-x-d.service: already exists" in again.stderr


def test_the_variables_that_the_run_needs(ninjaone: Ninjaone, job: Path) -> None:
    given = {
        "XDG_CACHE_HOME": "/s t/%",
        "NINJAONE_READ_ONLY": "true",
        "NINJAONE_CLIENT_SECRET": "s3cr3t-value",
    }
    done = ninjaone("schedule", "night.yaml", "--daily", "2:00", **given)
    assert f" 'XDG_CACHE_HOME=/s t/\\%' NINJAONE_READ_ONLY=true {PROGRAM} run" in done.stdout
    units = ninjaone("schedule", "night.yaml", "--daily", "2:00", "--systemd", **given)
    assert 'Environment="XDG_CACHE_HOME=/s t/%%"\nEnvironment=NINJAONE_READ_ONLY=true\n' in units.stdout
    assert "s3cr3t" not in done.stdout + done.stderr + units.stdout + units.stderr


def test_the_default_connection_is_named(
    ninjaone: Ninjaone, instance: tuple[str, ...], sandbox: Sandbox, job: Path
) -> None:
    text = job.read_text()
    job.write_text("".join(line + "\n" for line in text.splitlines() if "connection" not in line))
    without = ninjaone("schedule", "night.yaml", "--daily", "2:00", NINJAONE_REGION="eu")
    assert "the connection is in the variables NINJAONE_* of this shell" in without.stderr
    added = ninjaone("connection", "add", "acme", *instance, "--secret-stdin", stdin=sandbox.client_secret)
    assert added.returncode == 0, added.stderr
    done = ninjaone("schedule", "night.yaml", "--daily", "2:00")
    assert done.stdout.endswith(" --log-file night.log --connection acme\n")
    assert "keyring" not in done.stderr
    assert "--connection beta\n" in ninjaone(
        "schedule", "night.yaml", "--daily", "2:00", NINJAONE_CONNECTION="beta"
    ).stdout  # fmt: skip


def test_a_name_that_is_the_same_in_every_run_is_noted(ninjaone: Ninjaone, job: Path) -> None:
    for more, is_noted in (
        (["-o", "out.jsonl"], True),
        (["-o", "o.jsonl", "--output-exists", "number"], False),
    ):
        done = ninjaone("schedule", "night.yaml", "--daily", "2:00", *more)
        assert done.returncode == 0
        assert ("the output has the same name in every run" in done.stderr) is is_noted


def test_a_variable_of_this_shell_is_noted(ninjaone: Ninjaone, job: Path) -> None:
    done = ninjaone("schedule", "night.yaml", "--daily", "2:00", "--systemd", "--ping-url", "${PING}")
    assert ' --ping-url "$${PING}" ' in done.stdout
    assert "--ping-url: the scheduled run does not have the environment variables" in done.stderr
    with job.open("a") as file:
        file.write("notify: {url: '${CHAT}/x'}\n")
    done = ninjaone("schedule", "night.yaml", "--daily", "2:00")
    assert "--notify-url: the scheduled run does not have the environment variables" in done.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ["--notify-command", "cat", "--notify-template", "gone.j2"],
            "gone.j2: cannot be read: No such file",
        ),
        (["--notify-command", "cat", "--notify-template", "bad.j2"], "bad.j2: "),
        (["--notify-url", "gone.txt"], "--notify-url: "),
        (["--ping-url", "http://example.com/x"], "--ping-url: the URL must use https://"),
    ],
)
def test_notifications_that_would_fail_are_found_before(
    ninjaone: Ninjaone, job: Path, options: list[str], says: str
) -> None:
    (job.parent / "bad.j2").write_text("{{ text")
    done = ninjaone("schedule", "night.yaml", "--daily", "2:00", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_a_list_is_scheduled_without_an_input(ninjaone: Ninjaone) -> None:
    done = ninjaone("schedule", "list_devices", "--cron", "@daily")
    assert done.returncode == 0, done.stderr
    assert " run list_devices --yes --summary list_devices.summary.json" in done.stdout


def test_steps_whose_rows_are_printed(ninjaone: Ninjaone, connection_file: Path, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(
        "connection: connection.yaml\noutput: '-'\nsteps:\n  - {name: found, action: list_devices}\n"
    )
    done = ninjaone("schedule", "job.yaml", "--cron", "@daily")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["night.yaml", "--daily", "25:00"], '--daily: "25:00" is not a time of day'),
        (["night.yaml", "--cron", "0 2 * *"], "--cron: expected five fields"),
        (["night.yaml", "--cron", "@reboot"], '--cron: "@reboot" is not a time'),
        (["night.yaml", "--daily", "2:00", "--name", "a b"], '--name: "a b" has a character other than'),
        (["night.yaml", "--daily", "2:00", "--units", ".", "--crontab"], "omit --crontab"),
        (
            ["night.yaml", "--daily", "2:00", "--units", "none"],
            "none/ninjaone-night.service: cannot be written: ",
        ),
        (["night.yaml", "--daily", "2:00", "-t", "x=1\n2"], "line break"),
        (["night.yaml", "--daily", "2:00", "--var", "a=" + "x" * 999], "too long for a crontab"),
        (["no.yaml", "--daily", "2:00"], "no.yaml: "),
        (["update_device", "--daily", "2:00"], "reads rows from standard input"),
        (["list_devices", "-i", "-", "--daily", "2:00"], "reads rows from standard input"),
        (["update_devise", "--daily", "2:00"], 'no action "update_devise"'),
    ],
)
def test_what_cannot_be_scheduled(ninjaone: Ninjaone, job: Path, arguments: list[str], message: str) -> None:
    if "-t" in arguments:
        arguments = [argument.replace("x=", "organization_id=") for argument in arguments]
    done = ninjaone("schedule", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
