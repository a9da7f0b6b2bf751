"""Bytes of HTTP/1.1 in chunks of any size, and the libraries that read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import pairwise

from connector.errors import TransportError
from connector.http import http_client_reader
from connector.http.messages import Response

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

READERS = {"http.client": http_client_reader.read_response}
with suppress(ImportError):  # the extra `fast`
    from connector.http import httptools_reader

    READERS["httptools"] = httptools_reader.read_response


def receiving(pieces: Iterable[bytes]) -> Callable[[int], bytes]:
    """A connection on which `pieces` come one by one, and then its end."""
    left, piece = iter(pieces), b""

    def receive(size: int) -> bytes:
        nonlocal piece
        data = piece or next(left, b"")
        data, piece = data[:size], data[size:]
        return data

    return receive


def read(*pieces: bytes, method: str = "GET") -> tuple[Response, bool]:
    """Read an answer with each library; they agree, also in the words of an error."""
    outcomes = {name: _outcome(name, pieces, method) for name in READERS}
    first = outcomes["http.client"]
    for name, (read, error) in outcomes.items():
        assert (read, str(error)) == (first[0], str(first[1])), name
    if first[1]:
        raise first[1]
    assert first[0]
    return first[0]


def _outcome(
    reader: str, pieces: tuple[bytes, ...], method: str
) -> tuple[tuple[Response, bool] | None, TransportError | None]:
    try:
        return READERS[reader](receiving(pieces), method), None
    except TransportError as error:
        return None, error


def pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    bounds = sorted({0, *(cut % (len(data) + 1) for cut in cuts), len(data)})
    return [data[a:b] for a, b in pairwise(bounds)]
