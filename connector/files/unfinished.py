"""Requests of an unfinished run that must not be repeated, but would be by `--restart`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.common import json_text
from connector.errors import count_of
from connector.files.journal import JOURNAL_NAME, READABLE_VERSIONS


@dataclass
class SentRequests:
    """Requests of an unfinished run that must not be repeated; `rows` has how many each row has sent.

    `complete` is false if a journal cannot be read, or has another version: others may have been sent, too.
    """

    rows: dict[int, int] = field(default_factory=dict)
    complete: bool = True

    @property
    def count(self) -> int:
        """The number of known requests."""
        return sum(self.rows.values())


def sent_requests(folder: Path) -> SentRequests:
    """Read what was sent from the journals in a work folder: one, or one for each tenant."""
    found = SentRequests()
    for journal in sorted(folder.rglob(JOURNAL_NAME)):
        try:
            _read(journal, found)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            found.complete = False
    return found


def _read(journal: Path, found: SentRequests) -> None:
    lines = _lines(journal)
    head = next(lines, None)
    if head is None:  # The first line is incomplete, so nothing was sent.
        return
    if head["journal"] not in READABLE_VERSIONS:
        found.complete = False
        for entry in lines:
            found.rows.setdefault(entry["row"], 1)
        return
    sent: set[tuple[int, int]] = set()
    for entry in lines:
        key = entry["row"], entry["step"]
        if entry.get("refused"):
            sent.discard(key)
        elif "sent" in entry and not entry["sent"].startswith("DELETE "):
            sent.add(key)
    for row, _ in sent:
        found.rows[row] = found.rows.get(row, 0) + 1


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield a journal's complete lines as objects."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield json_text.loads(line.decode())


def restart_effect(folder: Path) -> str:
    """Return a clause on what `--restart` would do with the unfinished run in a work folder."""
    return effect_of_restart(sent_requests(folder))


def effect_of_restart(sent: SentRequests) -> str:
    """Return a clause on what `--restart` would do with an unfinished run that has sent these requests."""
    if not sent.complete:
        return "--restart would run all rows again, including requests that are not safe to repeat"
    if sent.count:
        return f"--restart would repeat {count_of(sent.count, 'request')} that cannot be repeated safely"
    return "--restart discards it and runs all rows again"
