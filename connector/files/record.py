"""A record of one file, before it is a row with a number."""

from __future__ import annotations

from typing import NamedTuple

from connector.common.json_text import Json


class Record(NamedTuple):
    """A record's fields; `error` is why it cannot be run."""

    data: dict[str, Json]
    error: str = ""
