"""Writing HTTP/1.1: no value of a request can end its line."""

from __future__ import annotations

import socket

import pytest

from connector.errors import RowError
from connector.http.http1 import HttpConnection, header_lines, write_head


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", None, b""),
        ("DELETE", None, b""),
        ("DELETE", b"{}", b"content-length: 2\r\n"),
        ("POST", None, b"content-length: 0\r\n"),
        ("PUT", None, b"content-length: 0\r\n"),
        ("PATCH", None, b"content-length: 0\r\n"),
        ("PATCH", b"", b"content-length: 0\r\n"),
        ("POST", b"1234567890", b"content-length: 10\r\n"),
    ],
)
def test_a_request_as_it_is_written(method: str, body: bytes | None, length: bytes) -> None:
    lines = header_lines(method, {"host": "a:1", "x-name": "J\tü"})
    head = write_head(method, "/v2/x?q=a%20b", lines, body)
    assert (
        head
        == method.encode() + b" /v2/x?q=a%20b HTTP/1.1\r\nhost: a:1\r\nx-name: J\t\xfc\r\n" + length + b"\r\n"
    )


@pytest.mark.parametrize(
    "value", ["a\rb", "a\nb", "a\r\nx-evil: 1", "a\0b", "\x7f", "\x1b[0m", "日本", "\ud800"]
)
def test_a_header_value_that_could_end_its_line_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(RowError) as raised:
        header_lines("GET", {"host": "a", "authorization": value, "accept": "b"})
    assert str(raised.value) == 'a request cannot have the value of the header "authorization"'
    assert raised.value.code == "input_invalid"


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "a\n", "a\0", "ü", "a(", " a", "a\t"])
def test_a_header_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(RowError, match=r"^a request cannot have a header named ") as raised:
        header_lines("GET", {"host": "a", name: "b"})
    assert raised.value.code == "input_invalid"


@pytest.mark.parametrize("target", ["", "/a b", "/a\r\nhost: b", "/a\n", "/a\0", "/a\t", "/ü", "/\x7f"])
def test_a_target_that_could_end_its_line_is_refused(target: str) -> None:
    with pytest.raises(RowError, match=r"^a request cannot be sent to '") as raised:
        write_head("GET", target, "", None)
    assert raised.value.code == "input_invalid"


@pytest.mark.parametrize("method", ["GET\r\nhost: b", "GET /", "G\0"])
def test_a_method_that_is_none_is_refused(method: str) -> None:
    with pytest.raises(RowError, match="a request cannot have this method"):
        header_lines(method, {"host": "a"})


def test_each_request_of_a_connection_has_its_own_headers() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = HttpConnection(ours)
        headers = {"host": "a", "authorization": "Bearer 1"}
        for token in "1223":
            headers["authorization"] = f"Bearer {token}"
            theirs.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            connection.exchange("GET", "/x", headers, None)
            lines = theirs.recv(1 << 16).split(b"\r\n")
            assert lines[:3] == [b"GET /x HTTP/1.1", b"host: a", b"authorization: Bearer " + token.encode()]
        for _ in range(2):
            with pytest.raises(RowError, match="this method"):
                connection.exchange("GET /", "/x", headers, None)
            with pytest.raises(RowError, match='the header "host"'):
                connection.exchange("GET", "/x", {"host": "a\n"}, None)
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            theirs.recv(1)
