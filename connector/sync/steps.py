"""The items that the generators of a sync's source or target yield: action calls, without I/O.

    def clients(self):
        yield Each("acme.list_clients", {"include_inactive": True}, read_clients)

    def asset(self, id):
        row = yield Call("acme.get_asset", {"asset_id": id})
        return read_asset(row)

The `yield` of a `Call` returns the result of the action; if the action fails, it raises the RowError. An
`Each` is a list that is read page by page: `read` converts its items to records, lazily. The `yield` of an
`Each` returns None; if the list is incomplete, the generator is not continued.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.common.json_text import Json


@dataclass(frozen=True)
class Call:
    """One call of an action; inputs whose value is None are omitted."""

    action: str
    inputs: Mapping[str, Json]


@dataclass(frozen=True)
class Each:
    """One call of an action that returns a list; `read` converts its items to records."""

    action: str
    inputs: Mapping[str, Json]
    read: Callable[[Iterable[Any]], Iterable[Any]]


CallSteps = Generator[Call | Each, Any, Any]
