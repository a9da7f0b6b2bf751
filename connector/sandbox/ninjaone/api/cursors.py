"""The `cursor` and `cursorName` families: a named snapshot of rows, read page by page (FACTS.md B).

The name stays the same for the whole walk and the snapshot keeps the position, so only `offset`, the number
of rows served so far, moves. A full page always comes with a cursor, even when nothing follows; a short one
has none. A snapshot dies when it expires or has been read to its end.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

from connector.sandbox.ninjaone.data.seed import JSON
from connector.sandbox.ninjaone.data.state import Snapshot, State
from connector.sandbox.ninjaone.errors import application_error

LIFETIME_S = 900.0
"""How long a snapshot lives."""
KEPT = 20
"""At most this many snapshots live at a time; the oldest dies first."""
LARGEST_PAGE = 10_000
"""A page is never longer, whatever was asked."""


def cursor_page(
    state: State, operation: str, name: str | None, size: int, take: Callable[[], Snapshot]
) -> tuple[list[JSON], JSON | None]:
    """The rows of the page and its cursor: of the snapshot of that name, or else of a new one."""
    if name is None:
        name = state.fresh_uid()
        state.snapshots[name] = take()
        for old in list(itertools.islice(state.snapshots, max(0, len(state.snapshots) - KEPT))):
            del state.snapshots[old]
    snapshot = state.snapshots.get(name)
    if snapshot is None or snapshot.operation != operation or time.time() > snapshot.expires:
        raise application_error(400, "invalid_cursor", "The cursor is unknown or has expired")
    size = min(size, LARGEST_PAGE)
    rows = [snapshot.show(row) for row in snapshot.rows[snapshot.offset : snapshot.offset + size]]
    snapshot.offset += len(rows)
    if len(rows) < size:
        del state.snapshots[name]
        return rows, None
    cursor = {"name": name, "offset": snapshot.offset, "count": len(rows), "expires": snapshot.expires}
    return rows, cursor


def snapshot_of(
    operation: str, rows: Sequence[Any], show: Callable[[Any], JSON] = lambda row: row
) -> Snapshot:
    """A snapshot that begins now."""
    return Snapshot(operation, rows, show, time.time() + LIFETIME_S)
