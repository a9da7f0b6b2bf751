"""Unpacking an answer's body: gzip and deflate, which requests ask for (RFC 9110, 8.4)."""

from __future__ import annotations

import zlib

from connector.errors import ResponseLostError

LARGEST_BODY = 1 << 29
"""Bytes of an answer's body, unpacked: a thousand times as many may come of what is sent."""

_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


def decoded(body: bytes, codings: str) -> bytes:
    """Undo the `codings` of a Content-Encoding header, the last one first.

    A body in another coding is returned as it is. Raises ResponseLostError (`bad_response`) for one
    that is broken or ends too early.
    """
    names = [name.strip().lower() for name in codings.split(",")]
    try:
        while names and names[-1] in ("gzip", "x-gzip", "deflate", "identity", ""):
            name = names.pop()
            if name == "deflate":
                body = _inflated(body)
            elif name.endswith("gzip"):
                body = _gunzipped(body)
    except (zlib.error, EOFError) as error:
        raise ResponseLostError(f"the answer's encoding is broken: {error}", "bad_response") from error
    return body


def _inflated(body: bytes) -> bytes:
    """Undo deflate, which some servers send without the wrapper that belongs around it."""
    try:
        return _unpacked(body, _ZLIB)[0]
    except zlib.error:
        return _unpacked(body, _RAW)[0]


def _gunzipped(body: bytes) -> bytes:
    """Undo gzip, of one member or of several. What follows them and is none is ignored, as `gzip` does."""
    unpacked, rest = _unpacked(body, _GZIP)
    members, left = [unpacked], LARGEST_BODY - len(unpacked)
    while rest:
        try:
            unpacked, rest = _unpacked(rest, _GZIP, left)
        except zlib.error:
            break
        members.append(unpacked)
        left -= len(unpacked)
    return b"".join(members)


def _unpacked(body: bytes, kind: int, most: int | None = None) -> tuple[bytes, bytes]:
    """Unpack one stream; give what stood in it and what stands behind it."""
    most = LARGEST_BODY if most is None else most
    stream = zlib.decompressobj(kind)
    unpacked = stream.decompress(body, most + 1)
    if len(unpacked) > most:
        raise EOFError(f"it has more than {LARGEST_BODY:,} bytes")
    if not stream.eof:
        raise EOFError("it ends too early")
    return unpacked, stream.unused_data
