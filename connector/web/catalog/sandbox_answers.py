"""The sandbox's envelope for each action's first example, from a file, so that pages are reproducible.

`tests/web/make_answers.py` generates the file, and a test compares it with the current sandbox.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "sandbox_answers.json"
"""The file: `meta` and `result` by action; `items` has the length of a list that was shortened."""


@cache
def _answers() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def envelope_of(name: str) -> dict[str, Any] | None:
    """Return the envelope of an action's first example, with long lists shortened; None if there is none."""
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
    """Return the number of items in the example's list before it was shortened; 0 if it was not."""
    kept = _answers().get(name)
    return int(kept.get("items", 0)) if kept else 0
