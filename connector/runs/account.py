"""The account of a run, by which a resumed run and a rerun recognize it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Account(NamedTuple):
    """The API account, or the accounts, to which a run sends requests; `key` identifies it.

    `timezone` is the time zone of its connection, or of each connection that has one by its name.
    """

    key: str
    timezone: str | Mapping[str, str] = ""
