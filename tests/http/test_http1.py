"""Reading HTTP/1.1: valid responses, invalid ones, and whether another one can follow."""

from __future__ import annotations

import gzip
import re
import socket
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, repeat
from typing import Any

import pytest

from connector.errors import ResponseLostError, ResponseTooLargeError
from connector.http.framing import MAX_HEAD_BYTES, MAX_INTERIM_RESPONSES
from connector.http.http1 import HttpConnection
from tests.http.http1_answers import CHUNKED, OK, READERS, read, receiving

both = pytest.mark.parametrize("reader", READERS)


@pytest.mark.parametrize(
    ("data", "status", "body"),
    [
        pytest.param(OK + b"Content-Length: 2\r\n\r\n{}", 200, b"{}", id="length"),
        pytest.param(OK + b"Content-Length: 0\r\n\r\n", 200, b"", id="empty"),
        pytest.param(OK + b"content-length:\t2 \r\n\r\n{}", 200, b"{}", id="spaces around a value"),
        pytest.param(OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}", id="length twice"),
        pytest.param(OK + b"Content-Length: 2, 2\r\n\r\n{}", 200, b"{}", id="length twice in one"),
        pytest.param(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}", id="no reason"),
        pytest.param(b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}", 200, b"{}", id="empty reason"),
        pytest.param(b"HTTP/1.1 200 \xfc\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}", id="odd reason"),
        pytest.param(b"HTTP/1.1 599 ?\r\nContent-Length: 2\r\n\r\n{}", 599, b"{}", id="unknown status"),
        pytest.param(b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", 200, b"{}", id="bare line feeds"),
        pytest.param(OK + b"Content-Length:\r\n 2\r\n\r\n{}", 200, b"{}", id="folded header"),
        pytest.param(
            OK + b"Transfer-Encoding:\r\n chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 200, b"{}", id="folded"
        ),
        pytest.param(
            OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 200, b"{}", id="chunks"
        ),
        pytest.param(
            OK + b"Transfer-Encoding: Chunked\r\n\r\n0002 ;a=b;c\r\n{}\r\n000\r\nx-sum: 1\r\ny: 2\r\n\r\n",
            200,
            b"{}",
            id="chunk extensions and trailers",
        ),
        pytest.param(
            OK + b"Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n",
            200,
            b"0123456789",
            id="hex",
        ),
        pytest.param(
            OK + b"Transfer-Encoding:\tchunked \t\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 200, b"{}", id="chunked, tab"
        ),
        pytest.param(
            OK + b"Transfer-Encoding: chunked\n\n2\n{}\r\n0\n\n", 200, b"{}", id="chunks, line feeds"
        ),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n"
            + OK
            + b"Content-Length: 2\r\n\r\n{}",
            200,
            b"{}",
            id="interim answers",
        ),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", id="204"),
        pytest.param(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b"", id="304"),
    ],
)
def test_an_answer_that_another_may_follow(data: bytes, status: int, body: bytes) -> None:
    response, may_be_followed = read(data)
    assert (response.status, response.body) == (status, body)
    assert may_be_followed


@pytest.mark.parametrize(
    ("data", "body"),
    [
        pytest.param(OK + b"\r\n{}", b"{}", id="ends with the connection"),
        pytest.param(OK + b"\r\n", b"", id="ends with the connection, empty"),
        pytest.param(OK + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}", b"{}", id="close"),
        pytest.param(
            OK + b"Content-Length: 2\r\nConnection: x, Close\r\n\r\n{}", b"{}", id="close in a list"
        ),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}", id="HTTP/1.0"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n{}", b"{}", id="HTTP/1.0, ends with the connection"),
        pytest.param(
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\n{}\r\n0\r\n\r\n",
            b"{}",
            id="HTTP/1.0 in chunks",
        ),
        pytest.param(OK + b"Content-Length: 2\r\n\r\n{}H", b"{}", id="more than its length"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nH", b"", id="more than its chunks"),
        pytest.param(b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", b"", id="204 with a length"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n{}", b"", id="204 with a body"),
        pytest.param(
            b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"",
            id="204 with chunks to come",
        ),
    ],
)
def test_an_answer_that_none_may_follow(data: bytes, body: bytes) -> None:
    response, may_be_followed = read(data)
    assert response.body == body
    assert not may_be_followed


def test_an_old_server_may_keep_the_connection() -> None:
    response, may_be_followed = read(
        b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\n{}"
    )
    assert response.body == b"{}"
    assert may_be_followed


@pytest.mark.parametrize("framing", [b"Content-Length: 5", b"Transfer-Encoding: chunked", b"X: y"])
def test_an_answer_to_head_has_no_body(framing: bytes) -> None:
    response, may_be_followed = read(OK + framing + b"\r\nContent-Encoding: gzip\r\n\r\n", method="HEAD")
    assert (response.body, may_be_followed) == (b"", True)


