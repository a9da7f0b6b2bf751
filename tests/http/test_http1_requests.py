"""HTTP/1.1 as it is written: nothing of a request can end its line."""

from __future__ import annotations

import pytest

from connector.errors import RowError
from connector.http.http1 import write_head


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
    head = write_head(method, "/v2/x?q=a%20b", {"host": "a:1", "x-name": "J\tü"}, body)
    assert (
        head
        == method.encode() + b" /v2/x?q=a%20b HTTP/1.1\r\nhost: a:1\r\nx-name: J\t\xfc\r\n" + length + b"\r\n"
    )


@pytest.mark.parametrize(
    "value", ["a\rb", "a\nb", "a\r\nx-evil: 1", "a\0b", "\x7f", "\x1b[0m", "日本", "\ud800"]
)
def test_a_header_value_that_could_end_its_line_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(RowError) as raised:
        write_head("GET", "/v2/x", {"host": "a", "authorization": value, "accept": "b"}, None)
    assert str(raised.value) == 'a request cannot have the value of the header "authorization"'
    assert raised.value.code == "input_invalid"


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "a\n", "a\0", "ü", "a(", " a", "a\t"])
def test_a_header_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(RowError, match=r"^a request cannot have a header named ") as raised:
        write_head("GET", "/v2/x", {"host": "a", name: "b"}, None)
    assert raised.value.code == "input_invalid"


@pytest.mark.parametrize("target", ["", "/a b", "/a\r\nhost: b", "/a\n", "/a\0", "/a\t", "/ü", "/\x7f"])
def test_a_target_that_could_end_its_line_is_refused(target: str) -> None:
    with pytest.raises(RowError, match=r"^a request cannot be sent to '") as raised:
        write_head("GET", target, {}, None)
    assert raised.value.code == "input_invalid"


@pytest.mark.parametrize("method", ["GET\r\nhost: b", "GET /", "G\0"])
def test_a_method_that_is_none_is_refused(method: str) -> None:
    with pytest.raises(RowError, match="a request cannot have this method"):
        write_head(method, "/v2/x", {"host": "a"}, None)
