"""Uploaded files, which are stored in memory, and links to them."""

from __future__ import annotations

from connector.sandbox.messages import ServerResponse
from connector.sandbox.multipart import MultipartPart
from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.api.operations import check_parts, operation, operations
from connector.sandbox.ninjaone.data.seed import JSON
from connector.sandbox.ninjaone.data.state import State
from connector.sandbox.ninjaone.errors import not_found
from connector.sandbox.types import given

SIGNED = "https://files.example.com/{0}?signature=example"


def keep_file(state: State, part: MultipartPart) -> JSON:
    """Store a file of a multipart body, and return its description (`AttachmentMetadata`)."""
    content_id = state.fresh_uid()
    name = part.filename or part.name
    state.files[content_id] = part
    return {
        "name": name,
        "mimeType": part.content_type or "application/octet-stream",
        "size": str(len(part.data)),  # the size is text in the vendor's responses, too
        "extension": name.rpartition(".")[2] if "." in name else "",
        "contentId": content_id,
    }


def download(state: State, content_id: str) -> ServerResponse:
    """Return a file as it was uploaded."""
    part = state.files.get(content_id)
    if part is None:
        raise not_found("attachment")
    name = (part.filename or part.name).replace('"', "")
    kind = part.content_type or "application/octet-stream"
    headers = {"Content-Type": kind, "Content-Disposition": f'attachment; filename="{name}"'}
    return ServerResponse(200, headers, part.data)


def signed_urls(*content_ids: str) -> JSON:
    """Return a link for each file, keyed by content id."""
    return {content_id: SIGNED.format(content_id) for content_id in content_ids}


@operation("uploadTempAttachments")
def upload_temporary(call: ApiCall) -> list[JSON]:
    """Store files, so that later requests can refer to them."""
    check_parts(operations()["uploadTempAttachments"], call.parts)
    described = [keep_file(call.state, part) for part in call.parts if part.name == "files"]
    return [given(entry, "name", "mimeType", "size", "extension", "contentId") for entry in described]
