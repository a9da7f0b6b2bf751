"""The server: ports, connections, start and stop, many threads."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import wait_until

from .ninjaone.client import TIMEOUT_S, Api


def test_loopback_only(sandbox):
    assert sandbox._server.server_address[0] == "127.0.0.1"


def test_taken_port(sandbox):
    with pytest.raises(OSError, match="in use"):
        Sandbox(port=sandbox.port)


def test_stop_before_start():
    idle = Sandbox()
    idle.stop()
    idle.stop()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", idle.port)) != 0


def test_stop_ends_kept_connections(sandbox):
    api = Api(sandbox)
    api.get("/v2/organizations")
    sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        api.get("/v2/organizations")
    api.close()


def test_account_goes_on_after_a_restart(sandbox):
    api = Api(sandbox)
    api.do("POST", "/v2/organizations", {"name": "Lasting"})
    port = sandbox.port
    sandbox.stop()
    sandbox.start()
    assert sandbox.port == port
    assert api.get("/v2/organizations")[-1]["name"] == "Lasting"
    api.close()


def test_starting_twice_is_starting_once(sandbox):
    assert sandbox.start() is sandbox


def test_serve_forever_ends_with_stop():
    running = Sandbox()
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    assert requests.get(f"{running.base_url}/_sandbox/requests", timeout=TIMEOUT_S).json() == []
    running.stop()
    thread.join(TIMEOUT_S)
    assert not thread.is_alive()


def test_answer_under_way_is_still_sent(open_api):
    api = open_api(latency_ms=80)
    with ThreadPoolExecutor(1) as pool:
        response = pool.submit(api.send, "POST", "/v2/device/1/reboot/NORMAL")
        wait_until(lambda: bool(api.sandbox.log.requests()))
        api.sandbox.stop()
        assert response.result().status_code == 204


def test_connection_stays_open(sandbox, api):
    for _ in range(5):
        api.send("POST", "/v2/device/1/reboot/NORMAL")
        api.send("GET", "/v2/nothing")
    assert len(sandbox.connections._open) == 1


def test_connection_closes_on_request(api):
    response = api.send("GET", "/v2/organizations", headers={"Connection": "close"})
    assert response.headers["Connection"] == "close"


def test_pipelined_and_chunked_requests(sandbox, api):
    token = api.session.headers["Authorization"]
    head = f"Host: x\r\nAuthorization: {token}\r\n"
    kind = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    first = f"PATCH /v2/device/1 HTTP/1.1\r\n{head}{kind}"
    body = '\r\n11\r\n{"displayName":"a\r\n2\r\n"}\r\n0\r\n\r\n'
    second = f"GET http://x/v2/device/1?q HTTP/1.1\r\n{head}Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=TIMEOUT_S) as connection:
        connection.sendall((first + body + second).encode())
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 204 ")
    assert b"HTTP/1.1 200 OK" in received
    assert b'"displayName":"a"' in received


def test_broken_clients_do_no_harm(sandbox, api, capfd):
    for text in (
        b"nonsense\r\n\r\n",
        b"GET /v2/devices HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /v2/devices HTTP/1.1\r\nContent-Length: 100\r\n\r\nshort",
        b"",
    ):
        with socket.create_connection(("127.0.0.1", sandbox.port), timeout=TIMEOUT_S) as connection:
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    api.get("/v2/organizations")
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_latency(open_api):
    api = open_api(latency_ms=30)
    before = time.monotonic()
    api.get("/v2/organizations")
    assert time.monotonic() - before >= 0.03


def test_own_mistakes_answer_500(api, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("oops")

    monkeypatch.setattr(api.sandbox.state, "organization", broken)
    assert api.fails("GET", "/v2/organization/1", 500)["resultCode"] == "FAILURE"
    assert "oops" in caplog.text


def test_many_threads_lose_nothing(sandbox):
    def work(number):
        api = Api(sandbox)
        try:
            for step in range(10):
                api.do("POST", "/v2/organizations", {"name": f"Organization {number}-{step}"})
                api.do("PATCH", "/v2/device/1/custom-fields", {f"field{number}x{step}": step})
                api.get("/v2/devices", pageSize=5)
        finally:
            api.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    api = Api(sandbox)
    organizations = api.get("/v2/organizations")
    assert [entry["id"] for entry in organizations] == list(range(1, 85))
    assert len(api.get("/v2/device/1/custom-fields")) == 80
    log = api.requests()
    assert [entry["n"] for entry in log] == list(range(1, len(log) + 1))
    assert len(log) == 8 * 30 + 2
    api.close()


def test_nothing_below_is_imported():
    """The sandbox imports nothing but the published facts, the schemas and `common`."""
    code = (
        "import sys, connector.sandbox.ninjaone.server; "
        "print([m for m in sys.modules if m.startswith('connector.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = done.stdout.strip("[]\n").replace("'", "").split(", ")
    others = {name for name in names if not name.startswith("connector.sandbox")}
    assert others <= {
        "connector.common",
        "connector.common.listening",
        "connector.common.package_data",
        "connector.schemas",
        "connector.common.json_text",
        "connector.errors",
    }
