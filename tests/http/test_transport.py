"""One request over a real socket: what is sent, what is received, and what fails."""

from __future__ import annotations

import gzip
import os
import socket
import threading
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from connector.errors import NotSentError, ResponseLostError, RowError
from connector.http import http1
from connector.http.framing import BLOCK
from connector.http.messages import build_path
from tests.conftest import OpenTransport
from tests.fakes import wait_until
from tests.http.headers import TEXT
from tests.loopback import (
    PATIENCE_S,
    Server,
    Talk,
    answering,
    closed_port,
    get,
    hang_up,
    read_only,
    reset_unanswered,
)

pytestmark = pytest.mark.usefixtures("reader")


def test_a_request_and_its_answer(open_transport: OpenTransport) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.answer(b'{"a":1}', "201 Created", "X-NJ-Request-Id: r-1")

    with Server((talk,)) as server:
        headers = {**TEXT, "content-type": "application/json"}
        response = open_transport(server.base_url).send("POST", "/v2/x?q=a%20b", headers, b'{"n":1}')
    assert (response.status, response.json(), response.headers["x-nj-request-id"]) == (201, {"a": 1}, "r-1")
    (received,) = server.received
    assert received.line == "POST /v2/x?q=a%20b HTTP/1.1"
    assert received.body == b'{"n":1}'
    assert received.headers["host"] == f"127.0.0.1:{server.port}"
    assert received.headers["authorization"] == "Bearer a-token"
    assert received.headers["content-length"] == "7"


def test_who_asks_is_told_when_a_request_leaves(open_transport: OpenTransport) -> None:
    connected, arrived = threading.Event(), threading.Event()
    left: list[bool] = []

    def talk(talk: Talk) -> None:
        connected.set()
        talk.read()
        arrived.set()
        talk.answer(b"{}")

    def leaving() -> None:
        assert connected.wait(PATIENCE_S)
        left.append(not arrived.wait(0.05))

    with Server((talk,)) as server:
        open_transport(server.base_url).send("GET", "/v2/x", TEXT, None, leaving)
    assert left == [True]


def test_a_request_that_cannot_be_sent_does_not_leave(open_transport: OpenTransport) -> None:
    left: list[int] = []
    for headers, fault in (({}, NotSentError), ({"x": "a\nb"}, RowError)):
        with Server((read_only,)) as server:
            port = server.port if fault is RowError else closed_port()
            transport = open_transport(f"http://127.0.0.1:{port}")
            with pytest.raises(fault):
                transport.send("GET", "/v2/x", headers, None, lambda: left.append(1))
    assert left == []


def test_a_base_url_with_a_path_is_put_in_front(open_transport: OpenTransport) -> None:
    with Server((answering,)) as server:
        get(open_transport(server.base_url + "/gateway/ninja"))
    assert server.received[0].target == "/gateway/ninja/v2/x"


def test_escaped_segments_are_sent_as_they_are(open_transport: OpenTransport) -> None:
    with Server((answering,)) as server:
        get(open_transport(server.base_url), build_path("/v2/{a}/x", {"a": "..a/%2eb/c"}))
    assert server.received[0].target == "/v2/..a%2F%252eb%2Fc/x"


def test_no_connection(open_transport: OpenTransport) -> None:
    with pytest.raises(NotSentError, match=r"^no connection: .*Connection refused$") as raised:
        get(open_transport(f"http://127.0.0.1:{closed_port()}"))
    assert raised.value.code == "network_error"
    assert "HTTPConnection" not in str(raised.value)


def test_no_connection_in_time(open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: Any, **__: Any) -> None:
        raise TimeoutError("timed out")

    transport = open_transport("http://127.0.0.1:1", timeout_s=0.05)
    monkeypatch.setattr(socket, "create_connection", slow)
    with pytest.raises(NotSentError, match=r"^no connection within 0.05 s$") as raised:
        get(transport)
    assert raised.value.code == "timeout"


