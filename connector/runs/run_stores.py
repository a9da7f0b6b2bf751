"""Selects the store of unfinished runs: files, or the database of the setting `state`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.files.run_store import FileRunStore, RunStore
from connector.state.setting import find_state

if TYPE_CHECKING:
    from connector.state.run_envelopes import RunEnvelopes

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


def shared_envelopes(state: str, run_id: int | None) -> RunEnvelopes | None:
    """Return the envelopes of a run in the database `state`, or that of the environment, if there is one.

    Raises RunError.
    """
    url = "" if run_id is None else find_state(state)
    if run_id is None or not url:
        return None
    from connector.state.run_envelopes import RunEnvelopes  # imported only if it is used

    return RunEnvelopes(url, run_id)
