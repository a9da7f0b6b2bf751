"""Values on the wire: whatever a row holds, a request is one request, and each value stays in its place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.catalog.action import Action
from connector.catalog.service import Service
from connector.errors import RowError
from connector.http.transport import HttpTransport
from connector.invocation.handlers import Inputs
from tests.declared import declare
from tests.examples import examples
from tests.loopback import Server, Talk

PATH, QUERY, HEADER = "/v2/things/{id}/parts/{part}", "q", "X-Note"


class Wire:
    """An action with values in every place of a request, and a server that keeps what comes, byte by byte."""

    def __init__(self, action: Action, service: Service, uploads: Path) -> None:
        self._action, self._service, self._uploads = action, service, uploads
        self.came = b""
        self.server = Server((self._keep,))

    def _keep(self, talk: Talk) -> None:
        while data := talk.connection.recv(1 << 16):
            self.came += data
            head, found, body = self.came.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            if found and len(body) >= int(length[1] if length else 0):
                talk.answer()

    def send(self, **values: Any) -> tuple[bytes, list[bytes], bytes]:
        """Send these values; give the first line, the headers and the body as they came."""
        self.came = b""
        request = Inputs(self._action, self._service, values, self._uploads).request()
        described, body = request.encoded
        self.transport.send(request.method, request.target, {**described, **request.headers}, body)
        head, _, rest = self.came.partition(b"\r\n\r\n")
        first, *headers = head.split(b"\r\n")
        return first, headers, rest


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[Wire]:
    folder = tmp_path_factory.mktemp("values")
    (folder / "uploads").mkdir()
    inputs = {
        "id": "path.id",
        "part": "path.part",
        "query": f"query.{QUERY}",
        "note": f"header.{HEADER}",
        "text": "part.text",
        "file": "part.file",
    }
    declared = {"text": {}, "file": {"file": True}}
    action = declare(
        folder,
        request=f"POST {PATH}",
        effect="write",
        idempotent=False,
        inputs=inputs,
        parts=declared,
        required=["id", "part"],
    )
    made = Wire(action, service, folder / "uploads")
    made.uploads = folder / "uploads"
    with made.server:
        made.transport = HttpTransport(made.server.base_url, timeout_s=30)
        yield made
        made.transport.close()


ODD = st.text(st.sampled_from("ab.%/\\;?#&= \r\n\t\0\x7f\x85\u2028\xe9\u65e5\ud800:\"'25eEfF"), max_size=12)
ANY = st.one_of(ODD, st.text(max_size=20), st.integers(), st.booleans())


@examples(150)
@given(ANY, ANY, ANY)
@example("..", "x", "x")
@example("%2e%2e%2f%2e%2e", "x", "x")
@example("a/b", "a?b#c", "a&q=2#x\r\n")
@example("x;y=1", "\\", "%00")
@example("a%2fb", "a%0d%0ab", "\x85")
def test_a_value_of_a_url_stays_in_its_place(wire: Wire, one: Any, two: Any, query: Any) -> None:
    try:
        first, headers, _ = wire.send(id=one, part=two, query=query)
    except RowError:
        assert wire.came == b""
        return
    assert len(headers) == 2
    method, target, version = first.split(b" ")
    assert (method, version) == (b"POST", b"HTTP/1.1")
    path, _, asked = target.partition(b"?")
    segments = path.split(b"/")
    assert len(segments) == 6
    assert [*segments[:3], segments[4]] == [b"", b"v2", b"things", b"parts"]
    for value, segment in ((one, segments[3]), (two, segments[5])):
        written = str(value).lower() if isinstance(value, bool) else str(value)
        assert unquote_to_bytes(segment) == written.encode()
        assert unquote_to_bytes(unquote_to_bytes(segment)).strip() not in (b"", b".", b"..")
    assert asked.startswith(b"q=")
    assert not set(asked[2:]) & set(b"&=#?+ ")


@examples(150)
@given(ANY)
@example("x\r\nX-Evil: 1")
@example("x\nX-Evil: 1")
@example("x\x85X-Evil: 1")
@example("x\0")
@example(" note ")
@example("caf\xe9")
@example("\u0100")
def test_a_header_value_is_one_header(wire: Wire, note: Any) -> None:
    try:
        _, headers, _ = wire.send(id=1, part=1, note=note)
    except RowError:
        assert wire.came == b""
        return
    assert len(headers) == 3
    written = str(note).lower() if isinstance(note, bool) else str(note)
    assert f"X-Note: {written}".encode("latin-1") in headers


HARD_NAMES = [
    'a"b.txt',
    "a'b.txt",
    "a\r\nX-Evil: 1\r\n\r\nb.txt",
    "a;filename=b.txt",
    "\u65e5\u672c.txt",
    "a\\b",
    "%22.txt",
]


@pytest.mark.skipif(os.name == "nt", reason="such names are for POSIX alone")
@pytest.mark.parametrize("name", HARD_NAMES)
def test_a_files_name_adds_no_header_and_no_part(wire: Wire, name: str) -> None:
    (wire.uploads / name).write_text("content")
    _, headers, body = wire.send(
        id=1, part=1, file=name, text="--x\r\nContent-Disposition: form-data; name=evil"
    )
    [described] = [line for line in headers if line.lower().startswith(b"content-type:")]
    boundary = b"--" + described.partition(b"boundary=")[2]
    assert body.count(boundary) == 3
    for part in body.split(boundary)[1:-1]:
        head = part.partition(b"\r\n\r\n")[0]
        lines = head.strip(b"\r\n").split(b"\r\n")
        assert len(lines) <= 2
        assert lines[0].startswith(b"Content-Disposition: form-data; name=")
        assert lines[0].count(b'"') in (2, 4)
