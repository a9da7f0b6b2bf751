"""Packed bodies: what servers send under these names, and what is broken."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ResponseLostError
from connector.http import content_encoding
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
    with pytest.raises(ResponseLostError, match="the answer's encoding is broken: ") as raised:
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
def test_what_unpacks_to_too_much_is_not_unpacked(
    monkeypatch: pytest.MonkeyPatch, codings: str, body: bytes
) -> None:
    monkeypatch.setattr(content_encoding, "LARGEST_BODY", 100_000)
    with pytest.raises(ResponseLostError, match="it has more than 100,000 bytes") as caught:
        decoded(body, codings)
    assert caught.value.code == "bad_response"
    assert len(decoded(packed(bytes(100_000)), "gzip")) == 100_000


def test_a_bomb_takes_no_more_memory_than_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    body = bomb(1, 50_000_000)
    monkeypatch.setattr(content_encoding, "LARGEST_BODY", 1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(ResponseLostError):
            decoded(body, "gzip")
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
