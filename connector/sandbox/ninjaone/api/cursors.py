"""Paging with `cursor` and `cursorName`: named snapshots of rows, which are read page by page.

The name is the same for all pages and the snapshot stores the position, so that only `offset`, the number of
rows sent so far, changes. A full page always has a cursor, even if nothing follows; a short page has no
cursor. A snapshot is deleted when it expires or has been read to its end.
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
"""The time after which a snapshot expires, in seconds."""
KEPT = 20
"""The maximum number of snapshots; the oldest is deleted first."""
MAX_PAGE = 10_000
"""The maximum number of rows on a page."""


def cursor_page(
    state: State, operation: str, name: str | None, size: int, take: Callable[[], Snapshot]
) -> tuple[list[JSON], JSON | None]:
    """Return a page of rows and its cursor, from the snapshot of this name or a new snapshot."""
    if name is None:
        name = state.fresh_uid()
        state.snapshots[name] = take()
        for old in list(itertools.islice(state.snapshots, max(0, len(state.snapshots) - KEPT))):
            del state.snapshots[old]
    snapshot = state.snapshots.get(name)
    if snapshot is None or snapshot.operation != operation or time.time() > snapshot.expires:
        raise application_error(400, "invalid_cursor", "The cursor is unknown or has expired")
    size = min(size, MAX_PAGE)
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
    """Return a new snapshot of rows."""
    return Snapshot(operation, rows, show, time.time() + LIFETIME_S)
