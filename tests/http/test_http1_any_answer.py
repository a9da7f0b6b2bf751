"""Any HTTP/1.1 response, in chunks of any size, and with invalid bytes in it."""

from __future__ import annotations

import contextlib
import gzip
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ResponseLostError
from connector.http.messages import Response
from tests.examples import examples
from tests.http.http1_answers import CHUNKED, OK, pieces, read


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
    # the line break behind a chunk is read strictly
    chunks = b"".join(b"%x%s%s\r\n" % (len(c), end, c) for c in pieces(data, cuts))
    return chunks + b"0" + end + b"x-t: 1" + end + end


_cuts = st.lists(st.integers(0, 1 << 16), max_size=20)


@examples()
@given(answers(), _cuts)
def test_an_answer_is_read_alike_in_whatever_pieces_it_comes(sent: Sent, cuts: list[int]) -> None:
    expected = (Response(sent.status, sent.headers, sent.body), sent.has_end)
    assert read(*pieces(sent.data, cuts)) == expected
    assert read(*(sent.data[i : i + 1] for i in range(len(sent.data)))) == expected


@examples()
@given(answers(), st.integers(0, 1 << 16), _cuts)
def test_no_part_of_an_answer_passes_for_all_of_it(sent: Sent, where: int, cuts: list[int]) -> None:
    part = sent.data[: where % len(sent.data)]
    try:
        response, may_be_followed = read(*pieces(part, cuts))
    except ResponseLostError:
        return
    # Only the end of the connection says where such an answer ends: nothing can tell.
    assert not sent.has_end
    assert not may_be_followed
    assert sent.body.startswith(response.body)


@examples()
@given(st.one_of(st.binary(), st.binary().map(OK.__add__), st.binary().map(CHUNKED.__add__)), _cuts)
def test_garbage_is_refused_or_read_alike_in_whatever_pieces_it_comes(data: bytes, cuts: list[int]) -> None:
    assert _outcome(pieces(data, cuts)) == _outcome([data])


def _outcome(parts: list[bytes]) -> object:
    try:
        # Whether another may follow depends on when the bytes behind it come.
        return read(*parts)[0]
    except ResponseLostError as error:
        return error.code


@examples()
@given(answers(), st.integers(0, 1 << 16), st.binary(min_size=1, max_size=4))
def test_an_answer_with_garbage_in_it_is_read_or_refused(sent: Sent, where: int, garbage: bytes) -> None:
    at = where % len(sent.data)
    with contextlib.suppress(ResponseLostError):
        read(sent.data[:at] + garbage + sent.data[at + len(garbage) :])
