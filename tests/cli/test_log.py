"""`-v`, `-vv` and `--log-file`: what an operator reads of sign-in, retry, throttling, paging and resume."""

from __future__ import annotations

import logging
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from connector.client import factory
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import HurriedClock, wait_until, write_lines

CALL = ("call", "list_devices", "-c", "connection.yaml", "--delay-ms", 0)
LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?P<level>[A-Z]+) (?P<logger>connector\.[\w.]+): (?P<text>.*)"
)


@pytest.fixture(autouse=True)
def no_waiting(connection_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "SystemClock", HurriedClock)


def records(text: str) -> list[tuple[str, str]]:
    """Level and message of every line that is one of the log's."""
    found = map(LINE.fullmatch, text.splitlines())
    return [(line["level"], line["text"]) for line in found if line]


def said(text: str, level: str, pattern: str) -> re.Match[str]:
    """The one record of this level whose message has the pattern."""
    found = [match for at, line in records(text) if at == level and (match := re.search(pattern, line))]
    assert len(found) == 1, text
    return found[0]


def test_nothing_is_printed_without_an_option(in_process: Ninjaone, sandbox: Sandbox) -> None:
    sandbox.set_faults(queue=["429", "html", "expire"])
    done = in_process(*CALL)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_connection_and_the_sign_in(in_process: Ninjaone, sandbox: Sandbox) -> None:
    first = in_process(*CALL, "-v").stderr
    host = sandbox.base_url.removeprefix("http://")
    said(first, "INFO", rf"^connection: connection\.yaml, {sandbox.base_url}$")
    said(first, "INFO", rf"^{host}: signing in at {sandbox.base_url} \(grant client_credentials, client id ")
    said(first, "INFO", rf"^{host}: signed in, expires in 3600 s, scopes: monitoring management control$")
    assert "DEBUG" not in first
    again = in_process(*CALL, "-v").stderr
    said(again, "INFO", r": using the saved access token, valid for 35\d\d s, scopes: monitoring ")
    assert "signing in" not in again


def test_a_sign_in_that_fails(in_process: Ninjaone, sandbox: Sandbox, connection_file: Path) -> None:
    text = connection_file.read_text()
    connection_file.write_text(text.replace(sandbox.client_secret, "a-wrong-secret"))
    done = in_process(*CALL, "-v")
    assert done.returncode == 2
    said(done.stderr, "WARNING", r": sign-in failed: .* 40[01] ")
    assert "a-wrong-secret" not in done.stderr


def test_a_sign_in_that_is_tried_again(in_process: Ninjaone, sandbox: Sandbox) -> None:
    sandbox.set_faults(rates={"token": 1.0})
    done = in_process(*CALL, "-v")
    assert done.returncode == 2
    said(done.stderr, "WARNING", r": signing in again in 1\.0 s, try 2 of 3$")
    said(done.stderr, "WARNING", r": signing in again in 2\.0 s, try 3 of 3$")


def test_a_token_that_is_renewed(in_process: Ninjaone, sandbox: Sandbox) -> None:
    sandbox.set_faults(queue=["expire"])
    done = in_process(*CALL, "-v")
    assert done.returncode == 0
    said(done.stderr, "INFO", r": the API refuses the access token; getting another one$")
    assert len([line for _, line in records(done.stderr) if "signed in" in line]) == 2


def test_throttling_and_other_retries(in_process: Ninjaone, sandbox: Sandbox) -> None:
    throttled = {"fault": "429", "headers": {"Retry-After": "7"}}
    sandbox.set_faults(queue=[throttled, "html"])
    done = in_process(*CALL, "-v")
    assert done.returncode == 0
    about = r", row 1: GET /v2/devices: .*; retrying in "
    said(done.stderr, "WARNING", about + r"7\.0 s \(throttled, Retry-After 7 s, try 2 of 6\)$")
    said(done.stderr, "WARNING", about + r"[12]\.\d s \(throttled, try 3 of 6\)$")
    sandbox.set_faults(queue=["503", "reset_after"])
    done = in_process(*CALL, "-v")
    assert done.returncode == 0
    said(done.stderr, "WARNING", about + r"[01]\.\d s \(server error, try 2 of 3\)$")
    said(done.stderr, "WARNING", about + r"[12]\.\d s \(response lost, try 3 of 3\)$")


