"""The steps of the sync's sources and targets: generators that yield action calls and do no IO.

    def clients(self):
        yield Each("acme.list_clients", {"include_inactive": True}, read_clients)

    def asset(self, id):
        row = yield Call("acme.get_asset", {"asset_id": id})
        return read_asset(row)

A `Call` receives the result of the action; if the action fails, its RowError is raised at the `yield`. An
`Each` is a list that is read page by page: `read` turns its items into records, lazily. The `yield` returns
None, and an incomplete list ends the generator.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.common.json_text import Json


@dataclass(frozen=True)
class Call:
    """One call of an action with these inputs; inputs that are None are omitted."""

    action: str
    inputs: Mapping[str, Json]


@dataclass(frozen=True)
class Each:
    """A list of an action, whose items `read` turns into records."""

    action: str
    inputs: Mapping[str, Json]
    read: Callable[[Iterable[Any]], Iterable[Any]]


CallSteps = Generator[Call | Each, Any, Any]
