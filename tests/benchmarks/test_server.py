"""The server that proves the pace: it records when the kernel received a request, however late it is read."""

from __future__ import annotations

import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.server import Received, Requests, ask_for_stamps
from benchmarks.stub import Stub
from tests.loopback import PATIENCE_S

REQUEST = b"PATCH /v2/device/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


def received(requests: Requests) -> Received:
    request = requests.next()
    assert request is not None
    return request


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, Requests]]:
    """A client's socket, and the server's side of its connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ask_for_stamps(listening)
        client = socket.create_connection(listening.getsockname(), PATIENCE_S)
        connection, _ = listening.accept()
    with client, connection:
        yield client, Requests(connection)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has SO_TIMESTAMPNS")
def test_a_request_that_is_read_late_has_the_time_of_its_arrival(
    pair: tuple[socket.socket, Requests],
) -> None:
    client, requests = pair
    end = time.monotonic() + PATIENCE_S
    while True:
        before = time.time_ns()
        client.sendall(REQUEST)
        after = time.time_ns()
        request = received(requests)  # It is read after `after`.
        if request.by_kernel or time.monotonic() > end:  # The kernel begins to stamp soon after it is asked.
            break
    assert request.by_kernel
    assert before <= request.arrived <= after
    client.shutdown(socket.SHUT_WR)
    assert requests.next() is None


def test_a_request_in_pieces_and_the_next_one_are_told_apart(pair: tuple[socket.socket, Requests]) -> None:
    client, requests = pair
    client.sendall(REQUEST + REQUEST.replace(b"/1 ", b"/2 ")[:40])
    assert received(requests).target == "/v2/device/1"
    client.sendall(REQUEST[40:])
    assert received(requests).target == "/v2/device/2"


def test_the_stub_counts_requests_and_measures_their_intervals(tmp_path: Path) -> None:
    with Stub(tmp_path, None).noting(0, body='{"id": 1}') as served:
        for path in ("/ws/oauth/token", "/v2/device/1", "/v2/device/2"):
            with urllib.request.urlopen(served.url + path, timeout=PATIENCE_S) as response:
                body = response.read()
    assert body == b'{"id": 1}'
    assert len(served.times) == 2  # A sign-in is no request.
    assert served.span_s(2) > served.intervals_s()[0] > 0
