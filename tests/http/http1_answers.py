"""Bytes of HTTP/1.1, in whatever pieces they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

from connector.http.http1 import read_response
from connector.http.messages import Response

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def receiving(pieces: Iterable[bytes]) -> Callable[[int], bytes]:
    """A connection on which `pieces` come one by one, and then its end."""
    left = iter(pieces)

    def receive(size: int) -> bytes:
        piece = next(left, b"")
        assert len(piece) <= size
        return piece

    return receive


def read(*pieces: bytes, method: str = "GET") -> tuple[Response, bool]:
    return read_response(receiving(pieces), method)


def pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    bounds = sorted({0, *(cut % (len(data) + 1) for cut in cuts), len(data)})
    return [data[a:b] for a, b in pairwise(bounds)]
