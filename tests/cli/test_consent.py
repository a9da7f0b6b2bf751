"""Destructive actions ask for confirmation, on a terminal only; and `--read-only` on the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.cli.terminal import on_terminal
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process


if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

CALL = ("call", "reboot_device", "device_id=1", "mode=NORMAL", "-c", "connection.yaml", "--delay-ms", "0")
RUN = (
    "run",
    "reboot_device",
    "-c",
    "connection.yaml",
    "-i",
    "rows.jsonl",
    "-o",
    "out.jsonl",
    "--delay-ms",
    "0",
)
QUESTION = "Continue? [y/N]: "


@pytest.fixture(autouse=True)
def rows(connection_file: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": n, "mode": "NORMAL"} for n in (1, 2, 999)])


def heard(sandbox: Sandbox) -> list[Any]:
    """Everything that arrived, sign-ins among it."""
    return [*sandbox.log.requests(), *sandbox.log.signins()]


def reboots(sandbox: Sandbox) -> int:
    return len([r for r in sandbox.log.requests() if r["method"] == "POST"])


@pytest.mark.parametrize("response", ["y", "yes", "YES"])
def test_a_yes_goes_on(sandbox: Sandbox, tmp_path: Path, response: str) -> None:
    exit_code, screen = on_terminal(RUN, [(QUESTION, response)], tmp_path)
    assert exit_code == 1, screen
    assert reboots(sandbox) == 3
    host = sandbox.base_url.removeprefix("http://")
    assert "  reboot_device: Reboot Device. " in screen
    assert f"    connection: {host}\r\n" in screen
    assert "    rows: 3 of rows.jsonl\r\n" in screen


def test_every_tenant_that_rows_may_name_is_shown(sandbox: Sandbox, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": 1, "mode": "NORMAL", "of": "one.yaml"}])
    with Sandbox() as other:
        for name, instance in (("one.yaml", sandbox), ("other.yaml", other)):
            settings = "".join(f"{key}: {value}\n" for key, value in instance.connection.items())
            (tmp_path / name).write_text(settings)
        tenants = ("-c", "{{ of }}", "--allow-connections", "one.yaml,other.yaml")
        exit_code, screen = on_terminal((*RUN[:2], *RUN[4:], *tenants), [(QUESTION, "n")], tmp_path)
        assert exit_code == 2, screen
        hosts = [instance.base_url.removeprefix("http://") for instance in (sandbox, other)]
        assert f"    connection: one.yaml ({hosts[0]}), other.yaml ({hosts[1]})\r\n" in screen
        assert heard(sandbox) == heard(other) == []


RARE = [pytest.param(response, marks=pytest.mark.slow) for response in ("n", "ja", "yes please")]


@pytest.mark.parametrize("response", ["", "\x04", *RARE])
def test_any_other_answer_sends_nothing(sandbox: Sandbox, tmp_path: Path, response: str) -> None:
    for arguments in (RUN, CALL):
        exit_code, screen = on_terminal(arguments, [(QUESTION, response)], tmp_path)
        assert exit_code == 2, screen
    assert not reboots(sandbox)
    assert not list(tmp_path.glob("out*"))


def test_a_call_asks_and_names_the_saved_connection(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    settings = ("--base-url", sandbox.base_url, "--client-id", sandbox.client_id, "--no-test")
    added = ninjaone("connection", "add", "acme", *settings, "--secret-stdin", stdin=sandbox.client_secret)
    assert added.returncode == 0, added.stderr
    arguments = [a.replace("connection.yaml", "acme") for a in CALL]
    exit_code, screen = on_terminal(arguments, [(QUESTION, "y")], tmp_path)
    assert exit_code == 0, screen
    assert f"    connection: acme ({sandbox.base_url.removeprefix('http://')})\r\n" in screen
    assert "    rows: the input values of this call\r\n" in screen


@pytest.mark.parametrize("arguments", [RUN, CALL, (*RUN, "--json")])
def test_without_a_terminal_it_is_a_fault(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = ninjaone(*arguments, stdin="y\n")
    assert done.returncode == 2
    assert done.stderr.startswith("ninjaone: reboot_device: destructive; check the requests")
    assert "This requires --yes" in done.stderr
    assert heard(sandbox) == []
    assert not list(tmp_path.glob("out*"))
    assert ninjaone(*arguments, "--yes").returncode in (0, 1)
    assert reboots(sandbox) > 0


def test_a_program_is_not_asked_even_on_a_terminal(sandbox: Sandbox, tmp_path: Path) -> None:
    exit_code, screen = on_terminal((*RUN, "--json"), [], tmp_path)
    assert exit_code == 2
    assert "--json does not prompt" in screen
    assert heard(sandbox) == []


def test_nobody_is_asked_on_what_has_the_rows(sandbox: Sandbox, tmp_path: Path) -> None:
    arguments = ("run", "reboot_device", "-c", "connection.yaml", "-i", "-")
    exit_code, screen = on_terminal(arguments, [], tmp_path)
    assert exit_code == 2
    assert "standard input contains the rows" in screen
    assert heard(sandbox) == []


@pytest.mark.parametrize("action", ["get_device", "cancel_maintenance"])
def test_nothing_else_asks(ninjaone: Ninjaone, tmp_path: Path, action: str) -> None:
    done = ninjaone("call", action, "device_id=1", "-c", "connection.yaml")
    assert done.returncode == 0, done.stderr


def test_every_tenant_that_rows_may_name_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    other = sandbox.base_url.replace("127.0.0.1", "localhost")
    text = (tmp_path / "connection.yaml").read_text()
    (tmp_path / "other.yaml").write_text(text.replace(sandbox.base_url, other))
    allowed = ("-c", "{{ c }}", "--allow-connections", "other.yaml,connection.yaml")
    exit_code, screen = on_terminal((*RUN, *allowed), [(QUESTION, "n")], tmp_path)
    assert exit_code == 2, screen
    first, second = (url.removeprefix("http://") for url in (sandbox.base_url, other))
    assert f"    connection: connection.yaml ({first}), other.yaml ({second})\r\n" in screen
    assert heard(sandbox) == []


REBOOTS = """\
connection: connection.yaml
input: rows.jsonl
output: out
delay_ms: 0
steps:
  - {name: found, action: get_device, templates: {device_id: '{{ device_id }}'}}
  - {name: first, action: reboot_device, input: {step: found}}
  - name: second
    action: reboot_device
    input: {step: first, only: '{{ device_id == 1 }}'}