def test_header_names_are_lower_case_and_repeated_headers_are_joined() -> None:
    response, _ = read(
        OK + b"X-One:  a \r\nSet-Cookie: b=1\r\nSET-COOKIE: c=2\r\n"
        b"X-Empty:\r\nX-Odd: \xfc\x01\r\nContent-Length: 0\r\n\r\n"
    )
    assert response.headers == {
        "x-one": "a",
        "set-cookie": "b=1, c=2",
        "x-empty": "",
        "x-odd": "ü\x01",
        "content-length": "0",
    }


def test_a_packed_answer_is_unpacked_and_its_length_is_that_of_the_packed_one() -> None:
    packed = gzip.compress(b"{}" * 100)
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    assert read(head + packed)[0].body == b"{}" * 100
    assert read(OK + b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n")[0].body == b""
    with pytest.raises(ResponseLostError, match="compression is damaged"):
        read(OK + b"Content-Encoding: gzip\r\n\r\n" + packed[:-1])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        # Where an answer ends is not told in two ways, nor in one that can be read in two ways.
        (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "both a length and a"),
        (OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}", "both a length and a"),
        (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "its Content-Length is '2, 3'"),
        (OK + b"Content-Length: 2, 3\r\n\r\n{}", "its Content-Length is '2, 3'"),
        (OK + b"Content-Length: 2,\r\n\r\n{}", "its Content-Length is"),
        (OK + b"Content-Length: \r\n\r\n{}", "its Content-Length is ''"),
        (OK + b"Content-Length: -2\r\n\r\n{}", "its Content-Length is"),
        (OK + b"Content-Length: +2\r\n\r\n{}", "its Content-Length is"),
        (OK + b"Content-Length: 0x2\r\n\r\n{}", "its Content-Length is"),
        (OK + b"Content-Length: 2_0\r\n\r\n{}", "its Content-Length is"),
        (OK + b"Content-Length: \xb2\r\n\r\n{}", "its Content-Length is"),
        (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}", "its Content-Length is"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "encoding is 'gzip, chunked'"),
        (OK + b"Transfer-Encoding: identity\r\n\r\n{}", "its transfer encoding"),
        (OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "its transfer encoding"),
        (OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n", "its transfer encoding"),
        (OK + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "headers is malformed"),
        (OK + b"Content-Length : 2\r\n\r\n{}", "headers is malformed"),
        # No heads.
        (OK + b"no header\r\n\r\n", "headers is malformed"),
        (OK + b": no name\r\n\r\n", "headers is malformed"),
        (OK + b"a b: c\r\n\r\n", "headers is malformed"),
        (OK + b"a: b\rc: d\r\n\r\n", "headers is malformed"),
        (OK + b"a: b\0\r\n\r\n", "headers is malformed"),
        (b"HTTP/1.1 200 O\0K\r\n\r\n", "its first line"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "its first line"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "its first line"),
        (b"HTTP/1.1 099 OK\r\n\r\n", "its first line"),
        (b"HTTP/1.1  200 OK\r\n\r\n", "its first line"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "its first line"),
        (b"HTTP/1.1\r\n\r\n", "its first line"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "does not begin with HTTP"),
        (b"SSH-2.0-OpenSSH\r\n", "does not begin with HTTP"),
        (b"\r\n\r\n\r\n\r\n", "does not begin with HTTP"),
        (b"\r\n" + OK + b"\r\n", "does not begin with HTTP"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "another protocol"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(
        ResponseLostError, match=r"^the response is not HTTP/1.1: .*" + re.escape(why)
    ) as raised:
        read(data, *repeat(b"x", 50))
    assert raised.value.code == "bad_response"


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Content-Length: 3\r\n\r\n{}",
        OK + b"Content-Length: 2\r\n\r\n",
        CHUNKED,
        CHUNKED + b"2\r\n{",
        CHUNKED + b"2\r\n{}",
        CHUNKED + b"2\r\n{}\r\n",
        CHUNKED + b"2\r\n{}\r\n0\r\n",
        CHUNKED + b"2\r\n{}\r\n0\r\nx: y\r\n",
        CHUNKED + b"2\r\n{}\r\n0\r\nx y\r\n\r\n",
        CHUNKED + b"2\r\n{}\r\n0\r\nx: y\r\n: z\r\n\r\n",
        # Chunks that are not what they say.
        CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"2\r\n{}0\r\n\r\n",
        CHUNKED + b"2\r\n{}XX0\r\n\r\n",
        CHUNKED + b"2\r\n{}\n0\r\n\r\n",
        CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b" 2\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"2 x\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"1000000000000000\r\n{}\r\n0\r\n\r\n",
    ],
)
def test_a_part_is_no_answer(data: bytes) -> None:
    with pytest.raises(ResponseLostError, match=r"^the response was cut short$") as raised:
        read(data)
    assert raised.value.code == "bad_response"


@pytest.mark.parametrize(
    "data", [b"", b"H", b"HTTP/1.1 200 OK", OK, OK + b"a: b\r\n", b"HTTP/1.1 100 C\r\n\r\n"]
)
def test_a_connection_that_ends_before_the_headers_do(data: bytes) -> None:
    with pytest.raises(ResponseLostError, match=r"^the connection broke .*: the server closed it$") as raised:
        read(data)
    assert raised.value.code == "network_error"


def _endless(beginning: bytes, piece: bytes) -> Iterator[bytes]:
    yield beginning
    yield from repeat(piece, 1 << 20)
    raise AssertionError("all of it was read")


@pytest.mark.parametrize(
    "pieces",
    [
        partial(_endless, b"HTTP/1.1 200 ", b"x" * 1000),
        partial(_endless, OK, b"a: b\r\n"),
        partial(_endless, OK + b"a: ", b"b" * 1000),
        partial(_endless, b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        partial(_endless, CHUNKED, b"0" * 10),
        partial(_endless, CHUNKED + b"2;", b"x" * 10),
        partial(_endless, CHUNKED + b"2\r\n{}", b"x" * 10),
        partial(_endless, CHUNKED + b"0\r\n", b"a: b\r\n"),
        partial(_endless, CHUNKED + b"0\r\na: ", b"b" * 1000),
    ],
)
@both
def test_what_does_not_end_is_not_read_for_ever(pieces: Callable[[], Iterator[bytes]], reader: str) -> None:
    with pytest.raises(ResponseLostError) as raised:
        READERS[reader](receiving(pieces()), "GET")
    assert raised.value.code == "bad_response"


@pytest.mark.parametrize("step", [1, 1000, 1 << 16])
@pytest.mark.parametrize("too_many", [0, 1])
def test_how_long_a_head_may_be(step: int, too_many: int) -> None:
    head = OK + b"content-length: 2\r\nx: "
    head += b"y" * (MAX_HEAD_BYTES - len(head) - 1 + too_many) + b"\r\n\r\n{}"
    pieces = [head[i : i + step] for i in range(0, len(head), step)]
    if too_many:
        with pytest.raises(ResponseLostError, match=f"{MAX_HEAD_BYTES} bytes"):
            read(*pieces)
    else:
        assert read(*pieces)[0].body == b"{}"


@pytest.mark.parametrize("too_many", [0, 1])
def test_how_many_headers_there_may_be(too_many: int) -> None:
    data = OK + b"Content-Length: 0\r\n" + b"a: b\r\n" * (99 - 1 + too_many) + b"\r\n"
    if too_many:
        with pytest.raises(ResponseLostError, match="got more than 100 headers"):
            read(data)
    else:
        assert read(data)[0].headers["a"].count("b") == 99 - 1


@pytest.mark.parametrize("too_many", [0, 1])
def test_how_many_interim_answers_there_may_be(too_many: int) -> None:
    interim = b"HTTP/1.1 102 Processing\r\n\r\n" * (MAX_INTERIM_RESPONSES - 1 + too_many)
    if too_many:
        with pytest.raises(ResponseLostError, match="interim"):
            read(interim + OK + b"Content-Length: 0\r\n\r\n")
    else:
        assert read(interim + OK + b"Content-Length: 0\r\n\r\n")[0].status == 200


def test_after_a_body_that_was_not_taken_whole_there_is_no_other_exchange() -> None:
    ours, theirs = socket.socketpair()

    class Refusing(socket.socket):
        def sendall(self, data: Any, flags: int = 0) -> None:
            raise BrokenPipeError

    with theirs, Refusing(fileno=ours.detach()) as refusing:
        connection = HttpConnection(refusing)
        theirs.sendall(OK + b"Content-Length: 2\r\n\r\n{}")
        assert connection.exchange("POST", "/v2/x", {}, b"{}").body == b"{}"
        assert not connection.is_stale()
        assert not connection.reusable


@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffff\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + (b"1000\r\n" + bytes(4096) + b"\r\n") * 20,
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
@both
def test_a_body_that_is_too_large_is_not_read(beginning: bytes, reader: str) -> None:
    received = 0

    def pieces() -> Iterator[bytes]:
        nonlocal received
        for piece in chain([beginning], repeat(bytes(1000))):
            received += len(piece)
            yield piece

    with pytest.raises(ResponseTooLargeError, match="exceeds 50,000 bytes") as caught:
        READERS[reader](receiving(pieces()), "GET", 50_000)
    assert caught.value.code == "bad_response"
    assert received < 52_000 + len(beginning)


@both
def test_a_body_in_tiny_chunks_is_held_once(reader: str) -> None:
    size = 30_000

    def peak() -> int:
        sent = receiving([CHUNKED, *[b"1\r\nx\r\n" * 10_000] * (size // 10_000), b"0\r\n\r\n"])
        tracemalloc.start()
        try:
            response, _ = READERS[reader](sent, "GET")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            assert response.body == b"x" * size

    # A list takes 10 times as much. Other threads of the process can use some memory, too, but not each time.
    assert any(peak() < 4 * size for _ in range(5))
