"""Faults, scripted and random."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from http.client import HTTPConnection, IncompleteRead

import pytest
import requests

from connector.sandbox.faults import RATED, Fault, parse_faults
from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import wait_until

from .ninjaone.client import TIMEOUT_S

REBOOT = "/v2/device/1/reboot/NORMAL"


def script(api, *items):
    api.control("POST", "faults", json={"queue": list(items)})


def reboots(api):
    return sum(entry["statusCode"] == "SYSTEM_REBOOTED" for entry in api.activities(1))


def last(api):
    """Return the log entry of the newest request: status, executed, fault."""
    entry = api.requests()[-1]
    return entry["status"], entry["executed"], entry["fault"]


def test_429(api):
    script(api, "429")
    response = api.send("POST", REBOOT)
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "1"
    assert response.content == b""
    assert last(api) == (429, False, "429")
    assert reboots(api) == 0


def test_429_that_does_not_say_how_long(api):
    script(api, "429_bare")
    response = api.send("POST", REBOOT)
    assert (response.status_code, response.content) == (429, b"")
    assert "Retry-After" not in response.headers
    assert last(api) == (429, False, "429_bare")


def test_throttle_page(api):
    script(api, "html")
    response = api.send("POST", REBOOT)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html"
    assert "Too many requests" in response.text
    assert reboots(api) == 0


@pytest.mark.parametrize(
    ("name", "text"), [("500", "FAILURE"), ("502", "<h1>502 Bad Gateway</h1>"), ("503", "503 Service")]
)
def test_server_errors(api, name, text):
    script(api, name)
    response = api.send("POST", REBOOT)
    assert response.status_code == int(name)
    assert text in response.text
    assert response.headers["Content-Type"] == ("application/json" if name == "500" else "text/html")
    assert last(api) == (int(name), False, name)
    assert reboots(api) == 0


@pytest.mark.parametrize(("name", "executed"), [("reset", False), ("reset_after", True)])
def test_resets(api, name, executed):
    script(api, name)
    with pytest.raises(requests.ConnectionError) as raised:
        api.send("POST", REBOOT)
    assert "Connection reset" in str(raised.value)
    assert last(api) == (None, executed, name)
    assert reboots(api) == int(executed)


def test_a_reset_before_the_body_was_read(api):
    """The body exceeds the socket buffers, so that the client is still sending it."""
    script(api, "reset_unread")
    with pytest.raises(requests.ConnectionError):
        api.send("POST", REBOOT, data=b"x" * 50_000_000)
    assert last(api) == (None, False, "reset_unread")
    assert api.requests()[-1]["body"] is None
    assert reboots(api) == 0


def test_a_kept_connection_that_is_closed_without_a_word(sandbox, api):
    token = api.session.headers["Authorization"]
    head = f"Host: x\r\nAuthorization: {token}\r\nContent-Length: 0\r\n\r\n"
    script(api, None, "hang_up")
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=TIMEOUT_S) as connection:
        connection.sendall(f"POST {REBOOT} HTTP/1.1\r\n{head}".encode() * 3)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.count(b"HTTP/1.1 204 ") == 2
    assert b"Connection:" not in received
    assert last(api) == (204, True, "hang_up")
    assert reboots(api) == 2


@pytest.mark.parametrize("release", ["script", "stop"])
def test_an_answer_that_is_held(sandbox, api, release):
    script(api, "hold")
    with ThreadPoolExecutor(1) as pool:
        response = pool.submit(api.send, "POST", REBOOT)
        wait_until(lambda: any(entry["executed"] for entry in sandbox.log.requests()))
        assert wait([response], 0.05).not_done
        if release == "script":
            script(api)
        else:
            sandbox.stop()
        assert response.result().status_code == 204


def test_slow(api):
    api.sandbox.slow_s = 0.05
    script(api, "slow")
    before = time.monotonic()
    assert api.send("POST", REBOOT).status_code == 204
    assert time.monotonic() - before >= 0.05
    assert last(api) == (204, True, "slow")
    script(api, {"fault": "slow", "seconds": 0.06})
    before = time.monotonic()
    api.send("POST", REBOOT)
    assert time.monotonic() - before >= 0.06


def test_a_client_that_does_not_wait(api):
    script(api, "hold")
    with pytest.raises(requests.ReadTimeout):
        api.send("POST", REBOOT, timeout=0.02)
    wait_until(lambda: reboots(api) == 1)
    script(api)
    assert reboots(api) == 1


def test_slow_is_two_seconds_unless_told():
    idle = Sandbox()
    assert idle.slow_s == 2.0
    idle.stop()


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v2/device/1", 200), ("POST", REBOOT, 200)])
def test_truncate(sandbox, api, method, path, status):
    """Read by `http.client`, which reports a truncated body; `requests` does so only with urllib3 2."""
    script(api, "truncate")
    with closing(HTTPConnection("127.0.0.1", sandbox.port, timeout=TIMEOUT_S)) as connection:
        connection.request(method, path, headers={"Authorization": api.session.headers["Authorization"]})
        response = connection.getresponse()
        assert response.status == status
        with pytest.raises(IncompleteRead):
            response.read()
    assert last(api) == (status, True, "truncate")
    assert reboots(api) == int(method == "POST")


def test_expire(api):
    script(api, "expire")
    assert api.fails("POST", REBOOT, 401)["error_code"] == 10
    assert last(api) == (401, False, "expire")
    assert api.fails("POST", REBOOT, 401)["error_code"] == 10
    api.sign_in()
    api.do("POST", REBOOT)


def test_empty(api):
    script(api, "empty")
    response = api.send("POST", REBOOT)
    assert (response.status_code, response.content) == (200, b"")
    assert last(api) == (200, True, "empty")
    assert reboots(api) == 1


def test_answer_anything(api):
    script(
        api,
        {"fault": "429", "headers": {"Retry-After": "2", "X-Extra": "1"}},
        {"fault": "answer", "status": 400, "body": {"resultCode": "odd"}},
        {"fault": "answer", "status": 599, "body": "<b>hm</b>", "content_type": "text/html"},
        {"fault": "html", "status": 403, "body": "not at all"},
    )
    answers = [api.send("POST", REBOOT) for _ in range(4)]
    assert [response.status_code for response in answers] == [429, 400, 599, 403]
    assert answers[0].headers["Retry-After"] == "2"
    assert answers[0].headers["X-Extra"] == "1"
    assert answers[1].json() == {"resultCode": "odd"}
    assert answers[2].headers["Content-Type"] == "text/html"
    assert answers[3].text == "not at all"
    assert reboots(api) == 0


def test_script_goes_in_order_and_null_is_no_fault(api):
    script(api, None, "429", None)
    assert api.control("GET", "faults")["queue"] == 3
    assert [api.send("GET", "/v2/organizations").status_code for _ in range(4)] == [200, 429, 200, 200]


def test_script_does_not_touch_signin_or_the_sandboxs_own_paths(api):
    script(api, "500")
    api.sign_in()
    api.requests()
    assert api.send("GET", "/v2/organizations").status_code == 500


def test_new_script_replaces_the_old_one(api):
    script(api, "500", "500")
    script(api)
    assert api.control("GET", "faults")["queue"] == 0


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"queues": []}',
        b'{"queue": {}}',
        b'{"queue": ["418"]}',
        b'{"queue": [{"status": 4}]}',
        b'{"queue": [{"fault": "429", "Status": 4}]}',
        b'{"queue": [{"fault": "429", "status": "400"}]}',
        b'{"queue": [{"fault": "429", "status": 100}]}',
        b'{"queue": [{"fault": "429", "headers": []}]}',
        b'{"queue": [{"fault": "429", "headers": {"Retry-After": 2}}]}',
        b'{"queue": [{"fault": "429", "headers": {"a": "b\\r\\nc"}}]}',
        b'{"queue": [{"fault": "slow", "seconds": -1}]}',
        b'{"rates": []}',
        b'{"queue": ["429"], "rates": {"x": 1}}',
        b'{"rates": {"429": 2}}',
        b'{"rates": {"429": 0.6, "500": 0.6}}',
        b'{"rates": {"429": true}}',
    ],
)
def test_unreadable_scripts_change_nothing(api, body):
    response = requests.post(f"{api.base_url}/_sandbox/faults", data=body, timeout=TIMEOUT_S)
    assert response.status_code == 400
    assert response.json()["error"]
    assert api.control("GET", "faults") == {"queue": 0, "rates": {}}


def test_rates(api):
    api.control("POST", "faults", json={"rates": {"429": 1}})
    assert api.send("GET", "/v2/organizations").status_code == 429
    api.sandbox.set_faults(rates={}, queue=["503"])
    assert api.send("GET", "/v2/organizations").status_code == 503
    assert api.send("GET", "/v2/organizations").status_code == 200


def test_chance_is_seeded(open_api):
    def drawn(seed):
        api = open_api(seed=seed, faults={"429": 0.2, "500": 0.2, "html": 0.1})
        for _ in range(60):
            api.session.get(f"{api.base_url}/v2/organizations", timeout=TIMEOUT_S)
        return [entry["fault"] for entry in api.requests()]

    first = drawn(5)
    assert first == drawn(5)
    assert first != drawn(6)
    assert set(first) == {None, "429", "500", "html"}


def test_token_fault(open_api):
    api = open_api()
    api.sandbox.set_faults(rates={"token": 1})
    assert api.token().status_code == 500
    api.get("/v2/organizations")
    assert api.control("GET", "signins")[-1]["status"] == 500


def test_every_rated_fault_can_be_scripted():
    for name in RATED:
        fault = Fault.read(name)
        assert fault is not None
        assert fault.name == name


def test_parse_faults():
    assert parse_faults("429=0.05, html=0.02") == {"429": 0.05, "html": 0.02}
    assert parse_faults("") == {}
    assert parse_faults("token=1,reset_after=1") == {"token": 1.0, "reset_after": 1.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("429", "'429' is not of the form NAME=RATE"),
        ("418=0.1", "unknown fault '418'; faults are 429, html"),
        ("empty=0.1", "unknown fault 'empty'"),
        ("429=often", "the rate of fault '429' must be a number from 0 to 1, not 'often'"),
        ("429=2", "must be a number from 0 to 1"),
        ("429=-1", "must be a number from 0 to 1"),
        ("429=nan", "must be a number from 0 to 1"),
        ("429=0.1,429=0.2", "appears twice"),
        ("429=0.6,html=0.6", "sum to more than 1"),
    ],
)
def test_parse_faults_refuses(text, message):
    with pytest.raises(ValueError, match=r".") as raised:
        parse_faults(text)
    assert message in str(raised.value)


def test_sandbox_refuses_unknown_faults():
    with pytest.raises(ValueError, match="unknown fault"):
        Sandbox(faults={"418": 0.5})