"""
ASKED = (
    'reboot_device on 2 devices: {}, {}, then reboot_device on the results of the step "first". '
    "Continue? [y/N]: "
)


@pytest.fixture
def reboot_job(tmp_path: Path) -> None:
    """A job that reads devices and reboots two of them."""
    (tmp_path / "job.yaml").write_text(REBOOTS)


def test_a_job_reads_and_then_asks_about_its_changes(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, reboot_job: None
) -> None:
    exit_code, screen = on_terminal(("run", "job.yaml"), [(QUESTION, "n")], tmp_path)
    assert exit_code == 3, screen
    devices = [json.loads(line)["result"] for line in (tmp_path / "out/found.jsonl").read_text().splitlines()]
    question = ASKED.format(*(device["displayName"] for device in devices[:2]))
    assert question in screen
    assert "  first (reboot_device), destructive: Reboot Device. " in screen
    assert f"    connection: {sandbox.base_url.removeprefix('http://')}\r\n" in screen
    assert "not confirmed; nothing was changed. Use --resume to continue after the reads" in screen
    assert (len(sandbox.log.requests()), reboots(sandbox)) == (3, 0)

    assert ninjaone("run", "job.yaml", "--resume").returncode == 2
    exit_code, screen = on_terminal(("run", "job.yaml", "--resume"), [(question, "y")], tmp_path)
    assert exit_code == 1, screen
    assert (len(sandbox.log.requests()), reboots(sandbox)) == (6, 3)


def test_a_job_without_rows_to_change_does_not_ask(
    sandbox: Sandbox, tmp_path: Path, reboot_job: None
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": 999, "mode": "NORMAL"}])
    exit_code, screen = on_terminal(("run", "job.yaml"), [], tmp_path)
    assert (exit_code, QUESTION in screen) == (1, False), screen


def test_an_unexpected_number_of_rows_is_not_asked_about(tmp_path: Path, reboot_job: None) -> None:
    exit_code, screen = on_terminal(("run", "job.yaml", "--max-rows", "1"), [], tmp_path)
    assert (exit_code, QUESTION in screen) == (2, False), screen
    assert 'step "first": got 2 rows, expected at most 1. No row was run' in screen


def test_a_rerun_asks_for_its_own_rows_and_a_resumed_run_asks_again(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    stopped = ninjaone(*RUN, "--yes", "--max-errors", "0", "--restart")
    assert stopped.returncode == 1, stopped.stderr
    done = ninjaone("rerun", "out.jsonl")
    assert (done.returncode, "This requires --yes" in done.stderr) == (2, True)
    exit_code, screen = on_terminal(("rerun", "out.jsonl"), [(QUESTION, "y")], tmp_path)
    assert exit_code == 1, screen
    assert f"    rows: 1 of {tmp_path / 'rows.jsonl'} that failed\r\n" in screen

    write_lines(tmp_path / "rows.jsonl", [{"device_id": n, "mode": "NORMAL"} for n in (1, 999, 2)])
    run = [*RUN, "--max-errors", "0"]
    assert ninjaone(*run, "--yes", "--restart").returncode == 3
    sent = reboots(sandbox)
    assert ninjaone(*run, "--resume").returncode == 2
    exit_code, screen = on_terminal((*run, "--resume"), [(QUESTION, "y")], tmp_path)
    assert exit_code == 1, screen
    assert "Rows that are finished are not run again." in screen
    assert reboots(sandbox) == sent + 1


# --- disruptive --------------------------------------------------------------------------------------------

CANCEL = tuple("cancel_maintenance" if one == "reboot_device" else one for one in RUN)


def test_several_rows_of_what_is_disruptive_ask_on_a_terminal(sandbox: Sandbox, tmp_path: Path) -> None:
    exit_code, screen = on_terminal(CANCEL, [(QUESTION, "n")], tmp_path)
    assert exit_code == 2, screen
    assert "This is disruptive:\r\n  cancel_maintenance: " in screen
    assert "    rows: 3 of rows.jsonl\r\n" in screen
    assert heard(sandbox) == []
    exit_code, screen = on_terminal((*CANCEL, "--limit", "1"), [], tmp_path)
    assert exit_code == 0, screen


def test_what_is_disruptive_runs_without_a_terminal(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    done = ninjaone(*CANCEL)
    assert done.returncode == 1, done.stderr
    assert len(sandbox.log.requests()) == 3
    assert "disruptive" not in done.stderr


# --- read-only ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [(*RUN, "--yes"), (*CALL, "--yes"), ("preview", *RUN[1:6])])
def test_read_only_refuses_before_anything_is_sent(
    ninjaone: Ninjaone, sandbox: Sandbox, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    by_option = ninjaone(*arguments, "--read-only")
    by_environment = ninjaone(*arguments, NINJAONE_READ_ONLY="true")
    with (tmp_path / "connection.yaml").open("a") as file:
        file.write("read_only: true\n")
    by_connection = ninjaone(*arguments)
    not_undone = ninjaone(*arguments, NINJAONE_READ_ONLY="false")
    for done, who in (
        (by_option, "the run is read-only"),
        (by_environment, "the connection is read-only (connection.yaml, by NINJAONE_READ_ONLY)"),
        (by_connection, "the connection is read-only (connection.yaml)"),
        (not_undone, "the connection is read-only (connection.yaml)"),
    ):
        assert (done.returncode, done.stdout) == (2, "")
        assert f'reboot_device has the effect "destructive", but {who}; nothing was sent' in done.stderr
    assert heard(sandbox) == []
    assert ninjaone("call", "get_device", "device_id=1", "-c", "connection.yaml").returncode == 0


def test_a_saved_connection_is_made_read_only(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    settings = ("--base-url", sandbox.base_url, "--client-id", sandbox.client_id, "--no-test")
    added = ninjaone(
        "connection", "add", "acme", *settings, "--read-only", "--secret-stdin", stdin=sandbox.client_secret
    )
    assert added.returncode == 0, added.stderr
    assert "read_only          true\n" in ninjaone("connection", "show", "acme").stdout
    write = ("call", "cancel_maintenance", "device_id=1")
    assert ninjaone(*write).returncode == 2
    assert not sandbox.log.requests()
    assert ninjaone("connection", "edit", "acme", "--no-read-only", "--no-test").returncode == 0
    assert ninjaone(*write).returncode == 0


def test_a_rerun_is_held_to_it_too(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    assert ninjaone(*RUN, "--yes").returncode == 1
    sent = reboots(sandbox)
    done = ninjaone("rerun", "out.jsonl", "--yes", "--read-only")
    assert (done.returncode, "the run is read-only" in done.stderr) == (2, True)
    assert reboots(sandbox) == sent


def test_the_environments_own_connection_is_read_only(ninjaone: Ninjaone, sandbox: Sandbox) -> None:
    environment = {f"NINJAONE_{name.upper()}": value for name, value in sandbox.connection.items()}
    refused = ninjaone("call", "cancel_maintenance", "device_id=1", **environment, NINJAONE_READ_ONLY="yes")
    assert (refused.returncode, "read-only" in refused.stderr) == (2, True)
    unclear = ninjaone("call", "get_device", "device_id=1", **environment, NINJAONE_READ_ONLY="of course")
    assert (unclear.returncode, "is neither true nor false" in unclear.stderr) == (2, True)
    assert not sandbox.log.requests()
