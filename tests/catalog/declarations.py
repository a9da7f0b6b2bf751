"""A service and an action as their files declare them, and copies with changes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

ACTION: dict[str, Any] = {
    "name": "update_thing",
    "title": "Update Thing",
    "summary": "Change a thing.",
    "operation": "updateThing",
    "request": "PUT /v2/thing/{thing-id}/part",
    "effect": "write",
    "idempotent": True,
    "inputs": {
        "thing_id": {"title": "Thing ID", "type": "integer", "minimum": 1, "to": "path.thing-id"},
        "start": {"title": "Start", "type": "string", "as": "iso", "to": "body.when.start"},
        "note": {"title": "Note", "type": "string", "to": "body.note", "default": "x", "published": False},
        "limit": {"title": "Limit", "type": "integer"},
    },
    "required": ["thing_id"],
    "result": "none",
}
SERVICE: dict[str, Any] = {
    "name": "acme",
    "title": "Acme",
    "regions": {"eu": "https://eu.example.com"},
    "environment": "ACME_",
    "sign_in": {"token_path": "/token", "authorize_path": "/authorize", "revoke_path": "/revoke"},
    "errors": {"shapes": [{"when": "error", "code": "error"}], "statuses": {404: "not_found"}},
    "throttling": {"statuses": [429], "html_words": ["too fast"]},
    "request_id_header": "X-Request-Id",
    "pagers": {"after": {"items": "", "send": "query.after", "until": ["empty"]}},
    "secrets": ["password"],
    "inputs": {"reason": {"title": "Reason", "type": "string"}},
    "delay": {"title": "Delay", "default_ms": 300},
}
GONE = object()


def changed(data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy with members replaced (`a__b` is a member's member) or, with GONE, taken out."""
    result = copy.deepcopy(data)
    for place, value in changes.items():
        *above, last = place.split("__")
        holder = result
        for name in above:
            holder = holder.setdefault(name, {})
        if value is GONE:
            del holder[last]
        else:
            holder[last] = value
    return result


def write(path: Path, data: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data, sort_keys=False), "utf-8")
    return path


def write_action(folder: Path, data: Any, name: str = "update_thing", area: str = "area") -> Path:
    return write(folder / "acme" / area / f"{name}.yaml", data)