def test_an_unknown_host(open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotSentError, match="Name or service not known"):
        get(open_transport("https://app.example.com"))


def test_an_answer_that_does_not_come_in_time(open_transport: OpenTransport) -> None:
    with Server((read_only,)) as server:
        with pytest.raises(ResponseLostError) as raised:
            get(open_transport(server.base_url, timeout_s=0.05))
        wait_until(lambda: bool(server.received))
    assert (str(raised.value), raised.value.code) == (
        "no complete response: nothing was received for 0.05 s",
        "timeout",
    )
    assert len(server.received) == 1


def test_an_answer_that_stops_half_way_in_time(open_transport: OpenTransport) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
        talk.server.done.wait(PATIENCE_S)

    with Server((talk,)) as server, pytest.raises(ResponseLostError) as raised:
        get(open_transport(server.base_url, timeout_s=0.05))
    assert raised.value.code == "timeout"


@pytest.mark.parametrize("talk", [reset_unanswered, hang_up])
def test_a_connection_that_breaks_before_the_answer(open_transport: OpenTransport, talk: Any) -> None:
    with Server((talk,)) as server, pytest.raises(ResponseLostError, match="the connection broke") as raised:
        get(open_transport(server.base_url))
    assert raised.value.code == "network_error"
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "response",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":1}',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"a":1}',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    ],
)
def test_an_answer_that_is_cut_short(open_transport: OpenTransport, response: bytes) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.send(response)

    with Server((talk,)) as server, pytest.raises(ResponseLostError, match="cut short") as raised:
        get(open_transport(server.base_url))
    assert raised.value.code == "bad_response"


@pytest.mark.parametrize("response", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"\r\n\r\n"])
def test_an_answer_that_is_not_http(open_transport: OpenTransport, response: bytes) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.send(response)

    with Server((talk,)) as server, pytest.raises(ResponseLostError):
        get(open_transport(server.base_url))


def test_a_chunked_answer(open_transport: OpenTransport) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n')

    with Server((talk,)) as server:
        assert get(open_transport(server.base_url)).json() == {"a": 1}


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_packed_answer(open_transport: OpenTransport, name: str, pack: Any) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.answer(pack(b'{"a":1}'), "200 OK", f"Content-Encoding: {name}")

    with Server((talk,)) as server:
        assert get(open_transport(server.base_url)).json() == {"a": 1}


def test_a_broken_packed_answer(open_transport: OpenTransport) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.answer(b"not gzip at all", "200 OK", "Content-Encoding: gzip")

    with (
        Server((talk,)) as server,
        pytest.raises(ResponseLostError, match="compression is damaged") as raised,
    ):
        get(open_transport(server.base_url))
    assert raised.value.code == "bad_response"


def test_an_answer_without_a_body(open_transport: OpenTransport) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    with Server((talk,)) as server:
        response = get(open_transport(server.base_url))
    assert (response.status, response.body) == (204, b"")


def test_redirects_are_not_followed(open_transport: OpenTransport) -> None:
    with Server((answering,)) as elsewhere:

        def talk(talk: Talk) -> None:
            talk.read()
            talk.answer(b"", "302 Found", f"Location: {elsewhere.base_url}/v2/x")

        with Server((talk,)) as server:
            response = get(open_transport(server.base_url))
        assert (response.status, response.headers["location"]) == (302, f"{elsewhere.base_url}/v2/x")
        assert elsewhere.connections == 0


class SlowSocket:
    """A socket of a connection; `each` is called before it sends or receives something, with the bytes."""

    def __init__(self, connected: socket.socket, each: Callable[[int], None], most: int = 1 << 16) -> None:
        self._connected, self._each, self._most = connected, each, most

    def sendall(self, data: bytes) -> None:
        self._each(len(data))
        self._connected.sendall(data)

    def recv(self, size: int) -> bytes:
        self._each(0)
        return self._connected.recv(min(size, self._most))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connected, name)


