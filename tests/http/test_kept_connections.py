"""Connections that are kept open between requests: when, how many, and when they are closed."""

from __future__ import annotations

import gc
import json
import os
import select
import socket
import subprocess
import sys
import threading
from typing import Any

import pytest

from connector.errors import NotSentError, ResponseLostError
from connector.http.transport import HttpTransport
from tests.conftest import OpenTransport
from tests.http.headers import TEXT
from tests.loopback import CERTIFICATE, PATIENCE_S, Server, Talk, answering, get, read_only

pytestmark = pytest.mark.usefixtures("reader")


def test_connections_are_kept(open_transport: OpenTransport) -> None:
    with Server((answering,)) as server:
        transport = open_transport(server.base_url)
        for number in range(5):
            get(transport, f"/v2/{number}")
    assert [r.target for r in server.received] == [f"/v2/{n}" for n in range(5)]
    assert server.connections == 1


@pytest.mark.parametrize("tls", [False, True])
def test_a_kept_connection_that_the_server_closed_is_replaced(
    open_transport: OpenTransport, tls: bool
) -> None:
    closed = threading.Event()

    def once(talk: Talk) -> None:
        talk.read()
        talk.answer(b"1")
        talk.connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    with Server((once, answering), tls) as server:
        transport = open_transport(server.base_url, ca_file=str(CERTIFICATE))
        assert get(transport).json() == 1
        assert closed.wait(PATIENCE_S)
        response = transport.send("POST", "/v2/y", TEXT, b"{}")
        assert response.json() == {}
    assert [r.line.split()[0] for r in server.received] == ["GET", "POST"]
    assert server.connections == 2


@pytest.mark.parametrize("tls", [False, True])
def test_a_kept_connection_that_the_server_closes_while_a_request_waits_gets_no_request(
    open_transport: OpenTransport, tls: bool
) -> None:
    may_close, closed = threading.Event(), threading.Event()

    def once(talk: Talk) -> None:
        talk.read()
        talk.answer(b"1")
        assert may_close.wait(PATIENCE_S)
        talk.connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    def leaving() -> bool:
        may_close.set()
        return closed.wait(PATIENCE_S)

    with Server((once, answering), tls) as server:
        transport = open_transport(server.base_url, ca_file=str(CERTIFICATE))
        assert get(transport).json() == 1
        with pytest.raises(NotSentError, match="closed the connection before the request was sent"):
            transport.send("POST", "/v2/y", TEXT, b"{}", leaving)
        assert transport.send("POST", "/v2/y", TEXT, b"{}").json() == {}
    assert [r.line.split()[0] for r in server.received] == ["GET", "POST"]


def test_after_a_lost_answer_the_next_request_gets_a_connection_of_its_own(
    open_transport: OpenTransport,
) -> None:
    with Server((read_only, answering)) as server:
        transport = open_transport(server.base_url, timeout_s=0.05)
        with pytest.raises(ResponseLostError):
            get(transport)
        assert get(transport).json() == {}
    assert server.connections == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_opens_its_own_connection() -> None:
    """Two processes on one connection would read each other's responses."""
    program = """if True:
        import os, sys
        from connector.http.transport import HttpTransport
        transport = HttpTransport(sys.argv[1])
        ask = lambda who: transport.send("GET", f"/{who}", {}, None)
        ask("parent")
        if not (child := os.fork()):
            ask("child"), ask("child")
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        ask("parent")
        """
    with Server((answering,)) as server:
        subprocess.run([sys.executable, "-c", program, server.base_url], check=True)
    assert [r.target for r in server.received] == ["/parent", "/child", "/child", "/parent"]
    assert server.connections == 2


def test_threads_share_a_transport(open_transport: OpenTransport) -> None:
    def echo(talk: Talk) -> None:
        while received := talk.read():
            talk.answer(json.dumps(received.target).encode())

    answers: dict[str, Any] = {}
    with Server((echo,)) as server:
        transport = open_transport(server.base_url)

        def work(name: str) -> None:
            for number in range(10):
                target = f"/v2/{name}/{number}"
                answers[target] = get(transport, target).json()

        threads = [threading.Thread(target=work, args=(str(n),)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(answers) == 60
    assert all(target == response for target, response in answers.items())


@pytest.mark.parametrize("tls", [False, True])
def test_what_comes_unasked_on_a_kept_connection_is_no_answer(
    open_transport: OpenTransport, tls: bool
) -> None:
    asked, sent = threading.Event(), threading.Event()

    def talk(talk: Talk) -> None:
        talk.read()
        talk.answer(b"1")
        asked.wait(PATIENCE_S)
        talk.answer(b"666")
        sent.set()
        talk.server.done.wait(PATIENCE_S)

    with Server((talk, answering), tls) as server:
        transport = open_transport(server.base_url, ca_file=str(CERTIFICATE))
        assert get(transport).json() == 1
        asked.set()
        assert sent.wait(PATIENCE_S)
        assert get(transport).json() == {}
    assert server.connections == 2


def test_as_many_connections_are_kept_as_were_in_use_at_once(open_transport: OpenTransport) -> None:
    together = threading.Barrier(4)
    busy: set[Talk] = set()

    def talk(talk: Talk) -> None:
        while received := talk.read():
            busy.add(talk)
            if received.target == "/v2/together":
                together.wait(PATIENCE_S)
            talk.answer()

    with Server((talk,)) as server:
        transport = open_transport(server.base_url)

        def all_at_once() -> None:
            threads = [threading.Thread(target=get, args=(transport, "/v2/together")) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        all_at_once()
        assert server.connections == 4
        busy.clear()
        for _ in range(10):
            get(transport)
        assert len(busy) == 1  # the one used last, so that servers may close the others
        all_at_once()
        assert (server.connections, len(server.received)) == (4, 18)


def test_a_closed_transport_keeps_no_connection(open_transport: OpenTransport) -> None:
    hung_up = threading.Barrier(3)
    asked, closed = threading.Event(), threading.Event()

    def talk(talk: Talk) -> None:
        while received := talk.read():
            if received.target == "/v2/slow":
                asked.set()
                closed.wait(PATIENCE_S)
            talk.answer()
        hung_up.wait(PATIENCE_S)

    with Server((talk,)) as server:
        transport = open_transport(server.base_url)
        slow = threading.Thread(target=get, args=(transport, "/v2/slow"))
        slow.start()
        assert asked.wait(PATIENCE_S)
        get(transport)
        transport.close()
        closed.set()
        slow.join()
        hung_up.wait(PATIENCE_S)
    assert server.connections == 2


def test_a_forgotten_transport_closes_its_connections() -> None:
    hung_up = threading.Event()

    def talk(talk: Talk) -> None:
        answering(talk)
        hung_up.set()

    with Server((talk,)) as server:
        get(HttpTransport(server.base_url))
        gc.collect()
        assert hung_up.wait(PATIENCE_S)


def test_where_there_is_no_poll_select_finds_what_the_server_closed(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(select, "poll", raising=False)
    closed = threading.Event()

    def twice(talk: Talk) -> None:
        for _ in range(2):
            talk.read()
            talk.answer()
        talk.connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    with Server((twice, answering)) as server:
        transport = open_transport(server.base_url)
        get(transport)
        get(transport)
        assert server.connections == 1
        assert closed.wait(PATIENCE_S)
        get(transport)
    assert server.connections == 2
