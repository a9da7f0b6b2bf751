"""The real command over standard input and output, with the SDK's client, and byte by byte."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connector.cli.main import main
from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import make_unwritable, wait_until
from tests.loopback import PATIENCE_S
from tests.mcp.talk import ERAS, talk, yes

COMMAND = (sys.executable, "-m", "connector", "mcp", "--delay-ms", "0")

ABOUT = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}


@pytest.mark.parametrize("era", ERAS)
def test_five_calls_of_the_real_command(
    sandbox: Sandbox, connection_file: Path, own_state: Path, era: str
) -> None:
    from mcp import StdioServerParameters

    program, *arguments = (*COMMAND, "--connection", str(connection_file))
    folders = {"XDG_CACHE_HOME": str(own_state), "XDG_CONFIG_HOME": str(own_state / "config")}
    process = StdioServerParameters(command=program, args=arguments, env=folders)
    person = yes()
    with talk(process, era, person) as server:
        assert len(server.tools()) == 5
        found = server.call("search_actions", words="reboot device").data["actions"]
        assert "reboot_device" in [one["name"] for one in found]
        inputs = {"device_id": 1, "mode": "NORMAL"}
        assert server.call("preview_action", action="reboot_device", inputs=inputs).data["method"] == "POST"
        assert server.call("call_read_action", action="get_device", inputs={"device_id": 1}).is_error is False
        change = {"device_id": 1, "display_name": "renamed"}
        assert server.call("call_action", action="update_device", inputs=change).is_error is False
        assert server.call("call_action", action="reboot_device", inputs=inputs).is_error is False
    assert len(person.asked) == 1
    methods = [request["method"] for request in sandbox.log.requests()]
    assert methods == ["GET", "PATCH", "POST"]


def test_standard_output_has_messages_of_the_protocol_only(connection_file: Path, tmp_path: Path) -> None:
    """Also with the most detailed log; and the command ends with 0 when the client closes standard input."""
    call = {"name": "call_read_action", "arguments": {"action": "get_device", "inputs": {"device_id": 1}}}
    messages = [
        message("initialize", 1, ABOUT),
        message("notifications/initialized"),
        "this is no message",
        message("tools/call", 2, call),
    ]
    log = tmp_path / "log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [*COMMAND, "--connection", str(connection_file), "-vv"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(line + "\n" for line in messages))
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline())]
        while answers[-1].get("id") != 2:
            answers.append(json.loads(process.stdout.readline()))
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0
        assert process.stdout.read() == ""
    assert answers[-1]["result"]["structuredContent"]["result"]["id"] == 1
    assert answers[0]["result"]["serverInfo"]["name"] == "ninjaone-connector"
    assert "call_read_action" in answers[0]["result"]["instructions"]
    assert "get_device: succeeded" in log.read_text()


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(other, marks=pytest.mark.slow) for other in (None, signal.SIGINT))],
    ids=str,
)
def test_the_command_ends_after_the_result_of_the_call_in_progress(
    tmp_path: Path, number: int | None
) -> None:
    """By a signal, and when the client closes standard input."""
    audit = tmp_path / "audit.jsonl"
    with Sandbox(latency_ms=700) as sandbox, calling(tmp_path, sandbox, audit) as process:
        if number is None:
            assert process.stdin is not None
            process.stdin.close()
        else:
            process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0
        assert process.stdout is not None
        assert process.stderr is not None
        *_, last = map(json.loads, process.stdout)
        assert ("stopping after the calls in progress" in process.stderr.read()) == (number is not None)
    assert last["id"] == 2
    assert last["result"]["structuredContent"]["meta"]["status"] == 204
    assert json.loads(audit.read_text())["status"] == 204


@pytest.mark.slow
def test_a_signal_ends_the_command_also_if_the_audit_log_cannot_be_written(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    with Sandbox() as sandbox:
        sandbox.before_response(lambda _: make_unwritable(audit))
        with calling(tmp_path, sandbox, audit) as process:
            process.send_signal(signal.SIGTERM)
            try:
                assert process.wait(PATIENCE_S) == 3
            finally:
                process.kill()
            assert process.stderr is not None
            assert "ninjaone: stopped: " in process.stderr.read()


@pytest.mark.slow
@pytest.mark.parametrize("failing", ["stdio._Pending.note_sent", "server.McpServer.close"])
def test_a_bug_ends_the_command_while_standard_input_is_open(failing: str) -> None:
    program = (
        "import sys\nfrom connector.cli import main\nfrom connector.mcp import server, stdio\n"
        "def fail(*given): raise ValueError('a bug')\n"
        f"{failing} = fail\n"
        "sys.exit(main.main(['mcp', '--tools', 'get_device']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(message("initialize", 1, ABOUT) + "\n")
        process.stdin.flush()
        if failing.endswith("close"):
            assert "ninjaone-connector" in process.stdout.readline()
            process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(PATIENCE_S) == 4
        finally:
            process.kill()
        assert "this is a bug in the connector" in process.stderr.read()


@contextmanager
def calling(folder: Path, sandbox: Sandbox, audit: Path) -> Iterator[subprocess.Popen[str]]:
    """Context with the command, which has sent the request of a call; the call has the id 2."""
    connection = folder / "slow.yaml"
    connection.write_text("".join(f"{name}: {value}\n" for name, value in sandbox.connection.items()))
    command = [*COMMAND, "--connection", str(connection), "--audit", str(audit)]
    inputs = {"action": "update_device", "inputs": {"device_id": 1, "display_name": "renamed"}}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        for line in (
            message("initialize", 1, ABOUT),
            message("notifications/initialized"),
            message("tools/call", 2, {"name": "call_action", "arguments": inputs}),
        ):
            process.stdin.write(line + "\n")
        process.stdin.flush()
        wait_until(lambda: bool(sandbox.log.requests()))
        yield process


def message(method: str, id: int | None = None, params: Mapping[str, Any] | None = None) -> str:
    said = {"jsonrpc": "2.0", "method": method, "params": params or {}}
    return json.dumps(said if id is None else {**said, "id": id})


def test_wrong_options_end_the_command_before_the_protocol(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["mcp", "--tools", "list_devises"]) == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    assert 'no action "list_devises" (did you mean "list_devices"?)' in printed.err


def test_without_the_sdk_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith(("connector.mcp", "mcp"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setitem(sys.modules, "mcp_types", None)
    assert main(["mcp"]) == 2
    assert "install ninjaone-connector[mcp]" in capfd.readouterr().err
