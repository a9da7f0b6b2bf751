"""Uploaded files: stored in memory, with descriptions and links."""

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
    """Store the file of a part and return its description (`AttachmentMetadata`)."""
    content_id = state.fresh_uid()
    name = part.filename or part.name
    state.files[content_id] = part
    return {
        "name": name,
        "mimeType": part.content_type or "application/octet-stream",
        "size": str(len(part.data)),  # The size is a text, as in the vendor's responses.
        "extension": name.rpartition(".")[2] if "." in name else "",
        "contentId": content_id,
    }


def download(state: State, content_id: str) -> ServerResponse:
    """Return the file as it was sent."""
    part = state.files.get(content_id)
    if part is None:
        raise not_found("attachment")
    name = (part.filename or part.name).replace('"', "")
    kind = part.content_type or "application/octet-stream"
    headers = {"Content-Type": kind, "Content-Disposition": f'attachment; filename="{name}"'}
    return ServerResponse(200, headers, part.data)


def signed_urls(*content_ids: str) -> JSON:
    """Return a link to each file, by content id."""
    return {content_id: SIGNED.format(content_id) for content_id in content_ids}


@operation("uploadTempAttachments")
def upload_temporary(call: ApiCall) -> list[JSON]:
    """Store files for later requests to refer to."""
    check_parts(operations()["uploadTempAttachments"], call.parts)
    described = [keep_file(call.state, part) for part in call.parts if part.name == "files"]
    return [given(entry, "name", "mimeType", "size", "extension", "contentId") for entry in described]