def test_a_large_body_may_take_longer_than_a_connection_may(open_transport: OpenTransport) -> None:
    """The timeout of a socket is for each call that sends, so there are many."""
    body = os.urandom(1 << 20) * 16
    sizes: list[int] = []
    with Server((answering,)) as server:
        transport = open_transport(server.base_url)
        get(transport)
        (kept,) = transport._idle
        kept._socket = SlowSocket(kept._socket, sizes.append)  # type: ignore[assignment]
        assert transport.send("POST", "/v2/x", TEXT, body).json() == {}
    received = server.received[1]
    assert max(sizes) <= BLOCK
    assert received.body == body
    assert received.headers["content-length"] == str(len(body))
    assert "transfer-encoding" not in received.headers


def test_a_large_answer_comes_in_whole(open_transport: OpenTransport) -> None:
    body = os.urandom(1 << 20) * 5
    chunked = [f"{len(body):x}\r\n".encode() + body + b"\r\n", b"0\r\n\r\n"]

    def talk(talk: Talk) -> None:
        talk.read()
        talk.answer(body)
        talk.read()
        talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(chunked))
        talk.read()
        talk.send(b"HTTP/1.1 200 OK\r\n\r\n" + body)

    with Server((talk,)) as server:
        transport = open_transport(server.base_url)
        for _ in range(3):
            assert get(transport).body == body
    assert server.connections == 1


def test_a_slow_answer_may_take_longer_than_each_part_of_it_may(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte takes nearly all of the timeout, by a clock that the socket advances."""
    now = 0.0

    def wait(_: int) -> None:
        nonlocal now
        now += 0.9 * PATIENCE_S

    monkeypatch.setattr(http1, "monotonic", lambda: now)
    with Server((answering,)) as server:
        transport = open_transport(server.base_url, total_timeout_s=1e6)
        get(transport)
        (kept,) = transport._idle
        kept._socket = SlowSocket(kept._socket, wait, most=1)  # type: ignore[assignment]
        assert get(transport).body == b"{}"
    assert now > 10 * PATIENCE_S


def test_a_server_that_refuses_a_large_body_in_the_middle_has_answered(
    open_transport: OpenTransport,
) -> None:
    def talk(talk: Talk) -> None:
        talk.read_head()
        talk.answer(b"{}", "413 Content Too Large")

    with Server((talk, answering)) as server:
        transport = open_transport(server.base_url)
        assert transport.send("POST", "/v2/x", TEXT, bytes(1 << 25)).status == 413
        assert get(transport).status == 200
    assert server.connections == 2


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"',
        b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n",
    ],
)
def test_a_connection_that_is_not_to_be_used_again_is_closed(
    open_transport: OpenTransport, response: bytes
) -> None:
    closed = threading.Event()

    def talk(talk: Talk) -> None:
        talk.read()
        talk.send(response)
        if not talk.connection.recv(1):
            closed.set()

    with Server((talk, answering)) as server:
        transport = open_transport(server.base_url)
        assert get(transport).body in (b"{}", b"")
        assert closed.wait(PATIENCE_S)
        assert get(transport).json() == {}
    assert server.connections == 2


@pytest.mark.parametrize(
    ("target", "headers"), [("/v2/x", {"x-name": "a\r\nx-evil: 1"}), ("/v2/x\r\nx-evil: 1", {})]
)
def test_of_a_request_that_cannot_be_written_nothing_is_sent(
    open_transport: OpenTransport, target: str, headers: dict[str, str]
) -> None:
    with Server((answering,)) as server:
        transport = open_transport(server.base_url)
        get(transport)
        with pytest.raises(RowError) as raised:
            transport.send("GET", target, headers, None)
        get(transport)
    assert raised.value.code == "input_invalid"
    assert (len(server.received), server.connections) == (2, 1)
