"""The server and faulty clients: bodies that are too large, requests that do not end."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest
from werkzeug.wrappers import Request, Response

from connector.catalog.catalog import Catalog
from connector.web import wsgi_server
from connector.web.access import CSRF_HEADER, HEADERS, MAX_SENT, AccessControl
from connector.web.server import CatalogServer
from tests.web.guest import until

HUGE = 80 * 2**20


@pytest.fixture
def running(catalog: Catalog) -> Iterator[CatalogServer]:
    with CatalogServer(catalog=catalog) as server:
        yield server


def connect(server: CatalogServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.url.split(":")[2].strip("/"))), 60)


def client_of(server: CatalogServer) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(server.url.removeprefix("http://").rstrip("/"), timeout=60)


def cookie_of(server: CatalogServer) -> str:
    client = client_of(server)
    client.request("GET", server.address.removeprefix(server.url.rstrip("/")))
    with client.getresponse() as response:
        return str(response.headers["Set-Cookie"]).partition(";")[0]


def post(server: CatalogServer, size: int, headers: dict[str, str]) -> http.client.HTTPResponse:
    client, blocks = client_of(server), [bytes(2**20)] * (size >> 20)
    own = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie_of(server)}
    chunked = "Transfer-Encoding" in headers
    body = iter(blocks) if chunked else b"".join(blocks)
    client.request("POST", "/actions/list_devices/run", body, {**own, **headers}, encode_chunked=chunked)
    return client.getresponse()


@pytest.mark.parametrize("csrf", [False, True])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(
    running: CatalogServer, capfd: pytest.CaptureFixture[str], *, csrf: bool, chunked: bool
) -> None:
    headers = {"Origin": running.url.rstrip("/")}
    if csrf:
        headers[CSRF_HEADER] = running.access.csrf_token
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    with post(running, HUGE, headers) as response:
        assert response.status == (411 if chunked else 413)  # browsers send none without a length
        assert {name: response.headers[name] for name in HEADERS} == HEADERS
    assert HUGE > MAX_SENT
    assert capfd.readouterr() == ("", "")


def test_an_error_of_a_page_shows_no_traceback_and_carries_the_headers(
    running: CatalogServer, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(request: Request) -> Response:
        raise ZeroDivisionError("secret")

    cookie = cookie_of(running)
    access: AccessControl = running.access
    access.view = fail
    client = client_of(running)
    client.request("GET", "/", headers={"Cookie": cookie})
    with client.getresponse() as response:
        assert response.status == 500
        assert {name: response.headers[name] for name in HEADERS} == HEADERS
        assert response.read() == b"Internal error in the connector.\n"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: 127"])
def test_a_half_open_connection_is_closed(
    running: CatalogServer, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(wsgi_server.BoundedServer, "head_s", 0.2)
    with connect(running) as connection:
        connection.sendall(sent)
        while connection.recv(4096):
            pass


def test_a_request_that_comes_byte_by_byte_is_closed(
    running: CatalogServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wsgi_server.BoundedServer, "head_s", 0.2)
    with connect(running) as connection:
        until(lambda: is_closed_after(connection, b"G"))


def is_closed_after(connection: socket.socket, data: bytes) -> bool:
    try:
        connection.sendall(data)
    except OSError:
        return True
    return False


def test_a_body_that_never_comes_is_given_up(running: CatalogServer, monkeypatch: pytest.MonkeyPatch) -> None:
    head = (
        f"POST /runs HTTP/1.1\r\nHost: {running.url[7:-1]}\r\nCookie: {cookie_of(running)}\r\n"
        f"Origin: {running.url[:-1]}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 100\r\n\r\ncsrf"
    )
    monkeypatch.setattr(wsgi_server.BoundedServer, "request_s", 0.2)  # from now on
    with connect(running) as connection:
        connection.sendall(head.encode())
        assert connection.recv(12) in (b"HTTP/1.1 400", b"HTTP/1.1 403")


def test_half_open_connections_take_a_bounded_number_of_threads(running: CatalogServer) -> None:
    before = threading.active_count()
    cookie = cookie_of(running)
    opened = [connect(running) for _ in range(3 * wsgi_server.MAX_CONNECTIONS)]
    client = client_of(running)
    client.request("GET", "/", headers={"Cookie": cookie})
    with client.getresponse() as response:
        assert response.status == 200
    until(lambda: threading.active_count() - before <= wsgi_server.MAX_CONNECTIONS)
    for connection in opened:
        connection.close()
    until(lambda: threading.active_count() <= before + 1)
