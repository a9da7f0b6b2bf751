"""Turns: how many requests run at the same time, and how long others wait."""

from __future__ import annotations

import socket
import threading
from contextlib import nullcontext
from pathlib import Path

import pytest

from connector.callers.problems import ProblemError
from connector.catalog.catalog import Catalog
from connector.errors import RunError, RunStoppedError
from connector.sandbox.ninjaone.server import Sandbox
from connector.serve import call_view
from connector.serve.server import listen
from connector.serve.turns import Turns
from tests.fakes import make_unwritable, wait_until
from tests.loopback import PATIENCE_S
from tests.serve.web import Web, problem


def test_a_request_without_a_turn_is_told_when_to_come_again() -> None:
    turns = Turns(0.01, running=1, most=2)
    with turns.turn("acme"):
        with pytest.raises(ProblemError) as error, turns.turn("acme"):
            pass
        assert error.value.status == 429
        assert "nothing was sent" in str(error.value)
        assert error.value.headers == {"Retry-After": "1"}
        with turns.turn("globex"), pytest.raises(ProblemError, match="too many"), turns.turn("initech"):
            pass
    with turns.turn("acme"):
        pass


def test_a_request_waits_for_its_turn() -> None:
    turns, order = Turns(30, running=1), []

    def wait() -> None:
        with turns.turn("acme"):
            order.append("second")

    with turns.turn("acme"):
        second = threading.Thread(target=wait)
        second.start()
        order.append("first")
    second.join(PATIENCE_S)
    assert order == ["first", "second"]


def test_a_server_that_stops_finishes_the_row_in_progress_and_starts_no_other(
    web: Web, shared_sandbox: Sandbox
) -> None:
    shared_sandbox.set_faults(queue=["hold"])
    body, lines, errors = '{"device_id": 1}\n{"device_id": 2}\n', list[bytes](), list[Exception]()

    def read() -> None:
        headers = {"Authorization": f"Bearer {web.key}", "Content-Type": "application/x-ndjson"}
        response = web.client.post("/actions/get_device", data=body, headers=headers)
        try:
            lines.extend(response.response)
        except Exception as error:
            errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    wait_until(lambda: len(shared_sandbox.log.requests()) == 1)
    closer = threading.Thread(target=web.app.close)
    closer.start()
    wait_until(web.app._calls._stop.is_set)
    refused = web.post("/actions/get_device", {"device_id": 1})
    assert "stopping" in problem(refused, 503)
    assert closer.is_alive()  # it waits for the row in progress
    shared_sandbox.set_faults(queue=[])
    for thread in (reader, closer):
        thread.join(PATIENCE_S)
    assert len(lines) == 1
    assert [str(error) for error in errors] == ["the server is stopping; the remaining rows were not run"]
    assert len(shared_sandbox.log.requests()) == 1


