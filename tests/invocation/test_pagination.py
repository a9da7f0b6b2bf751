"""Every pager reads a list to its end, and reports when it is truncated."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import ref

import pytest

from connector.catalog.service import Service
from connector.client.client import Client
from connector.http.messages import Request, Response
from connector.invocation.pagination import Page, walk
from tests.declared import declare, invoker
from tests.fakes import FakeTransport, reply
from tests.invocation.paged import SIZE, Serve, cursor, ids, small, walked


def after(items: list[Any]) -> Serve:
    return lambda ask: [i for i in items if i["id"] > int(ask.get("after", 0))][: int(ask["pageSize"])]


def cursor_name(items: list[Any]) -> Serve:
    return cursor(items, "cursorName")


def activities(items: list[Any]) -> Serve:
    def serve(ask: Any) -> Any:
        older = [i for i in reversed(items) if i["id"] < int(ask.get("olderThan", 10**9))]
        return {"lastActivityId": len(items), "activities": older[: int(ask["pageSize"])]}

    return serve


def last_cursor_id(items: list[Any]) -> Serve:
    def serve(ask: Any) -> Any:
        page = [i for i in items if i["id"] > ask.get("lastCursorId", 0)][: ask["pageSize"]]
        more = page and page[-1]["id"] < len(items)
        return {"data": page, "metadata": {"lastCursorId": page[-1]["id"] if more else None, "columns": []}}

    return serve


def anchor_id(items: list[Any]) -> Serve:
    return lambda ask: [i for i in items if i["id"] > int(ask.get("anchorId", 0))][: int(ask["pageSize"])]


def anchor_natural_id(items: list[Any]) -> Serve:
    def serve(ask: Any) -> Any:
        named = [{"naturalId": f"n{i['id']:04}", **i} for i in items]
        return [i for i in named if i["naturalId"] > ask.get("anchorNaturalId", "")][: int(ask["pageSize"])]

    return serve


def only_limit(items: list[Any]) -> Serve:
    return lambda ask: {"query": "q", "devices": items[: int(ask["limit"])]}


FAMILIES: dict[str, Callable[[list[Any]], Serve]] = {
    "after": after,
    "cursor": cursor,
    "cursor_name": cursor_name,
    "activities": activities,
    "last_cursor_id": last_cursor_id,
    "anchor_id": anchor_id,
    "anchor_natural_id": anchor_natural_id,
    "limit": only_limit,
}
PAGED = [name for name in FAMILIES if name != "limit"]


def test_every_pager_of_the_service_is_tested_here(service: Service) -> None:
    assert set(service.pagers) == set(FAMILIES)


@pytest.mark.parametrize("count", [0, 1, SIZE - 1, SIZE, SIZE + 1, 3 * SIZE, 4 * SIZE + 2])
@pytest.mark.parametrize("family", PAGED)
def test_a_list_is_walked_to_its_end(service: Service, family: str, count: int) -> None:
    done = walked(small(service, family), FAMILIES[family](ids(count)))
    expected = list(range(1, count + 1))
    assert done.ids == (expected[::-1] if family == "activities" else expected)
    assert done.result.truncated is False
    # A page exactly as long as asked is not taken for the end, unless the answer says that it is.
    pages = count // SIZE + 1
    if family in ("cursor", "cursor_name"):
        pages = -(-count // SIZE) + 1
    if family == "last_cursor_id":
        pages = max(1, -(-count // SIZE))
    assert len(done.asked) == pages


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("limit", [1, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE, 11, 12, 13, 14, 100])
def test_a_limit_says_truncated_only_when_something_was_left_out(
    service: Service, family: str, limit: int
) -> None:
    done = walked(small(service, family), FAMILIES[family](ids(12)), limit)
    assert len(done.items) == min(limit, 12)
    assert done.result.truncated is (limit < 12)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_limit_of_nothing(service: Service, family: str) -> None:
    assert walked(small(service, family), FAMILIES[family](ids(3)), 0).result.truncated is True
    assert walked(small(service, family), FAMILIES[family]([]), 0).result.truncated is False


@pytest.mark.parametrize(
    ("family", "name", "size", "least"),
    [
        ("after", "pageSize", "1000", "1"),
        ("cursor", "pageSize", "1000", "10"),
        ("cursor_name", "pageSize", "500", "5"),
        ("activities", "pageSize", "1000", "10"),
        ("last_cursor_id", "pageSize", 1000, 1),
        ("anchor_id", "pageSize", "500", "1"),
        ("anchor_natural_id", "pageSize", "50", "1"),
        ("limit", "limit", "1000", "1"),
    ],
)
def test_the_page_size_is_always_sent(
    service: Service, family: str, name: str, size: Any, least: Any
) -> None:
    pager = service.pagers[family]
    for limit, sent in [(None, size), (0, least), (40, type(size)(41))]:
        done = walked(pager, FAMILIES[family](ids(3)), limit)
        assert {ask[name] for ask in done.asked} == {sent}


@pytest.mark.parametrize("limit", [1000, 999, 1001, 5000])
def test_no_more_is_asked_for_than_a_page_holds(service: Service, limit: int) -> None:
    done = walked(service.pagers["after"], after(ids(1500)), limit)
    assert len(done.items) == min(limit, 1500)
    assert {ask["pageSize"] for ask in done.asked} == {"1000"}
    assert done.result.truncated is (limit < 1500)


def test_a_list_without_further_pages_asks_for_all_that_is_wanted(service: Service) -> None:
    done = walked(service.pagers["limit"], only_limit(ids(4000)), 3000)
    assert (done.asked, len(done.items), done.result.truncated) == ([{"limit": "3001"}], 3000, True)


@pytest.mark.parametrize(("count", "truncated"), [(999, False), (1000, True), (1001, True)])
def test_a_list_without_further_pages_says_when_it_may_have_more(
    service: Service, count: int, truncated: bool
) -> None:
    done = walked(service.pagers["limit"], only_limit(ids(count)))
    assert (len(done.items), done.result.truncated) == (min(count, 1000), truncated)


def test_what_is_sent_to_turn_the_page(service: Service) -> None:
    turned = {}
    for family in PAGED:
        done = walked(small(service, family), FAMILIES[family](ids(SIZE + 1)))
        turned[family] = [{k: v for k, v in ask.items() if k != "pageSize"} for ask in done.asked]
    the_name = {"cursor": "the-name"}
    assert turned == {
        "after": [{}, {"after": "5"}],
        "cursor": [{}, the_name, the_name],
        "cursor_name": [{}, {"cursorName": "the-name"}, {"cursorName": "the-name"}],
        "activities": [{}, {"olderThan": "2"}],
        "last_cursor_id": [{}, {"lastCursorId": 5}],
        "anchor_id": [{}, {"anchorId": "5"}],
        "anchor_natural_id": [{}, {"anchorNaturalId": "n0005"}],
    }


def test_what_the_last_answer_says_beside_its_items(service: Service) -> None:
    def page(family: str) -> Any:
        return walked(small(service, family), FAMILIES[family](ids(2))).result.page

    assert page("after") == {}
    assert page("cursor") == {"cursor": {"name": "the-name", "offset": 2, "count": 2}}
    assert page("activities") == {"lastActivityId": 2}
    assert page("last_cursor_id") == {"metadata": {"lastCursorId": None, "columns": []}}
    assert page("limit") == {"query": "q"}


def test_an_answer_that_says_truncated_itself_is_believed_in_its_place_only(service: Service) -> None:
    done = walked(small(service, "limit"), lambda ask: {"truncated": True, "devices": []})
    assert (done.result.page, done.result.truncated) == ({"truncated": True}, False)


@pytest.mark.parametrize("changes", [{"pick": "max"}, {"pick": "min"}, {"first": 1}])
def test_a_page_is_not_kept_while_the_next_one_is_read(service: Service, changes: dict[str, Any]) -> None:
    class Item(dict[str, Any]):
        """An object that can be referenced weakly."""

    def loads(text: str) -> list[Item]:
        items = [Item(id=n) for n in range(SIZE)]
        kept.extend(map(ref, items))
        return items

    kept: list[ref[Item]] = []
    steps = walk(small(service, "after", **changes), Request("GET", "/v2/list"))
    assert isinstance(next(steps), Request)
    assert isinstance(steps.send(Response(200, body=b"[]", loads=loads)), Page)
    assert None not in [item() for item in kept]
    assert isinstance(next(steps), Request)
    assert [item() for item in kept] == [None] * SIZE


# Cursors


def test_an_offset_may_be_text(service: Service) -> None:
    done = walked(small(service, "cursor"), cursor(ids(12), as_text=True))
    assert done.ids == list(range(1, 13))


def test_a_short_page_in_the_middle_of_a_cursor_is_not_the_end(service: Service) -> None:
    pages = iter([ids(12)[:5], ids(12)[5:7], ids(12)[7:12], []])
    at = iter([5, 7, 12, 12])
    done = walked(
        small(service, "cursor"),
        lambda ask: {"cursor": {"name": "n", "offset": next(at)}, "results": next(pages)},
    )
    assert done.ids == list(range(1, 13))


@pytest.mark.parametrize("end", [None, {}, {"name": None}, {"name": "", "offset": 5}])
@pytest.mark.parametrize("family", ["cursor", "cursor_name"])
def test_a_cursor_ends_where_it_has_no_name(service: Service, family: str, end: Any) -> None:
    done = walked(small(service, family), lambda ask: {"cursor": end, "results": ids(SIZE)})
    assert (len(done.asked), len(done.items), done.result.truncated) == (1, SIZE, False)


def test_custom_fields_end_after_a_page_as_the_published_document_has_it(service: Service) -> None:
    response = {"page": 0, "pageSize": 500, "count": SIZE, "results": ids(SIZE)}
    done = walked(small(service, "cursor_name"), lambda ask: response)
    assert (done.ids, len(done.asked)) == ([1, 2, 3, 4, 5], 1)
    assert done.result.page == {"page": 0, "pageSize": 500, "count": SIZE}


def test_names_that_change_are_followed(service: Service) -> None:
    def serve(ask: Any) -> Any:
        at = int(ask.get("cursor", "c0")[1:])
        return {"cursor": {"name": f"c{at + SIZE}"}, "results": ids(12)[at : at + SIZE]}

    assert walked(small(service, "cursor"), serve).ids == list(range(1, 13))


@pytest.mark.parametrize("cursor_", ["text", 7, ["name"], True])
def test_an_unreadable_cursor_on_an_empty_page_is_the_end(service: Service, cursor_: Any) -> None:
    done = walked(small(service, "cursor"), lambda ask: {"cursor": cursor_, "results": []})
    assert done.items == []


# Through the engine


COUNT = 200_000


def test_a_long_list_does_not_fill_the_memory(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    item = '{"id":%d,"systemName":"SRV-%d","tags":["a","b"]}'

    def page(method: str, target: str, body: Any) -> Response:
        transport.answers.append(page)
        transport.sent.clear()
        start = int(target.partition("after=")[2] or 0)
        chunk = [item % (n, n) for n in range(start + 1, min(start + 1000, COUNT) + 1)]
        return Response(200, {}, f"[{','.join(chunk)}]".encode())

    transport.answers = [page]
    action = declare(tmp_path, paging="after")
    peak, blocks = 0, []
    count = 0
    tracemalloc.start()
    try:
        for envelope in invoker(action, client, rows="each").envelopes(1, {}):
            count += 1
            assert envelope.meta["item"] == count
            assert envelope.result["id"] == count
            if count == COUNT // 40:
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()  # it makes everything slow
            if count % (COUNT // 10) == 0:
                blocks.append(sys.getallocatedblocks())
    finally:
        tracemalloc.stop()
    assert count == COUNT
    assert envelope.meta["last"] is True
    assert "truncated" not in envelope.meta
    # A few pages are held at a time, and no more of them at the end than at the beginning.
    assert 0 < peak < 6_000_000
    assert blocks[-2] < blocks[0] + 5_000


def test_what_a_page_says_goes_into_the_envelope(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    action = declare(
        tmp_path,
        paging="activities",
        inputs={"limit": {"type": "integer", "minimum": 1}},
    )
    transport.answers = [reply({"lastActivityId": 9, "activities": [{"id": 9}, {"id": 8}, {"id": 7}]})]
    (envelope,) = invoker(action, client).envelopes(1, {"limit": 2})
    assert transport.sent == [("GET", "/v2/probe?pageSize=10", None)]
    assert envelope.result == [{"id": 9}, {"id": 8}]
    assert envelope.meta["page"] == {"lastActivityId": 9}
    assert envelope.meta["truncated"] is True
