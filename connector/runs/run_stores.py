"""Selects the store of unfinished runs: files, or the database of the setting `state`."""

from __future__ import annotations

from connector.files.run_store import FileRunStore, RunStore
from connector.state.setting import find_state

FILES = FileRunStore()


def store_of(state: str) -> RunStore:
    """Return the runs in the database `state`, or that of the environment; without one, those in files.

    Raises RunError.
    """
    url = find_state(state)
    if not url:
        return FILES
    from connector.state.runs import DatabaseRunStore  # imported only if it is used

    return DatabaseRunStore(url)