@pytest.mark.parametrize("stage", ["turn", "session", "row"])
def test_a_request_that_waited_while_the_server_stopped_was_not_sent(
    web: Web, shared_sandbox: Sandbox, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops while the request waits for its turn, before the session is used, or before the row."""
    calls = web.app._calls

    def stop(*_: object) -> bool:
        calls._stop.set()
        if stage != "turn":
            calls._sessions.close()
        return False

    if stage == "turn":
        monkeypatch.setattr(calls._turns, "turn", lambda _: nullcontext(stop()))
    elif stage == "row":
        original = call_view.open_invoker
        monkeypatch.setattr(call_view, "open_invoker", lambda *of: (original(*of), stop())[0])
    refused = web.client.post(
        "/actions/create_tag",
        data='{"name": "never"}',
        headers={"Authorization": f"Bearer {web.key}"},
        content_type="application/x-ndjson" if stage == "turn" else "application/json",
        environ_overrides={"waitress.client_disconnected": stop} if stage == "session" else {},
    )
    assert problem(refused, 503) == "the server is stopping; nothing was sent"
    assert refused.headers["Retry-After"] == "10"
    if stage != "turn":
        assert "nothing was sent" in problem(web.post("/preview/create_tag", {"name": "x"}), 503)
    assert shared_sandbox.log.requests() == []


def test_the_connections_are_closed_also_if_one_of_them_cannot_write_its_audit_log(
    web: Web, shared_sandbox: Sandbox, acme: Path, tmp_path: Path
) -> None:
    audit, body = tmp_path / "audit.jsonl", {"name": "in doubt"}
    acme.write_text(f"{acme.read_text()}audit: {audit}\n")
    for path, row in (("create_tag", {"name": "noted"}), ("get_device", {"device_id": 1})):
        assert web.post(f"/actions/{path}", row).get_json()["error"] is None
    shared_sandbox.before_response(lambda _: make_unwritable(audit))
    assert "Check whether the request took effect" in problem(web.post("/actions/create_tag", body), 409)
    assert "Nothing was sent" in problem(web.post("/actions/create_tag", body), 500)
    shared_sandbox.before_response(lambda _: None)
    assert [entry["method"] for entry in shared_sandbox.log.requests()] == ["POST", "GET", "POST"]
    sessions = [one.session for one in web.app._calls._sessions._open.values()]
    with pytest.raises(RunStoppedError, match="the audit log cannot be written"):
        web.app.close()
    for session in sessions:
        with pytest.raises(RunError, match="the session is closed"):
            session.call("get_device", device_id=1)


def test_a_caller_that_hangs_up_while_it_waits_for_its_turn_is_not_served(
    web: Web, shared_sandbox: Sandbox
) -> None:
    calls = web.app._calls
    calls._turns = Turns(60, running=1)
    server = listen(web.app, calls._settings, "127.0.0.1", 0)
    threading.Thread(target=server.run, daemon=True).start()
    head = f"Host: x\r\nAuthorization: Bearer {web.key}\r\nContent-Type: application/x-ndjson\r\n"
    bodies = '{"device_id": 1}', '{"name": "gone"}', '{"name": "gone"}\n{"name": "gone too"}'
    shared_sandbox.set_faults(queue=["hold"])
    sockets = []
    for number, body in enumerate(bodies, start=1):
        at = socket.create_connection(("127.0.0.1", server.effective_port), timeout=60)
        sockets.append(at)
        name = "get_device" if number == 1 else "create_tag"
        lines = f"POST /actions/{name} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}"
        at.sendall(lines.encode())
        wait_until(lambda: calls._running._count == number)  # noqa: B023
        wait_until(lambda: len(shared_sandbox.log.requests()) == 1)
    for at in sockets[1:]:
        at.close()
    wait_until(lambda: len(server._server.active_channels) == 1)
    shared_sandbox.set_faults(queue=[])
    assert sockets[0].recv(100).startswith(b"HTTP/1.1 200")
    calls._running.wait()
    assert [entry["method"] for entry in shared_sandbox.log.requests()] == ["GET"]
    sockets[0].close()
    server.close()


def test_no_row_is_started_for_a_caller_that_is_gone(web: Web, shared_sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {web.key}", "Content-Type": "application/x-ndjson"}
    is_gone = iter([False, False, True]).__next__  # before the turn, and before each row
    with pytest.raises(RunStoppedError, match="the client disconnected"):
        web.client.post(
            "/actions/get_device",
            data='{"device_id": 1}\n' * 3,
            headers=headers,
            environ_overrides={"waitress.client_disconnected": is_gone},
            buffered=True,
        )
    assert len(shared_sandbox.log.requests()) == 1


def test_a_caller_that_hangs_up_ends_the_stream_after_the_row_in_progress(
    web: Web, shared_sandbox: Sandbox, catalog: Catalog, acme: Path
) -> None:
    body = '{"device_id": 1}\n' * 3
    headers = {"Authorization": f"Bearer {web.key}", "Content-Type": "application/x-ndjson"}
    response = web.client.post("/actions/get_device", data=body, headers=headers)
    next(iter(response.response))
    response.close()
    assert len(shared_sandbox.log.requests()) == 1
    web.app._calls._running.wait()  # nothing is left running
