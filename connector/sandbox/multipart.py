"""Parses multipart bodies, including the content type of each part, which form parsers discard."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData


@dataclass(frozen=True)
class MultipartPart:
    """A part of a multipart body. `content_type` has no parameters, and is empty if the part has none."""

    name: str
    filename: str | None
    content_type: str
    data: bytes

    def describe(self, small: int) -> dict[str, Any]:
        """Return a part for the request log; a text of at most `small` bytes is included."""
        described = {
            "name": self.name,
            "filename": self.filename,
            "content_type": self.content_type,
            "size": len(self.data),
        }
        if len(self.data) <= small:
            with contextlib.suppress(UnicodeDecodeError):
                described["text"] = self.data.decode()
        return described


def parse_multipart(content_type: str, body: bytes) -> list[MultipartPart]:
    """Return the parts of a multipart body. Raises ValueError if the body is not multipart."""
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    if not boundary:
        raise ValueError("the multipart content type has no boundary")
    return list(_parts(boundary.encode(), body))


def _parts(boundary: bytes, body: bytes) -> Iterator[MultipartPart]:
    decoder = MultipartDecoder(boundary)
    decoder.receive_data(body)
    decoder.receive_data(None)
    head: Field | File | None = None
    data = b""
    while not isinstance(event := decoder.next_event(), (Epilogue, NeedData)):
        if isinstance(event, (Field, File)):
            head, data = event, b""
        elif isinstance(event, Data) and head is not None:
            data += event.data
            if not event.more_data:
                kind = parse_options_header(head.headers.get("Content-Type", ""))[0].lower()
                yield MultipartPart(head.name, head.filename if isinstance(head, File) else None, kind, data)
