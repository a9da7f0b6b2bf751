"""What the sandbox answers to an action's first example: kept in a file, so that pages are alike everywhere.

`tests/web/make_answers.py` makes the file anew, and a test holds it against the sandbox of today.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "sandbox_answers.json"
"""By action: the `meta` and `result` of the envelope, and `items` where a list is cut."""


@cache
def _answers() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def envelope_of(name: str) -> dict[str, Any] | None:
    """Return the envelope of an action's first example, its long lists cut; None where there is none."""
    kept = _answers().get(name)
    if kept is None:
        return None
    return {
        "has_error": False,
        "error": None,
        "result": kept["result"],
        "row": 1,
        "meta": {"action": name, **kept["meta"]},
    }


def cut_of(name: str) -> int:
    """Return how many items the example's list had, or 0 where none is left out."""
    kept = _answers().get(name)
    return int(kept.get("items", 0)) if kept else 0
