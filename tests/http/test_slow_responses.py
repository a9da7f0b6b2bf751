"""Slow responses: a pause, the complete response and a download have limits."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from time import monotonic

import pytest

from connector.errors import NotSentError, ResponseLostError
from connector.http import http1, proxies
from connector.http.connect import CONNECT_TIMEOUT_S
from connector.http.transport import default_total_timeout_s
from tests.conftest import OpenTransport
from tests.loopback import CERTIFICATE, PATIENCE_S, Server, Talk, get

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
TOTAL_S = 0.15

pytestmark = pytest.mark.usefixtures("reader")


def drip(after: bytes = b"", drop: bytes = b"x", every_s: float = 0.01) -> Callable[[Talk], None]:
    """Send `after` at once, and then `drop` for as long as the client listens."""

    def talk(talk: Talk) -> None:
        talk.read()
        talk.send(after)
        while not talk.server.done.wait(every_s):
            talk.send(drop)

    return talk


DRIPS = {
    "status line": drip(b"HTTP/1.1 200 "),
    "interim responses": drip(drop=b"HTTP/1.1 100 Continue\r\n\r\n", every_s=0.02),
    "headers": drip(b"HTTP/1.1 200 OK\r\nx-header: "),
    "body": drip(HEAD),
    "body until the end": drip(b"HTTP/1.1 200 OK\r\n\r\n"),
    "chunk size": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"),
    "chunks": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "trailers": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n"),
}


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("where", DRIPS)
def test_the_total_time_bounds_a_response_that_never_pauses(
    open_transport: OpenTransport, where: str, tls: bool
) -> None:
    with Server((DRIPS[where],), tls) as server:
        transport = open_transport(server.base_url, total_timeout_s=TOTAL_S, ca_file=str(CERTIFICATE))
        with pytest.raises(ResponseLostError, match=r"it was not complete within 0\.15 s") as raised:
            get(transport)
    assert raised.value.code == "timeout"


def test_the_total_time_bounds_a_response_through_a_proxy(open_transport: OpenTransport) -> None:
    with Server((drip(HEAD),)) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        transport = open_transport("http://localhost:1", total_timeout_s=TOTAL_S, proxy=url)
        with pytest.raises(ResponseLostError, match=r"it was not complete within 0\.15 s"):
            get(transport)


def test_a_proxy_that_trickles_its_response_to_connect(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes in time, but not all of them together."""
    monkeypatch.setattr(proxies, "_PHASES", TOTAL_S / CONNECT_TIMEOUT_S)  # no wait is near its own limit

    def talk(talk: Talk) -> None:
        talk.read_head()
        talk.send(b"HTTP/1.1 200 ")
        while not talk.server.done.wait(0.01):
            talk.send(b"x")

    with Server((talk,)) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        transport = open_transport("https://localhost:1", timeout_s=PATIENCE_S, proxy=url)
        with pytest.raises(NotSentError, match=r"no connection within 0\.15 s") as raised:
            get(transport)
    assert raised.value.code == "timeout"


def test_a_pause_is_bounded_long_before_the_total_time(open_transport: OpenTransport) -> None:
    def talk(talk: Talk) -> None:
        talk.read()
        talk.send(HEAD)
        talk.server.done.wait(PATIENCE_S)

    with Server((talk,)) as server:
        transport = open_transport(server.base_url, timeout_s=0.05, total_timeout_s=PATIENCE_S)
        with pytest.raises(ResponseLostError, match=r"nothing was received for 0\.05 s"):
            get(transport)


def test_a_connection_has_its_whole_pause_again_after_a_response_that_was_nearly_too_late(
    open_transport: OpenTransport,
) -> None:
    def talk(talk: Talk) -> None:
        for _ in range(2):
            talk.read()
            talk.answer()

    with Server((talk,)) as server:
        transport = open_transport(server.base_url, timeout_s=PATIENCE_S, total_timeout_s=PATIENCE_S / 2)
        get(transport)
        (kept,) = transport._idle
        assert kept._socket.gettimeout() == PATIENCE_S
        get(transport)
    assert server.connections == 1


@pytest.mark.parametrize(("is_file", "body"), [(True, b"x" * 40), (False, None)])
def test_a_file_may_take_longer_as_long_as_it_makes_progress(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch, is_file: bool, body: bytes | None
) -> None:
    monkeypatch.setattr(http1, "MIN_BYTES_PER_S", 1)

    def talk(talk: Talk) -> None:
        talk.read()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n")
        for _ in range(40):
            talk.send(b"x")
            talk.server.done.wait(0.01)

    with Server((talk,)) as server:
        transport = open_transport(server.base_url, total_timeout_s=0.1)
        if body is None:
            with pytest.raises(ResponseLostError, match="not complete"):
                transport.send("GET", "/v2/x", {}, None, is_file=is_file)
        else:
            assert transport.send("GET", "/v2/x", {}, None, is_file=is_file).body == body


def test_a_file_that_makes_no_progress_is_given_up(open_transport: OpenTransport) -> None:
    with Server((drip(HEAD),)) as server:
        transport = open_transport(server.base_url, total_timeout_s=TOTAL_S)
        start = monotonic()
        with pytest.raises(ResponseLostError, match=r"the download had less than 1024 bytes per second"):
            transport.send("GET", "/v2/x", {}, None, is_file=True)
    assert monotonic() - start < PATIENCE_S


def test_a_server_that_has_responded_and_reads_no_more_has_responded(open_transport: OpenTransport) -> None:
    has_responded = Event()

    def talk(talk: Talk) -> None:
        talk.answer(b"{}", "413 Content Too Large")
        has_responded.set()
        talk.server.done.wait(PATIENCE_S)

    with Server((talk,)) as server:
        transport = open_transport(server.base_url, timeout_s=0.2)
        is_late = lambda: not has_responded.wait(PATIENCE_S)  # noqa: E731
        assert transport.send("POST", "/v2/x", {}, bytes(50 << 20), is_late).status == 413


def test_a_server_that_reads_nothing(open_transport: OpenTransport) -> None:
    def talk(talk: Talk) -> None:
        talk.server.done.wait(PATIENCE_S)

    with Server((talk,)) as server:
        transport = open_transport(server.base_url, timeout_s=0.1)
        with pytest.raises(ResponseLostError, match=r"did not accept the request within 0\.1 s") as raised:
            transport.send("POST", "/v2/x", {}, bytes(50 << 20))
    assert raised.value.code == "timeout"


@pytest.mark.parametrize(("timeout_s", "total_s"), [(1, 120), (12, 120), (60, 600), (100, 1000)])
def test_the_default_of_the_total_time(timeout_s: float, total_s: float) -> None:
    assert default_total_timeout_s(timeout_s) == total_s
