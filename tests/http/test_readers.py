"""Responses with random changes, as the libraries read them and as the former parser did."""

from __future__ import annotations

import re
import zlib
from itertools import islice
from pathlib import Path

import pytest

from connector.errors import TransportError
from connector.http.messages import Response
from tests.http.http1_answers import OK, READERS, receiving
from tests.http.mutated_responses import mutated_responses

VERDICTS = (Path(__file__).parent.parent / "data" / "http_verdicts.txt").read_text().split()
"""What the former parser made of the first of these responses: a checksum, or `-` for an error."""

FOLDED_STATUS = re.compile(rb"(?:^|\n)HTTP/1[^\n]*\n[ \t]")
"""A status line that continues in the next line. No server sends it."""


def verdict(response: Response | None) -> str:
    if response is None:
        return "-"
    text = repr((response.status, sorted(response.headers.items()), response.body))
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}"


def read(reader: str, data: bytes, method: str) -> tuple[Response | None, str]:
    try:
        return READERS[reader](receiving([data]), method)[0], ""
    except TransportError as error:
        return None, str(error)


def may_be_stricter(data: bytes) -> bool:
    """Whether a response may be an error that was none for the former parser.

    That parser accepted CR CR LF at the end of the headers, and LF alone behind a chunk, so that a chunk that
    had lost a byte took the CR for its last one.
    """
    is_chunked = b"chunked" in data.lower()
    return is_chunked or b"\r\r" in data or FOLDED_STATUS.search(data) is not None


@pytest.mark.parametrize("reader", READERS)
def test_a_changed_response_is_read_as_before_or_is_an_error(reader: str) -> None:
    stricter = 0
    for (data, method), before in zip(mutated_responses(len(VERDICTS)), VERDICTS, strict=True):
        response, error = read(reader, data, method)
        if verdict(response) != before:
            assert response is None, (before, data)
            assert may_be_stricter(data), (error, data)
            stricter += 1
    assert stricter < len(VERDICTS) // 100


@pytest.mark.skipif(len(READERS) < 2, reason="the extra `fast` is not installed")
@pytest.mark.parametrize("count", [1_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_all_readers_read_the_same(count: int) -> None:
    for data, method in islice(mutated_responses(count, seed=1), count):
        assert read("http.client", data, method) == read("httptools", data, method), data


@pytest.mark.skipif(len(READERS) < 2, reason="the extra `fast` is not installed")
@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("method", ["on_header", "on_headers_complete", "on_body"])
def test_an_error_that_is_not_of_the_response_is_not_lost(
    method: str, kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    from connector.http import httptools_reader

    def interrupted(*args: object) -> None:
        raise kind

    monkeypatch.setattr(httptools_reader._Message, method, interrupted)
    with pytest.raises(kind):
        READERS["httptools"](receiving([OK + b"Content-Length: 2\r\n\r\n{}"]), "GET")
