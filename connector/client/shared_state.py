"""Finds the database that processes share, which is imported only if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.state.setting import find_state

if TYPE_CHECKING:
    from connector.state.database import Database


def find_database(*given: str) -> Database | None:
    """Return the database at the first URL that is not empty, else that of the environment, or None.

    Raises RunError if it cannot be used.
    """
    url = find_state(*given)
    if not url:
        return None
    from connector.state.databases import open_database

    return open_database(url)