def test_a_request_that_fails_for_good(in_process: Ninjaone, sandbox: Sandbox) -> None:
    done = in_process("call", "get_device", "device_id=99999", *CALL[2:], "-v")
    assert done.returncode == 1
    said(done.stderr, "INFO", r", row 1: GET /v2/device/99999: .* 404.*; failed \(not_found, not retried\)$")
    sandbox.set_faults(queue=["503"] * 3)
    done = in_process(*CALL, "-v")
    said(done.stderr, "WARNING", r"GET /v2/devices: .* 503.*; failed \(\w+, after 3 tries\)$")
    sandbox.set_faults(queue=[{"fault": "429", "headers": {"Retry-After": "900"}}])
    done = in_process(*CALL, "-v")
    said(done.stderr, "INFO", r" 429.*; failed \(rate_limited, Retry-After 900 s exceeds 300 s\)$")


def test_requests_and_pages_are_for_the_second_v(in_process: Ninjaone) -> None:
    with Sandbox(devices=1100) as many:
        settings = {f"NINJAONE_{name.upper()}": value for name, value in many.connection.items()}
        done = in_process("call", "list_devices", "-vv", **settings)
    assert done.returncode == 0
    requests = [line for level, line in records(done.stderr) if re.search(r": 200 in \d+ ms, try 1$", line)]
    pages = [
        line for level, line in records(done.stderr) if re.search(r": page \d+, \d+ items so far$", line)
    ]
    assert len(requests) == len(pages) == 2
    assert re.search(r"row 1: page 1, 1000 items so far$", pages[0])
    assert re.search(r"row 1: page 2, 10\d\d items so far$", pages[1])
    said(done.stderr, "DEBUG", r"^connected to 127\.0\.0\.1, port \d+$")


def test_a_run_from_start_to_end(in_process: Ninjaone, tmp_path: Path) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", [{"device_id": 1}, {"device_id": 99999}])
    options = ("-i", rows, "-o", "out.jsonl", "--concurrency", 2)
    done = in_process("run", "get_device", *options, *CALL[2:], "-v")
    assert done.returncode == 1
    said(
        done.stderr,
        "INFO",
        r"^get_device: run started: input .*rows\.jsonl, output out\.jsonl, connection 127\.0\.0\.1:\d+, "
        r"rows in parallel 2, delay 0 ms$",
    )
    end = r"^get_device: run finished: rows 2, failed 1 \(not_found 1\), 2 requests in \d+\.\d s$"
    said(done.stderr, "INFO", end)


def killed_run(sandbox: Sandbox, folder: Path, requests: int, *arguments: object) -> None:
    """Start a run, and kill it when the sandbox holds back the answer to its last request."""
    sandbox.set_faults(queue=[None] * (requests - 1) + ["hold"])
    command = [sys.executable, "-m", "connector", "run", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=folder, env=os.environ, stderr=subprocess.DEVNULL)
    with process:
        try:
            wait_until(lambda: len(sandbox.log.requests()) >= requests)
        finally:
            process.kill()
    sandbox.set_faults(queue=[])


def test_a_run_that_is_resumed(in_process: Ninjaone, sandbox: Sandbox, tmp_path: Path) -> None:
    rows = [{"device_id": 1, "mode": "NORMAL", "reason": f"row {n}"} for n in (1, 2, 3)]
    files = ("-i", write_lines(tmp_path / "rows.jsonl", rows), "-o", "out.jsonl", *CALL[2:])
    killed_run(sandbox, tmp_path, 2, "reboot_device", "--yes", *files)
    done = in_process("run", "reboot_device", "--yes", *files, "--resume", "-v")
    assert done.returncode == 1
    said(done.stderr, "INFO", r"^out\.jsonl: resuming; rows done: up to 1, rows in progress .*: 1$")
    said(done.stderr, "INFO", r"run started: .*, resumed after 1 row")
    about = r", row 2: POST /v2/device/1/reboot/NORMAL: "
    said(done.stderr, "WARNING", about + r"not sent again \(outcome_unknown\)$")


