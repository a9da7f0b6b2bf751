"""Packed bodies: what servers send under these names, and what is broken."""

from __future__ import annotations

import contextlib
import gzip
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.content_codings import decoded
from connector.errors import AnswerLost

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
    with pytest.raises(AnswerLost, match="the answer's encoding is broken: ") as raised:
        decoded(body, codings)
    assert raised.value.code == "bad_response"


@settings(deadline=None)
@given(st.sampled_from(["gzip", "deflate"]), st.binary())
def test_any_bytes_are_unpacked_or_refused(codings: str, body: bytes) -> None:
    with contextlib.suppress(AnswerLost):
        decoded(body, codings)


@settings(deadline=None)
@given(st.binary(max_size=300), st.data())
def test_no_part_of_a_packed_body_passes_for_all_of_it(text: bytes, data: st.DataObject) -> None:
    for codings, body in (("gzip", packed(text)), ("deflate", zlib.compress(text))):
        part = body[: data.draw(st.integers(0, len(body) - 1))]
        with pytest.raises(AnswerLost):
            decoded(part, codings)
