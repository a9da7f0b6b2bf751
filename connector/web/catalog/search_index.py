"""The search index of the first page, as a script: words of actions that the page itself does not show."""

from __future__ import annotations

import json
from collections.abc import Iterable

from connector.catalog.action import Action


def search_index(actions: Iterable[Action]) -> str:
    """Return a script with the vendor's operation and the inputs' names and titles of each action."""
    words = {action.name: _words(action) for action in actions}
    return f"window.catalogWords = {json.dumps(words, separators=(',', ':'), ensure_ascii=False)};\n"


def _words(action: Action) -> str:
    found: dict[str, None] = {action.operation: None}
    for given in action.inputs.values():
        found[given.name] = None
        known = set(given.name.split("_"))
        found |= dict.fromkeys(word for word in given.title.split() if word.lower() not in known)
    return " ".join(found)
