"""HTTP/1.1, byte by byte: what is written, what is read, and what is refused as no whole answer."""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import AnswerLost, RowError
from connector.http import http1
from connector.http.http1 import (
    LONGEST_HEAD,
    MOST_HEADERS,
    MOST_INTERIM_ANSWERS,
    Connection,
    read_answer,
    write_head,
)
from connector.http.messages import Response

OK = b"HTTP/1.1 200 OK\r\n"


def receiving(pieces: Iterable[bytes]) -> Callable[[int], bytes]:
    """A connection on which `pieces` come one by one, and then its end."""
    left = iter(pieces)

    def receive(size: int) -> bytes:
        piece = next(left, b"")
        assert len(piece) <= size
        return piece

    return receive


def read(*pieces: bytes, method: str = "GET") -> tuple[Response, bool]:
    return read_answer(receiving(pieces), method)


# Requests


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
    assert str(raised.value) == 'no request can carry the value of the header "authorization"'
    assert raised.value.code == "input_invalid"


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "a\n", "a\0", "ü", "a(", " a", "a\t"])
def test_a_header_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(RowError, match=r"^no request can carry a header named ") as raised:
        write_head("GET", "/v2/x", {"host": "a", name: "b"}, None)
    assert raised.value.code == "input_invalid"


@pytest.mark.parametrize("target", ["", "/a b", "/a\r\nhost: b", "/a\n", "/a\0", "/a\t", "/ü", "/\x7f"])
def test_a_target_that_could_end_its_line_is_refused(target: str) -> None:
    with pytest.raises(RowError, match=r"^no request can go to '") as raised:
        write_head("GET", target, {}, None)
    assert raised.value.code == "input_invalid"


@pytest.mark.parametrize("method", ["GET\r\nhost: b", "GET /", "G\0"])
def test_a_method_that_is_none_is_refused(method: str) -> None:
    with pytest.raises(RowError, match="no request can carry this method"):
        write_head(method, "/v2/x", {"host": "a"}, None)


# Answers


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
        pytest.param(OK + b"Transfer-Encoding: chunked\n\n2\n{}\n0\n\n", 200, b"{}", id="chunks, line feeds"),
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
    answer, may_be_followed = read(data)
    assert (answer.status, answer.body) == (status, body)
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
    answer, may_be_followed = read(data)
    assert answer.body == body
    assert not may_be_followed


def test_an_old_server_may_keep_the_connection() -> None:
    answer, may_be_followed = read(
        b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\n{}"
    )
    assert answer.body == b"{}"
    assert may_be_followed


@pytest.mark.parametrize("framing", [b"Content-Length: 5", b"Transfer-Encoding: chunked", b"X: y"])
def test_an_answer_to_head_has_no_body(framing: bytes) -> None:
    answer, may_be_followed = read(OK + framing + b"\r\nContent-Encoding: gzip\r\n\r\n", method="HEAD")
    assert (answer.body, may_be_followed) == (b"", True)