def test_a_resumed_row_that_goes_on_where_it_was(
    in_process: Ninjaone, sandbox: Sandbox, tmp_path: Path
) -> None:
    rows = [{"name": "Willow", "fields": {"contractEnd": "2027-01-02"}}]
    files = ("-i", write_lines(tmp_path / "rows.jsonl", rows), "-o", "out.jsonl", *CALL[2:])
    killed_run(sandbox, tmp_path, 3, "create_organization", *files)
    done = in_process("run", "create_organization", *files, "--resume", "-v")
    assert done.returncode == 0
    about = r", row 1: POST /v2/organizations: "
    said(
        done.stderr, "WARNING", about + r"not sent again, because the interrupted run received its response$"
    )


def test_the_log_file_has_all_that_vv_shows_and_is_appended_to(in_process: Ninjaone, tmp_path: Path) -> None:
    for _ in range(2):
        done = in_process(*CALL, "--log-file", "op.log")
        assert (done.returncode, done.stderr) == (0, "")
    kept = tmp_path / "op.log"
    lines = kept.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(records("\n".join(lines)))
    assert len([line for _, line in records("\n".join(lines)) if line.endswith("call started")]) == 2
    assert any(level == "DEBUG" for level, _ in records("\n".join(lines)))
    if os.name == "posix":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    in_process(*CALL, "--log-file", "op.log", "-v")
    assert kept.read_text(encoding="utf-8").count("DEBUG connector.client.client") == 3


def test_the_log_file_says_why_a_command_ended(in_process: Ninjaone, tmp_path: Path) -> None:
    done = in_process("call", "list_device", *CALL[2:], "--log-file", "op.log")
    assert done.returncode == 2
    said(
        (tmp_path / "op.log").read_text(encoding="utf-8"),
        "DEBUG",
        r'^call ended: \w+: no action "list_device"',
    )


def test_a_log_file_that_cannot_be_written(in_process: Ninjaone, sandbox: Sandbox) -> None:
    done = in_process(*CALL, "--log-file", "missing/op.log")
    assert done.returncode == 2
    assert "missing/op.log: the log file cannot be written: No such file or directory" in done.stderr
    assert sandbox.log.requests() == []


@pytest.mark.parametrize(
    "command", [("connection", "test"), ("actions",), ("catalog", "check"), ("preview",)]
)
def test_every_command_has_the_options(in_process: Ninjaone, command: tuple[str, ...]) -> None:
    shown = " ".join(in_process(*command, "--help").stdout.split())
    assert "-v, --verbose log sign-ins, retries and waits on standard error" in shown
    assert "--log-file FILE append the log to FILE" in shown


def test_the_log_of_a_connections_test(in_process: Ninjaone) -> None:
    done = in_process("connection", "test", "-c", "connection.yaml", "-v")
    said(done.stderr, "INFO", r": signed in, expires in 3600 s, ")


def test_log_lines_stand_above_the_bar(connection_file: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    terminal = pytest.importorskip("tests.cli.test_in_a_terminal")
    rows = [{"device_id": n, "mode": "NORMAL"} for n in range(1, 9)]
    rows_file = write_lines(tmp_path / "rows.jsonl", rows)
    run = terminal.InTerminal(
        200, "run", "reboot_device", "--yes", "-c", connection_file, "-i", rows_file,
        "-o", tmp_path / "out.jsonl", "--delay-ms", "100", "-vv",
    )  # fmt: skip
    lines = run.end()
    assert run.process.returncode == 0
    assert re.search(r"[1-8]/8 rows", run.text)  # there was a bar
    log = [line for line in lines if LINE.fullmatch(line)]
    assert len(records("\n".join(log))) > 8
    left = [line for line in lines if line not in log]
    assert left[0].startswith("reboot_device: 8 rows, 8 accepted, 0 failed, in ")
    assert left[1:] == [
        "  accepted: NinjaOne has queued the work; it may not be done yet",
        f"envelopes: {tmp_path / 'out.jsonl'}",
        "",
    ]


def test_who_embeds_the_package_is_shown_nothing(tmp_path: Path, connection_file: Path) -> None:
    code = (
        "import logging, connector; logging.getLogger('connector.client.client').error('x');"
        "print(logging.getLogger('connector').handlers)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[<NullHandler (NOTSET)>]\n", "")


def test_no_handler_outlives_its_command(in_process: Ninjaone, tmp_path: Path) -> None:
    logger = logging.getLogger("connector")
    before = (logger.level, list(logger.handlers))
    in_process(*CALL, "-vv", "--log-file", "op.log")
    assert (logger.level, list(logger.handlers)) == before
