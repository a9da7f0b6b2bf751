"""The results of tools: an envelope or another JSON object, as structured content and as text."""

from __future__ import annotations

import json
from typing import Any

from mcp_types import CallToolResult, TextContent

from connector.common import json_text
from connector.common.json_text import Json
from connector.errors import count_of
from connector.files.envelope import Envelope

LIMIT = 50
"""The maximum number of items of a list, unless a call sets another one."""
MAX_BYTES = 100_000
"""The maximum size of a list as JSON, in bytes: some clients refuse more, or drop the rest."""


def tool_result(data: dict[str, Json]) -> CallToolResult:
    """Return a JSON object as the result of a tool; an envelope with an error is a failed call."""
    if not json_text.is_unicode(data):  # a lone surrogate, which no message can contain
        data = json.loads(json.dumps(data, ensure_ascii=False).encode(errors="replace"))
    text = json_text.dump_bytes(data).decode()
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=data,
        is_error=bool(data.get("has_error", False)),
    )


def refusal(message: str) -> CallToolResult:
    """Return the result of a call that has no envelope. The message says whether a request was sent."""
    return tool_result({"has_error": True, "error": message, "result": None})


def capped(envelope: Envelope, limit: int) -> dict[str, Json]:
    """Return an envelope whose list has at most `limit` items and `MAX_BYTES`, and says if it had more."""
    written = envelope.as_json()
    meta: dict[str, Any] = dict(envelope.meta)
    items = envelope.result
    if not isinstance(items, list):
        return written
    kept = _fitting(items[:limit])
    if len(kept) == len(items) and not meta.get("truncated"):
        return written
    if len(kept) < min(len(items), limit):
        reason = f"more would exceed {MAX_BYTES:,} bytes. Narrow the filter"
    else:
        reason = f"the limit is {limit}. Narrow the filter, or set a higher limit"
    total = f" of {len(items)}" if len(kept) < len(items) and not meta.get("truncated") else ""
    said = f"The result has the first {count_of(len(kept), 'item')}{total}; {reason}."
    meta.update(truncated=True, warnings=[*meta.get("warnings", ()), said])
    return {**written, "result": kept, "meta": meta}


def _fitting(items: list[Json]) -> list[Json]:
    """Return the first items that fit into `MAX_BYTES`; at least one."""
    left = MAX_BYTES
    for index, item in enumerate(items):
        left -= len(json_text.dump_bytes(item)) + 1
        if left < 0:
            return items[: max(index, 1)]
    return items
