"""A record of one file, which becomes a row when it is numbered."""

from __future__ import annotations

from typing import NamedTuple

from connector.common.json_text import Json


class Record(NamedTuple):
    """The fields of a record; `error` is the reason why it cannot be run."""

    data: dict[str, Json]
    error: str = ""
