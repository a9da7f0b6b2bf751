"""What a server with traps does on a connection."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable

from tests.loopback import PATIENCE_S, Talk

Serve = Callable[[Talk], None]

BODY = b'{"ok": true}'
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MAX_BODY_BYTES = 50_000
"""The limit of a body, in bytes, of the clients that meet the traps."""


def sends(*pieces: bytes) -> Serve:
    """Read a request, send these bytes, and close the connection."""

    def serve(talk: Talk) -> None:
        if talk.read():
            for piece in pieces:
                talk.send(piece)

    return serve


def replies(*responses: bytes) -> Serve:
    """Respond to each request with the next of these, and to all others with the last one."""

    def serve(talk: Talk) -> None:
        while talk.read():
            talk.send(responses[min(len(talk.server.received), len(responses)) - 1])

    return serve


def stalls(*pieces: bytes) -> Serve:
    """Read a request, send these bytes, and nothing more."""

    def serve(talk: Talk) -> None:
        sends(*pieces)(talk)
        talk.server.done.wait(PATIENCE_S)

    return serve


def drips(before: bytes, drop: bytes = b"x") -> Serve:
    """Read a request, send `before`, and then a drop every few milliseconds."""

    def serve(talk: Talk) -> None:
        talk.read()
        talk.send(before)
        while not talk.server.done.wait(0.01):
            talk.send(drop)

    return serve


def resets(*pieces: bytes) -> Serve:
    """Read a request, send these bytes, and break the connection."""

    def serve(talk: Talk) -> None:
        sends(*pieces)(talk)
        talk.reset()

    return serve


def early(data: bytes) -> Serve:
    """Respond before the body is read, and close."""

    def serve(talk: Talk) -> None:
        if talk.read_head():
            talk.send(data)

    return serve


def first(trap: Serve) -> Serve:
    """Serve the trap on the first connection, and good responses on all others."""

    def serve(talk: Talk) -> None:
        if talk.server.connections == 1:
            trap(talk)
        else:
            good(talk)

    return serve


def good(talk: Talk) -> None:
    while talk.read():
        talk.send(response())


def response(
    body: bytes = BODY, status: str = "200 OK", kind: str = "application/json", *headers: str
) -> bytes:
    """A response with a length."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body)}",
        *([f"Content-Type: {kind}"] if kind else []),
    ]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def chunked(data: bytes, codings: str = "identity") -> bytes:
    """A response in chunks of five bytes, with a Content-Encoding."""
    parts = [data[at : at + 5] for at in range(0, len(data), 5)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    return chunks(body).replace(OK, OK + f"Content-Encoding: {codings}\r\n".encode())


def chunks(data: bytes) -> bytes:
    """A response whose chunks are written by hand."""
    return OK + b"Transfer-Encoding: chunked\r\n\r\n" + data


def encoded(body: bytes, codings: str) -> bytes:
    """A response with this Content-Encoding."""
    return response(body, "200 OK", "application/json", f"Content-Encoding: {codings}")


def packed(data: bytes = BODY) -> bytes:
    return gzip.compress(data, mtime=0)


def headed(*headers: bytes) -> bytes:
    """A response with these header lines besides its length."""
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: 12", *headers, b"", BODY])


def lengths(*values: bytes) -> bytes:
    """A response that declares these lengths."""
    return OK + b"".join(b"Content-Length: %s\r\n" % value for value in values) + b"\r\n" + BODY


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def cuts(data: bytes) -> Iterable[bytes]:
    """Every part of a response that lacks something of its end."""
    return (data[:end] for end in range(len(data)))
