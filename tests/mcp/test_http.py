"""Streamable HTTP: five calls in both eras, keys and their rights, and who is refused."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connector.callers.keys import Keys, Rights
from connector.cli.main import main
from connector.http.messages import Response
from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import reply, wait_until
from tests.loopback import PATIENCE_S
from tests.mcp.conftest import Counting, Serve
from tests.mcp.talk import ERAS, talk, yes
from tests.mcp.test_stdio import COMMAND

REBOOT = {"device_id": 1, "mode": "NORMAL"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@contextmanager
def listening(server: Any, *, requires_key: bool = False) -> Iterator[str]:
    """Serve over HTTP in this process, and yield the URL."""
    from connector.mcp.http import HttpServer, application
    from connector.mcp.settings import Settings

    served = HttpServer(application(server, Settings(requires_key=requires_key), Keys()), "127.0.0.1", 0)
    thread = threading.Thread(target=served.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.port}/mcp"
    finally:
        served.stop()
        thread.join(PATIENCE_S)


def status(url: str, message: Any = INITIALIZE, **headers: str) -> tuple[int, str]:
    """Send a message, and return the status of the response and its text."""
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=PATIENCE_S)
    sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", f"/{path}", json.dumps(message), {**sent, **named})
    response = connection.getresponse()
    found = response.status, response.read().decode()
    connection.close()
    return found


@pytest.mark.parametrize("era", ERAS)
def test_five_calls_with_a_key(connected: Serve, sandbox: Sandbox, era: str) -> None:
    secret = Keys().add("assistant", Rights(effects=("read", "write", "destructive")), "2026-11-29")
    person = yes()
    with listening(connected(http=True)) as url, talk(url, era, person, key=secret) as server:
        assert len(server.tools()) == 5
        assert server.call("search_actions", words="reboot").data["found"] >= 1
        preview = server.call("preview_action", action="reboot_device", inputs=REBOOT)
        assert preview.data["method"] == "POST"
        assert server.call("call_read_action", action="get_device", inputs={"device_id": 1}).is_error is False
        change = {"device_id": 1, "display_name": "renamed"}
        assert server.call("call_action", action="update_device", inputs=change).is_error is False
        assert server.call("call_action", action="reboot_device", inputs=REBOOT).is_error is False
    assert len(person.asked) == 1
    assert [request["method"] for request in sandbox.log.requests()] == ["GET", "PATCH", "POST"]


@pytest.mark.parametrize("era", ERAS)
def test_a_key_calls_what_it_has_a_right_to(connected: Serve, sandbox: Sandbox, era: str) -> None:
    secret = Keys().add("reader", Rights(effects=("read",), actions=("get_*", "update_*")), "2026-11-29")
    person = yes()
    with listening(connected(http=True)) as url, talk(url, era, person, key=secret) as server:
        assert server.call("call_read_action", action="get_device", inputs={"device_id": 1}).is_error is False
        change = {"device_id": 1, "display_name": "renamed"}
        for tool in ("call_action", "preview_action"):
            error = server.call(tool, action="update_device", inputs=change).error
            assert 'has the effect "write", for which the key "reader" has no right' in error
        refused = server.call("call_read_action", action="list_devices").error
        assert 'the key "reader" has no right to call list_devices' in refused
        refused = server.call("call_action", action="reboot_device", inputs=REBOOT).error
        assert "has no right" in refused
    assert person.asked == []
    assert [request["method"] for request in sandbox.log.requests()] == ["GET"]


@pytest.mark.parametrize("era", ERAS)
def test_without_keys_this_machine_can_read_and_write_but_not_destroy(
    connected: Serve, sandbox: Sandbox, era: str
) -> None:
    person = yes()
    with (
        listening(connected(http=True, allow_destructive=True)) as url,
        talk(url, era, person) as server,
    ):
        assert server.call("call_read_action", action="get_device", inputs={"device_id": 1}).is_error is False
        error = server.call("call_action", action="reboot_device", inputs=REBOOT).error
        assert "for which a request without a key has no right" in error
    assert [request["method"] for request in sandbox.log.requests()] == ["GET"]


def test_requests_of_pages_and_without_a_valid_key_are_refused(connected: Serve, sandbox: Sandbox) -> None:
    keys = Keys()
    with listening(connected(http=True)) as url:
        assert status(url)[0] == 200
        assert status(url, Host="attacker.example")[0] == 403
        assert status(url, Origin="https://attacker.example")[0] == 403
        assert status(url, Content_Type="text/plain")[0] in (400, 415)
        assert status(url, Authorization="Bearer nck_wrong")[0] == 401
        secret = keys.add("later", Rights(), "2026-11-29")
        code, text = status(url)
        assert (code, "send a key" in text) == (401, True)
        assert status(url, Authorization=f"Bearer {secret}")[0] == 200
        assert status(url, X_API_Key=secret, Host="mcp.example.com")[0] == 200
        keys.remove("later")
        assert status(url, Authorization=f"Bearer {secret}")[0] == 401
        keys.path.write_text("{")
        code, text = status(url)
        assert (code, "keys cannot be read" in text) == (500, True)
    with listening(connected(http=True), requires_key=True) as url:
        keys.path.unlink()
        assert status(url)[0] == 401
    assert sandbox.log.requests() == []


def test_an_answer_of_one_key_is_not_that_of_another(connected: Serve, sandbox: Sandbox) -> None:
    from mcp.shared.exceptions import MCPError
    from mcp_types import ElicitResult

    rights = Rights(effects=("read", "write", "destructive"))
    one, other = (Keys().add(name, rights, "2026-11-29") for name in ("one", "other"))
    arguments = {"action": "reboot_device", "inputs": REBOOT}
    answers = {"confirmation": ElicitResult(action="accept", content={"confirm": True})}
    with listening(connected(http=True)) as url:
        with talk(url, "2026-07-28", yes(), key=one) as server:
            call = server.client.session.call_tool
            state = server.wait(call, "call_action", arguments, allow_input_required=True).request_state
        with talk(url, "2026-07-28", yes(), key=other) as server:
            call, more = server.client.session.call_tool, {"input_responses": answers, "request_state": state}
            with pytest.raises(MCPError, match="requestState"):
                server.wait(call, "call_action", arguments, **more)
    assert sandbox.log.requests() == []


def test_the_real_command_serves_until_it_is_stopped(connection_file: Path) -> None:
    command = [*COMMAND, "--connection", str(connection_file), "--http", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "There are no keys" in process.stderr.readline()
        line = process.stderr.readline()
        url = line.split("serving on ")[1].split(". ")[0]
        with talk(url) as server:
            assert server.call("call_read_action", action="get_device", inputs={"device_id": 1}).data[
                "result"
            ]
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


def test_a_server_that_stops_sends_the_result_of_the_call_in_progress(
    counted: tuple[Serve, Counting],
) -> None:
    serve, transport = counted
    began, released = threading.Event(), threading.Event()

    def answer(*_: object) -> Response:
        began.set()
        assert released.wait(PATIENCE_S)
        return reply({})

    transport.answers.append(answer)
    server, change = serve(http=True), {"device_id": 1, "display_name": "x"}
    with listening(server) as url, talk(url, "2025-11-25") as client:
        arguments = {"action": "update_device", "inputs": change}
        call = client.portal.start_task_soon(client.client.call_tool, "call_action", arguments)
        assert began.wait(PATIENCE_S)
        closer = threading.Thread(target=server.finish_calls)
        closer.start()
        wait_until(server._actions._is_stopping.is_set)
        refused = client.call("call_action", action="update_device", inputs=change).error
        assert refused == "the server is stopping; nothing was sent"
        assert closer.is_alive()
        released.set()
        assert call.result(PATIENCE_S).is_error is False
        closer.join(PATIENCE_S)
    assert [method for method, _, _ in transport.sent] == ["PATCH"]


def test_the_command_finishes_calls_before_it_stops_the_http_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The HTTP server waits for responses for a few seconds only, and a call can take longer."""
    from connector.mcp.http import HttpServer
    from connector.mcp.server import McpServer

    order: list[str] = []
    monkeypatch.setattr(HttpServer, "run", lambda server: (order.append("run"), server._socket.close()))
    monkeypatch.setattr(McpServer, "finish_calls", lambda _: order.append("finish calls"))
    monkeypatch.setattr(HttpServer, "stop", lambda _: order.append("stop"))
    assert main(["mcp", "--http", "--port", "0", "--tools", "get_device"]) == 3
    assert order == ["run", "finish calls", "stop"]
    assert "the server has ended because of an error" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("mcp --http", "127.0.0.1:{port}: cannot be used"),
        ("mcp --http --host ::1", "[::1]:{port}: cannot be used"),
        ("serve --host ::1", "[::1]:{port}: cannot be used"),
        ("serve --host a..b", "requires keys"),
        ("sandbox", "the sandbox cannot start"),
        ("catalog serve --no-browser", "the catalog cannot be served on port {port}"),
    ],
)
def test_an_address_that_is_taken_or_not_valid_is_an_error_of_the_command(
    command: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    host, family = ("::1", socket.AF_INET6) if "::1" in command else ("127.0.0.1", socket.AF_INET)
    try:
        taken = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with taken:
        port = taken.getsockname()[1]
        assert main([*command.split(), "--port", str(port)]) == 2
    assert said.format(port=port) in capsys.readouterr().err


def test_another_address_requires_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mcp", "--http", "--host", "0.0.0.0"]) == 2
    assert "listening on 0.0.0.0 requires keys" in capsys.readouterr().err
