"""Responses of servers: heads, bodies, encodings, API errors, file names."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from connector.errors import RowError, TransportError
from connector.http.downloads import file_name
from connector.http.messages import Request, Response
from tests.fakes import FakeClock, FakeTransport, make_client
from tests.fuzz.target import JSON, Target, damaged, refused
from tests.http.http1_answers import READERS
from tests.kept_catalog import CATALOG

SERVICE = CATALOG.service("ninjaone")
ERROR = b'{"resultCode": "FAILURE", "errorMessage": "no", "incidentId": "i-1"}'
TEXT = b'{"a": [1, 2, 3]}' * 9


def _whole(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


SEEDS = [
    _whole("200 OK", TEXT, "content-type: application/json"),
    _whole("200 OK", gzip.compress(TEXT, mtime=0), "content-encoding: gzip"),
    _whole("200 OK", gzip.compress(bytes(3_000_000), mtime=0), "content-encoding: gzip, gzip"),
    _whole("200 OK", zlib.compress(TEXT), "content-encoding: deflate"),
    b"HTTP/1.1 100 Continue\r\n\r\n" + _whole("404 Not Found", ERROR, "content-type: application/json"),
    _whole("503 Unavailable", b"<html>slow down</html>", "content-type: text/html", "retry-after: 5"),
    _whole("429 Too Many", b"", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"),
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0;x=y\r\ntrailer: 1\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    _whole("200 OK", b"x", "content-disposition: attachment; filename*=UTF-8''..%2F%e2%82%ac.txt"),
    _whole("200 OK", b"x", 'content-disposition: attachment; filename*0="a"; filename*1*=b; filename="../c"'),
]
HEADERS = ["retry-after", "content-type", "content-disposition", "location", "x-request-id", "date"]
bodies = st.one_of(
    JSON.map(lambda value: json.dumps(value).encode()), st.binary(max_size=60), damaged([ERROR, TEXT])
)
answers = st.builds(
    Response,
    st.integers(100, 999),
    st.dictionaries(st.sampled_from(HEADERS), st.text(max_size=30), max_size=3),
    bodies,
)
inputs = st.one_of(
    st.tuples(
        damaged(SEEDS), st.lists(st.integers(1, 300), max_size=6), st.sampled_from(["GET", "POST", "HEAD"])
    ),
    st.tuples(answers, st.just([]), st.sampled_from(["GET", "POST", "DELETE"])),
)


def _receiver(data: bytes, sizes: list[int]) -> Callable[[int], bytes]:
    waiting, at = iter(sizes), 0

    def receive(most: int) -> bytes:
        nonlocal at
        start, at = at, at + min(most, next(waiting, most))
        return data[start:at]

    return receive


def _read(data: bytes, sizes: list[int], method: str, reader: str = "http.client") -> Any:
    try:
        return READERS[reader](_receiver(data, sizes), method)
    except TransportError as error:
        refused(error)
        return str(error)


def check(given: tuple[Any, list[int], str]) -> None:
    """Check that all libraries read a response alike in any chunks, and that an error fits an envelope."""
    response, sizes, method = given
    if not isinstance(response, Response):
        read = _read(response, [], method)
        for reader in READERS:
            in_pieces = _read(response, sizes, method, reader)
            if isinstance(read, str):
                assert read == in_pieces
            else:
                assert in_pieces[0] == read[0]
        if isinstance(read, str):
            return
        response = read[0]
    name = file_name(response)
    assert name
    assert not set(name) & set('/\\:\0\r\n"<>|?*')
    assert name.strip(". ") == name
    assert len(name.encode()) <= 100
    effect = {"GET": "read", "HEAD": "read", "POST": "write", "DELETE": "destructive"}[method]
    client = make_client(SERVICE, FakeTransport([response] * 9), FakeClock())
    try:
        client.send(Request(method, "/v2/x", effect=effect, idempotent=method != "POST")).json()  # type: ignore[arg-type]
    except RowError as error:
        refused(error)


TARGET = Target("answers", inputs, check)
