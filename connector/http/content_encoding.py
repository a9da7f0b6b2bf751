"""Decompression of response bodies: gzip and deflate, the encodings that requests accept (RFC 9110, 8.4)."""

from __future__ import annotations

import zlib
from io import BytesIO

from connector.errors import ResponseLostError, ResponseTooLargeError

MAX_BODY_BYTES = 64 << 20
"""The default maximum size of a response body in bytes, both compressed and decompressed."""
MAX_CODINGS = 4
MAX_MEMBERS = 10_000
"""The maximum number of members in a gzip body: millions of empty members would take minutes."""

_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_IN, _OUT = 1 << 16, 1 << 20
"""The maximum numbers of bytes that one decompression call reads and returns."""


def decoded(body: bytes, codings: str, largest: int = MAX_BODY_BYTES) -> bytes:
    """Return a body without the encodings that its Content-Encoding header lists, last one first.

    A body in an unsupported encoding is returned unchanged. Raises ResponseLostError (`bad_response`) if the
    body is damaged or ends too early, and ResponseTooLargeError if it has more than `largest` bytes.
    """
    names = [name.strip().lower() for name in codings.split(",")]
    if len(names) > MAX_CODINGS:
        message = f"the response has {len(names)} content encodings, more than {MAX_CODINGS}"
        raise ResponseLostError(message, "bad_response")
    try:
        while names and names[-1] in ("gzip", "x-gzip", "deflate", "identity", ""):
            name = names.pop()
            if name == "deflate":
                body = _inflated(body, largest)
            elif name.endswith("gzip"):
                body = _gunzipped(body, largest)
    except (zlib.error, EOFError) as error:
        raise ResponseLostError(f"the response's compression is damaged: {error}", "bad_response") from error
    return body


def _inflated(body: bytes, largest: int) -> bytes:
    """Decompress deflate; some servers omit the zlib header."""
    for kind in (_ZLIB, _RAW):
        output = BytesIO()
        try:
            _unpack(body, 0, kind, output, largest)
        except zlib.error:
            if kind == _RAW:
                raise
        else:
            break
    return output.getvalue()


def _gunzipped(body: bytes, largest: int) -> bytes:
    """Decompress gzip with one or more members. Other bytes after the members are ignored, as in `gzip`."""
    output = BytesIO()
    end = _unpack(body, 0, _GZIP, output, largest)
    members = 1
    while end < len(body):
        members += 1
        if members > MAX_MEMBERS:
            raise EOFError(f"the gzip data has more than {MAX_MEMBERS:,} members")
        size = output.tell()
        try:
            end = _unpack(body, end, _GZIP, output, largest)
        except zlib.error:
            output.truncate(size)
            break
    return output.getvalue()


def _unpack(body: bytes, start: int, kind: int, output: BytesIO, largest: int) -> int:
    """Decompress the stream that starts at `start` into `output`; return the position after its end.

    Uses no more memory than `output` and one block. Raises zlib.error, EOFError and ResponseTooLargeError.
    """
    stream = zlib.decompressobj(kind)
    data = memoryview(body)
    for at in range(start, len(body), _IN):
        block: bytes | memoryview = data[at : at + _IN]
        while block:
            output.write(stream.decompress(block, _OUT))
            if output.tell() > largest:
                raise too_large(largest)
            if stream.eof:
                return min(at + _IN, len(body)) - len(stream.unused_data)
            block = stream.unconsumed_tail
    # get the rest of the last block, because one call returns at most _OUT bytes
    output.write(stream.flush())
    if not stream.eof:
        raise EOFError("the data ends too early")
    return len(body) - len(stream.unused_data)


def too_large(largest: int) -> ResponseTooLargeError:
    """Return the error for a body of more than `largest` bytes."""
    limit = f"{largest / (1 << 20):g} MiB" if largest >= 1 << 20 else f"{largest:,} bytes"
    return ResponseTooLargeError(
        f"the response body exceeds {limit}; the connection's largest_body_mb sets the limit"
    )
