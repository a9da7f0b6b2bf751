"""Responses of real servers with random changes: the same for the same number, on every Python."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from random import Random

JSON = b'{"devices": [{"id": 1, "name": "a"}], "next": null}'
PACKED = base64.b64decode(
    "H4sIAAAAAAACA6tWSkkty0xOLVayUoiuVspMAdKGOgpKeYm5qUCmUqJSbSyIm1pRAuTmlebk1AIAbIFLaTMAAAA="
)  # JSON as gzip


def _response(status: str, *headers: str, body: bytes = b"", version: str = "1.1") -> bytes:
    return "\r\n".join([f"HTTP/{version} {status}", *headers, "", ""]).encode("latin-1") + body


def _length(body: bytes) -> str:
    return f"Content-Length: {len(body)}"


SEEDS = (
    _response(
        "200 OK",
        "Server: nginx",
        "Date: Sun, 29 Nov 2026 20:00:00 GMT",
        "Content-Type: application/json",
        _length(JSON),
        "Connection: keep-alive",
        "Strict-Transport-Security: max-age=31536000; includeSubDomains",
        body=JSON,
    ),
    _response(
        "200 ",
        "content-type: application/json;charset=UTF-8",
        "Transfer-Encoding: chunked",
        "Set-Cookie: a=b; Path=/",
        "Set-Cookie: c=d; Path=/",
        "Vary: Accept-Encoding",
        body=b"1f\r\n" + JSON[:31] + b"\r\n14\r\n" + JSON[31:] + b"\r\n0\r\n\r\n",
    ),
    _response(
        "200 OK",
        "Transfer-Encoding: chunked",
        "Content-Encoding: gzip",
        "Keep-Alive: timeout=5",
        body=b"%X\r\n" % len(PACKED) + PACKED + b"\r\n0\r\nx-sum: 1\r\n\r\n",
    ),
    _response("200 OK", "Content-Encoding: gzip", _length(PACKED), "Connection: close", body=PACKED),
    _response("204 No Content", "Date: Sun, 29 Nov 2026 20:00:00 GMT"),
    _response("304 Not Modified", "ETag: W/x", "Content-Length: 51"),
    _response("200 OK", "Content-Type: text/plain", body=b"until the end"),
    _response("200 OK", "Server: old", _length(b"{}"), version="1.0", body=b"{}"),
    _response("200 OK", "Connection: Keep-Alive", _length(b"{}"), version="1.0", body=b"{}"),
    _response("100 Continue") + _response("404 Not Found", _length(b"{}"), "X-Empty:", body=b"{}"),
    _response("103 Early Hints", "Link: </a>") + _response("201 Created", "Content-Length: 0"),
    _response("429 Too Many Requests", "Retry-After: 5", "Content-Length: 0"),
    _response("302 Found", "Location: https://example.com/a?b=c", "Content-Length: 0"),
)
_PIECES = (
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b":", b";", b",", b"-", b"+", b"0", b"1", b"2", b"f"),
    *(b"\xfc", b"\x7f", b"\r\n ", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"\r\nContent-Length: 2"),
    *(b"\r\nContent-Length: 51", b"\r\nTransfer-Encoding: chunked", b"\r\nTransfer-Encoding: gzip"),
    *(b"\r\nConnection: close", b"0\r\n\r\n", b"0x2", b"1_0", b"\r\nFrom me", b"\r\nx y: z", b"\r\n: z"),
    *(b"\r\nx: y\r\n z", b"{}", b"2\r\n{}\r\n", b";a=b"),
)  # fmt: skip


def _changed(data: bytes, below: Random) -> bytes:
    """Return the data with one change, most often in its head, where the rules are."""
    inside = len(data) if below.random() < 0.4 else data.find(b"\r\n\r\n") + 4
    at = int(below.random() * (inside + 1))
    length = int(below.random() * 4)
    piece = _PIECES[int(below.random() * len(_PIECES))]
    kind = below.random()
    if kind < 0.25:
        return data[:at] + data[at + 1 + length * 4 :]
    if kind < 0.5:
        return data[:at] + piece + data[at:]
    if kind < 0.75:
        return data[:at] + piece + data[at + length :]
    if kind < 0.85:  # a line twice, or without its end
        start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at) + 1
        return data[:end] + data[start:end] + data[end:]
    if kind < 0.9:
        return data[:at] + bytes([int(below.random() * 256)]) + data[at + 1 :]
    if kind < 0.95:
        return data[:at]
    return data.replace(b"\r\n", b"\n")


def mutated_responses(count: int, seed: int = 0) -> Iterator[tuple[bytes, str]]:
    """Yield responses with up to four changes each, and the methods of their requests."""
    below = Random(seed)
    for number in range(count):
        data = SEEDS[number % len(SEEDS)]
        for _ in range(int(below.random() * 4) + (number % 50 != 0)):
            data = _changed(data, below)
        yield data, "HEAD" if below.random() < 0.05 else "GET"
