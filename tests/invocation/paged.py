"""Lists that a fake API serves page by page, and the results of reading them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from connector.catalog.service import Pager, Service
from connector.http.messages import Request, Response
from connector.invocation.pagination import Page, PagedResult, walk

SIZE = 5
"""The page size in these tests, where the service's own would need long lists."""
Serve = Callable[[Any], Any]
"""A server: takes what a request asks for (its query and body in one), gives the answer's body."""


def ids(count: int) -> list[Any]:
    return [{"id": n} for n in range(1, count + 1)]


def cursor(items: list[Any], key: str = "cursor", as_text: bool = False) -> Serve:
    """The name stays the same for the whole walk; the server knows where it is."""
    at = 0

    def serve(ask: Any) -> Any:
        nonlocal at
        assert (key in ask) is (at > 0)
        assert ask.get(key, "the-name") == "the-name"
        page = items[at : at + int(ask["pageSize"])]
        at += len(page)
        offset = str(at) if as_text else at
        return {"cursor": {"name": "the-name", "offset": offset, "count": len(items)}, "results": page}

    return serve


@dataclass
class Walked:
    """What came of a walk."""

    items: list[Any]
    asked: list[Any]
    result: PagedResult

    @property
    def ids(self) -> list[int]:
        return [item["id"] for item in self.items]


def walked(pager: Pager, serve: Serve, limit: int | None = None) -> Walked:
    """Walk to the end; a walk that does not end in 60 pages fails."""
    body = {"searchCriteria": "x"} if pager.send.startswith("body.") else None
    first = Request("POST" if body else "GET", "/v2/list", (("df", "x"),))
    steps = walk(pager, replace(first, body=body) if body else first, limit)
    items: list[Any] = []
    asked: list[Any] = []
    step: Any = next(steps)
    try:
        while True:
            if isinstance(step, Page):
                items += step.items
                step = next(steps)
                continue
            assert len(asked) < 60, "the walk does not end"
            ask = {**dict(step.query), **(step.body or {})}
            assert ask.pop("df") == "x"
            if body:
                assert ask.pop("searchCriteria") == "x"
            asked.append(ask)
            step = steps.send(Response(200, body=json.dumps(serve(ask)).encode()))
    except StopIteration as stop:
        return Walked(items, asked, stop.value)


def small(service: Service, name: str, **changes: Any) -> Pager:
    return service.pagers[name]._replace(**{"page_size": SIZE, "least": 1, **changes})
