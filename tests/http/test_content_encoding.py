"""Compressed bodies: the encodings that servers send, and damaged ones."""

from __future__ import annotations

import contextlib
import gzip
import os
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ResponseLostError, ResponseTooLargeError
from connector.http.content_encoding import decoded
from tests.examples import examples

TEXT = b'{"a":1}' * 50


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("codings", "body"),
    [
        ("gzip", packed(TEXT)),
        ("x-gzip", packed(TEXT)),
        (" GZip ", packed(TEXT)),
        ("gzip", packed(TEXT[:100]) + packed(b"") + packed(TEXT[100:])),
        ("gzip", packed(TEXT) + bytes(512)),
        ("gzip", packed(TEXT) + b"and more"),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("deflate, gzip", packed(zlib.compress(TEXT))),
        ("gzip,gzip", packed(packed(TEXT))),
        ("identity", TEXT),
        ("gzip, identity", packed(TEXT)),
        ("", TEXT),
        ("br", TEXT),
        ("br, gzip", packed(TEXT)),
        ("utf-8", TEXT),
    ],
)
def test_a_body_is_unpacked(codings: str, body: bytes) -> None:
    assert decoded(body, codings) == TEXT


def test_under_a_coding_that_nobody_asked_for_nothing_is_unpacked() -> None:
    body = packed(TEXT)
    assert decoded(body, "gzip, br") == body


@pytest.mark.parametrize(
    ("codings", "body"),
    [
        ("gzip", TEXT),
        ("gzip", zlib.compress(TEXT)),
        ("gzip", packed(TEXT)[:-1]),
        ("gzip", packed(TEXT)[:-9]),
        ("gzip", packed(TEXT)[:5]),
        ("gzip", packed(TEXT) + packed(TEXT)[:-1]),
        ("gzip", packed(TEXT)[:-8] + bytes(8)),
        ("deflate", TEXT),
        ("deflate", zlib.compress(TEXT)[:-1]),
        ("deflate", raw_deflate(TEXT)[:-1]),
        ("gzip, deflate", zlib.compress(TEXT)),
    ],
)
def test_a_broken_or_short_body_is_none(codings: str, body: bytes) -> None:
    with pytest.raises(ResponseLostError, match="the response's compression is damaged: ") as raised:
        decoded(body, codings)
    assert raised.value.code == "bad_response"


@examples()
@given(st.sampled_from(["gzip", "deflate"]), st.binary())
def test_any_bytes_are_unpacked_or_refused(codings: str, body: bytes) -> None:
    with contextlib.suppress(ResponseLostError):
        decoded(body, codings)


@examples()
@given(st.binary(max_size=300), st.data())
def test_no_part_of_a_packed_body_passes_for_all_of_it(text: bytes, data: st.DataObject) -> None:
    for codings, body in (("gzip", packed(text)), ("deflate", zlib.compress(text))):
        part = body[: data.draw(st.integers(0, len(body) - 1))]
        with pytest.raises(ResponseLostError):
            decoded(part, codings)


def bomb(layers: int, size: int) -> bytes:
    data = bytes(size)
    for _ in range(layers):
        data = packed(data)
    return data


@pytest.mark.parametrize(
    ("codings", "body"),
    [
        ("gzip", bomb(1, 200_000)),
        ("gzip, gzip", bomb(2, 200_000)),
        ("gzip", packed(bytes(60_000)) + packed(bytes(60_000))),
        ("deflate", zlib.compress(bytes(200_000))),
        ("deflate", raw_deflate(bytes(200_000))),
    ],
)
def test_a_body_over_the_limit_is_not_decompressed(codings: str, body: bytes) -> None:
    with pytest.raises(ResponseTooLargeError, match=r"exceeds 100,000 bytes; .*largest_body_mb") as caught:
        decoded(body, codings, 100_000)
    assert caught.value.code == "bad_response"
    assert len(decoded(packed(bytes(100_000)), "gzip", 100_000)) == 100_000


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_takes_no_more_memory_than_the_limit(coding: str) -> None:
    body = bomb(1, 50_000_000) if coding == "gzip" else zlib.compress(bytes(50_000_000))
    assert peak_memory(lambda: _fails(body, coding, 4_000_000)) < 7_000_000


def test_a_body_within_the_limit_is_held_once() -> None:
    size = 40_000_000
    assert peak_memory(lambda: decoded(bomb(1, size), "gzip")) < size * 1.3


def test_many_small_members_cost_little() -> None:
    member = packed(b"")
    start = time.process_time()
    with pytest.raises(ResponseLostError, match="more than 10,000 members"):
        decoded(member * 500_000, "gzip")
    assert time.process_time() - start < 5
    assert decoded(packed(b"a") * 5_000, "gzip") == b"a" * 5_000


def test_a_long_list_of_codings_is_refused() -> None:
    with pytest.raises(ResponseLostError, match="has 5 content encodings, more than 4"):
        decoded(packed(b"{}"), "gzip, " * 4 + "gzip")


@pytest.mark.parametrize("size", [(1 << 16) - 1, 1 << 16, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
@pytest.mark.parametrize("data", ["zeros", "random"])
def test_bodies_around_the_sizes_of_blocks(size: int, data: str) -> None:
    body = bytes(size) if data == "zeros" else os.urandom(size)
    assert decoded(packed(body), "gzip") == body
    assert decoded(packed(body) + packed(b"more"), "gzip") == body + b"more"
    assert decoded(zlib.compress(body), "deflate") == body
    assert decoded(raw_deflate(body), "deflate") == body


def _fails(body: bytes, coding: str, largest: int) -> None:
    with pytest.raises(ResponseTooLargeError):
        decoded(body, coding, largest)


def peak_memory(work: Callable[[], object]) -> int:
    """The most bytes that a piece of work holds at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