def test_header_names_are_lower_case_and_repeated_headers_are_joined() -> None:
    answer, _ = read(
        OK + b"X-One:  a \r\nSet-Cookie: b=1\r\nSET-COOKIE: c=2\r\n"
        b"X-Empty:\r\nX-Odd: \xfc\x01\r\nContent-Length: 0\r\n\r\n"
    )
    assert answer.headers == {
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
    with pytest.raises(AnswerLost, match="encoding is broken"):
        read(OK + b"Content-Encoding: gzip\r\n\r\n" + packed[:-1])


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        # Where an answer ends is not told in two ways, nor in one that can be read in two ways.
        (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "in two ways how long"),
        (OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}", "in two ways how long"),
        (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "its length is '2, 3'"),
        (OK + b"Content-Length: 2, 3\r\n\r\n{}", "its length is '2, 3'"),
        (OK + b"Content-Length: 2,\r\n\r\n{}", "its length is"),
        (OK + b"Content-Length: \r\n\r\n{}", "its length is ''"),
        (OK + b"Content-Length: -2\r\n\r\n{}", "its length is"),
        (OK + b"Content-Length: +2\r\n\r\n{}", "its length is"),
        (OK + b"Content-Length: 0x2\r\n\r\n{}", "its length is"),
        (OK + b"Content-Length: 2_0\r\n\r\n{}", "its length is"),
        (OK + b"Content-Length: \xb2\r\n\r\n{}", "its length is"),
        (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}", "its length is"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "encoding is 'gzip, chunked'"),
        (OK + b"Transfer-Encoding: identity\r\n\r\n{}", "its transfer encoding"),
        (OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "its transfer encoding"),
        (OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n", "its transfer encoding"),
        (OK + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "among its headers"),
        (OK + b"Content-Length : 2\r\n\r\n{}", "among its headers"),
        # No heads.
        (OK + b"no header\r\n\r\n", "among its headers"),
        (OK + b": no name\r\n\r\n", "among its headers"),
        (OK + b"a b: c\r\n\r\n", "among its headers"),
        (OK + b"a: b\rc: d\r\n\r\n", "among its headers"),
        (OK + b"a: b\0\r\n\r\n", "among its headers"),
        (b"HTTP/1.1 200 O\0K\r\n\r\n", "its first line"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "its first line"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "its first line"),
        (b"HTTP/1.1 099 OK\r\n\r\n", "its first line"),
        (b"HTTP/1.1  200 OK\r\n\r\n", "its first line"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "its first line"),
        (b"HTTP/1.1\r\n\r\n", "its first line"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "does not begin as one"),
        (b"SSH-2.0-OpenSSH\r\n", "does not begin as one"),
        (b"\r\n\r\n\r\n\r\n", "does not begin as one"),
        (b"\r\n" + OK + b"\r\n", "does not begin as one"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "another protocol"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(AnswerLost, match=r"^the answer is not HTTP/1.1: .*" + re.escape(why)) as raised:
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
        # Chunks that are not what they say.
        CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"2\r\n{}0\r\n\r\n",
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
    with pytest.raises(AnswerLost, match=r"^the answer was cut short$") as raised:
        read(data)
    assert raised.value.code == "bad_response"


@pytest.mark.parametrize(
    "data", [b"", b"H", b"HTTP/1.1 200 OK", OK, OK + b"a: b\r\n", b"HTTP/1.1 100 C\r\n\r\n"]
)
def test_a_connection_that_ends_before_the_headers_do(data: bytes) -> None:
    with pytest.raises(AnswerLost, match=r"^the connection broke .*: the server closed it$") as raised:
        read(data)
    assert raised.value.code == "network_error"


def _endless(beginning: bytes, piece: bytes) -> Iterator[bytes]:
    yield beginning
    yield from repeat(piece, 1 << 20)
    raise AssertionError("all of it was read")


@pytest.mark.parametrize(
    "pieces",
    [
        _endless(b"HTTP/1.1 200 ", b"x" * 1000),
        _endless(OK, b"a: b\r\n"),
        _endless(OK + b"a: ", b"b" * 1000),
        _endless(b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        _endless(CHUNKED, b"0" * 10),
        _endless(CHUNKED + b"2;", b"x" * 10),
        _endless(CHUNKED + b"2\r\n{}", b"x" * 10),
        _endless(CHUNKED + b"0\r\n", b"a: b\r\n"),
        _endless(CHUNKED + b"0\r\na: ", b"b" * 1000),
    ],
)
def test_what_does_not_end_is_not_read_for_ever(pieces: Iterator[bytes]) -> None:
    with pytest.raises(AnswerLost) as raised:
        read_answer(receiving(pieces), "GET")
    assert raised.value.code == "bad_response"


@pytest.mark.parametrize("step", [1, 1000, 1 << 16])
@pytest.mark.parametrize("too_many", [0, 1])
def test_how_long_a_head_may_be(step: int, too_many: int) -> None:
    head = OK + b"content-length: 2\r\nx: "
    head += b"y" * (LONGEST_HEAD - len(head) - 1 + too_many) + b"\r\n\r\n{}"
    pieces = [head[i : i + step] for i in range(0, len(head), step)]
    if too_many:
        with pytest.raises(AnswerLost, match=f"{LONGEST_HEAD} bytes at most"):
            read(*pieces)
    else:
        assert read(*pieces)[0].body == b"{}"


@pytest.mark.parametrize("too_many", [0, 1])
def test_how_many_headers_there_may_be(too_many: int) -> None:
    data = OK + b"Content-Length: 0\r\n" + b"a: b\r\n" * (MOST_HEADERS - 1 + too_many) + b"\r\n"
    if too_many:
        with pytest.raises(AnswerLost, match="it has 201 headers"):
            read(data)
    else:
        assert read(data)[0].headers["a"].count("b") == MOST_HEADERS - 1


@pytest.mark.parametrize("too_many", [0, 1])
def test_how_many_interim_answers_there_may_be(too_many: int) -> None:
    interim = b"HTTP/1.1 102 Processing\r\n\r\n" * (MOST_INTERIM_ANSWERS - 1 + too_many)
    if too_many:
        with pytest.raises(AnswerLost, match="interim"):
            read(interim + OK + b"Content-Length: 0\r\n\r\n")
    else:
        assert read(interim + OK + b"Content-Length: 0\r\n\r\n")[0].status == 200


def test_after_a_body_that_was_not_taken_whole_there_is_no_other_exchange() -> None:
    ours, theirs = socket.socketpair()

    class Refusing(socket.socket):
        def sendall(self, data: Any, flags: int = 0) -> None:
            raise BrokenPipeError

    with theirs, Refusing(fileno=ours.detach()) as refusing:
        connection = Connection(refusing)
        theirs.sendall(OK + b"Content-Length: 2\r\n\r\n{}")
        assert connection.exchange("POST", "/v2/x", {}, b"{}").body == b"{}"
        assert not connection.is_stale()
        assert not connection.reusable


# Any answer, in any pieces


@dataclass(frozen=True)
class Sent:
    """An answer as a server sends it, and what is to be read of it."""

    data: bytes
    status: int
    headers: dict[str, str]
    body: bytes
    has_end: bool


_names = st.from_regex(r"\Ax-[a-z0-9!#$%&'*+.^_`|~-]{0,8}\Z")
_values = st.text('abc :;,=\t"\u00fc()', max_size=12)


@st.composite
def answers(draw: st.DrawFn) -> Sent:
    end = draw(st.sampled_from([b"\r\n", b"\r\n", b"\n"]))
    status = draw(st.sampled_from([200, 201, 204, 304, 404, 500]))
    extra = draw(st.dictionaries(_names, _values, max_size=4))
    body = b"" if status in (204, 304) else draw(st.binary(max_size=60))
    packed = gzip.compress(body, mtime=0) if (is_packed := draw(st.booleans())) else body
    headers = {**extra, **({"content-encoding": "gzip"} if is_packed else {})}
    has_end = True
    if status in (204, 304):
        sent = b""
    elif (framing := draw(st.sampled_from(["length", "chunks", "close"]))) == "length":
        headers["content-length"] = str(len(packed))
        sent = packed
    elif framing == "chunks":
        headers["transfer-encoding"] = "chunked"
        sent = _in_chunks(packed, draw(st.lists(st.integers(0, len(packed)), max_size=4)), end)
    else:
        sent, has_end = packed, False
    lines = [b"HTTP/1.1 %d Reason" % status]
    lines += [f"{name.title()}: {value}".encode("latin-1") for name, value in headers.items()]
    interim = (b"HTTP/1.1 100 Continue" + end + end) * draw(st.integers(0, 2))
    stripped = {name: value.strip(" \t") for name, value in headers.items()}
    return Sent(interim + end.join([*lines, b"", b""]) + sent, status, stripped, body, has_end)


def _in_chunks(data: bytes, cuts: list[int], end: bytes) -> bytes:
    chunks = pieces(data, cuts)
    return b"".join(b"%x%s%s%s" % (len(c), end, c, end) for c in chunks) + b"0" + end + b"x-t: 1" + end + end


def pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    bounds = sorted({0, *(cut % (len(data) + 1) for cut in cuts), len(data)})
    return [data[a:b] for a, b in pairwise(bounds)]


_cuts = st.lists(st.integers(0, 1 << 16), max_size=20)


@settings(deadline=None)
@given(answers(), _cuts)
def test_an_answer_is_read_alike_in_whatever_pieces_it_comes(sent: Sent, cuts: list[int]) -> None:
    expected = (Response(sent.status, sent.headers, sent.body), sent.has_end)
    assert read(*pieces(sent.data, cuts)) == expected
    assert read(*(sent.data[i : i + 1] for i in range(len(sent.data)))) == expected


@settings(deadline=None)
@given(answers(), st.integers(0, 1 << 16), _cuts)
def test_no_part_of_an_answer_passes_for_all_of_it(sent: Sent, where: int, cuts: list[int]) -> None:
    part = sent.data[: where % len(sent.data)]
    try:
        answer, may_be_followed = read(*pieces(part, cuts))
    except AnswerLost:
        return
    # Only the end of the connection says where such an answer ends: nothing can tell.
    assert not sent.has_end
    assert not may_be_followed
    assert sent.body.startswith(answer.body)


@settings(deadline=None)
@given(st.one_of(st.binary(), st.binary().map(OK.__add__), st.binary().map(CHUNKED.__add__)), _cuts)
def test_garbage_is_refused_or_read_alike_in_whatever_pieces_it_comes(data: bytes, cuts: list[int]) -> None:
    assert _outcome(pieces(data, cuts)) == _outcome([data])


def _outcome(parts: list[bytes]) -> object:
    try:
        # Whether another may follow depends on when the bytes behind it come.
        return read(*parts)[0]
    except AnswerLost as error:
        return error.code


@settings(deadline=None)
@given(answers(), st.integers(0, 1 << 16), st.binary(min_size=1, max_size=4))
def test_an_answer_with_garbage_in_it_is_read_or_refused(sent: Sent, where: int, garbage: bytes) -> None:
    at = where % len(sent.data)
    with contextlib.suppress(AnswerLost):
        read(sent.data[:at] + garbage + sent.data[at + len(garbage) :])


@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffff\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + (b"1000\r\n" + bytes(4096) + b"\r\n") * 20,
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_a_body_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch, beginning: bytes) -> None:
    monkeypatch.setattr(http1, "LARGEST_BODY", 50_000)
    received = 0

    def receive(size: int) -> bytes:
        nonlocal received
        data = bytes(1000) if received else beginning
        received += len(data)
        return data

    with pytest.raises(AnswerLost, match="more than 50,000 bytes") as caught:
        read_answer(receive, "GET")
    assert caught.value.code == "bad_response"
    assert received < 52_000 + len(beginning)
