"""Multipart bodies with each part's own content type, which the usual form parsers throw away."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from connector.sandbox.errors import failure, invalid
from connector.sandbox.operations import MULTIPART, json_type, scalar

if TYPE_CHECKING:
    from connector.sandbox.operations import Published


@dataclass(frozen=True)
class Part:
    """One part; `content_type` is without parameters, empty when the part has none."""

    name: str
    filename: str | None
    content_type: str
    data: bytes

    def describe(self, small: int) -> dict[str, Any]:
        """The part for the request log; its text only when it is text of at most `small` bytes."""
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


def parts(content_type: str, body: bytes) -> list[Part]:
    """The parts of a multipart body; ValueError when it is not one."""
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    if not boundary:
        raise ValueError("multipart without a boundary")
    return list(_parts(boundary.encode(), body))


def _parts(boundary: bytes, body: bytes) -> Iterator[Part]:
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
                yield Part(head.name, head.filename if isinstance(head, File) else None, kind, data)


def check_parts(facts: Published, given: Iterable[Part]) -> None:
    """Raise the 400 of a part that is unknown, missing or of the wrong type; files must be there."""
    published = facts["body"].get(MULTIPART, {}).get("properties", {})
    if not published:
        return
    for part in given:
        if part.name not in published:
            raise invalid(part.name, "a known part")
        fact = published[part.name]
        if not _is_file(fact):
            scalar(fact).read(_text(part), part.name)
    names = {part.name for part in given}
    for name, fact in published.items():
        if name not in names and _is_file(fact) and not _is_optional(fact):
            raise invalid(name, "a part")


def _is_file(fact: Published) -> bool:
    found = fact["items"] if json_type(fact) == "array" else fact
    return bool(found.get("format") == "binary")


def _is_optional(fact: Published) -> bool:
    """Files that may be null need not be there."""
    return "null" in fact.get("items", fact).get("type", ())


def _text(part: Part) -> str:
    try:
        return part.data.decode()
    except UnicodeDecodeError:
        raise failure(400) from None
