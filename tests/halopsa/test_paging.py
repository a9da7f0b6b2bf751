"""Lists whose pages are counted: every item, or an error, whatever the server makes of page and size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.catalog.service import Service
from connector.errors import DeclarationError, RowError
from connector.http.messages import Request, Response
from connector.invocation.pagination import Page, walk
from tests.declared import declare, invoker
from tests.halopsa.conftest import Api, Asked, OpenClient, Says
from tests.invocation.rows import one

FIRST = Request("GET", "/api/Asset", (("client_id", "7"),))


def ids(count: int) -> list[Any]:
    return [{"id": n, "client_id": 7} for n in range(1, count + 1)]


def paged(items: list[Any], cap: int = 50, key: str = "assets") -> Api:
    """A server with these items that sends no more than `cap` a page."""

    def respond(asked: Asked) -> Says:
        size = min(cap, int(asked.query["page_size"]))
        at = (int(asked.query["page_no"]) - 1) * size
        return Says({"record_count": len(items), key: items[at : at + size]})

    return Api(respond)


def pages(*bodies: Any) -> Api:
    """A server that gives these pages, and then fails the test."""
    rest = iter(bodies)
    return Api(lambda _: Says(next(rest)))


def walked(client: Any, service: Service, limit: int | None = None, **changes: Any) -> tuple[list[Any], Any]:
    """The items of a walk, and its result."""
    pager = service.pagers["assets"]._replace(**changes)
    steps = walk(pager, FIRST, limit)
    items: list[Any] = []
    response: Response | None = None
    try:
        while True:
            step = steps.send(response) if response else next(steps)
            response = client.send(step) if isinstance(step, Request) else None
            items += step.items if isinstance(step, Page) else []
    except StopIteration as stop:
        return items, stop.value


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 120, 150])
@pytest.mark.parametrize("cap", [7, 50])
def test_a_list_is_read_to_its_end_though_pages_are_shorter_than_requested(
    open_client: OpenClient, halopsa: Service, count: int, cap: int
) -> None:
    api = paged(ids(count), cap)
    items, result = walked(open_client(api), halopsa, page_size=100)
    assert items == ids(count)
    assert result.truncated is False
    assert result.page == {"record_count": count}
    assert len(api.asked) == max(1, -(-count // cap))  # none is asked for after the last one


def test_page_and_size_and_true_are_sent(open_client: OpenClient, halopsa: Service) -> None:
    api = paged(ids(120))
    walked(open_client(api), halopsa)
    assert [asked.query for asked in api.asked] == [
        {"client_id": "7", "page_size": "50", "pageinate": "true", "page_no": str(n)} for n in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("limit", "count", "is_truncated"),
    [(1, 1, True), (50, 50, True), (60, 60, True), (120, 120, False), (200, 120, False), (0, 0, True)],
)
def test_a_limit_says_truncated_only_when_something_was_left_out(
    open_client: OpenClient, halopsa: Service, limit: int, count: int, is_truncated: bool
) -> None:
    items, result = walked(open_client(paged(ids(120))), halopsa, limit)
    assert (len(items), result.truncated) == (count, is_truncated)


@pytest.mark.parametrize(
    ("again", "changes"),
    [
        pytest.param(ids(50), {}, id="the same"),
        pytest.param([{**item, "seen": 2} for item in ids(50)], {}, id="the same ones, with another time"),
        pytest.param(ids(50), {"item": ""}, id="the same, of a pager without `item`"),
    ],
)
def test_a_page_that_comes_again_is_an_error(
    open_client: OpenClient, halopsa: Service, again: list[Any], changes: Any
) -> None:
    api = pages({"record_count": 120, "assets": ids(50)}, {"record_count": 120, "assets": again})
    with pytest.raises(RowError, match="page 2 has the same items as page 1") as raised:
        walked(open_client(api), halopsa, **changes)
    assert raised.value.code == "bad_response"


def test_items_without_the_member_that_tells_them_apart_are_compared_whole(
    open_client: OpenClient, halopsa: Service
) -> None:
    api = pages({"record_count": 2, "assets": [{"a": 1}]}, {"record_count": 2, "assets": [{"a": 2}]})
    assert walked(open_client(api), halopsa)[0] == [{"a": 1}, {"a": 2}]


def test_an_empty_page_before_the_end_is_read_again(open_client: OpenClient, halopsa: Service) -> None:
    full = {"record_count": 52, "assets": ids(50)}
    last = {"record_count": 52, "assets": ids(52)[50:]}
    api = pages(full, {"record_count": 52, "assets": []}, last)
    assert walked(open_client(api), halopsa)[0] == ids(52)
    assert [asked.query["page_no"] for asked in api.asked] == ["1", "2", "2"]


def test_a_page_that_stays_empty_before_the_end_is_an_error(
    open_client: OpenClient, halopsa: Service
) -> None:
    empty = {"record_count": 120, "assets": []}
    api = pages({"record_count": 120, "assets": ids(50)}, empty, empty)
    with pytest.raises(RowError, match="the page after 50 of 120 items is empty") as raised:
        walked(open_client(api), halopsa)
    assert raised.value.code == "bad_response"


@pytest.mark.parametrize("total", [{}, {"record_count": None}, {"record_count": 0}, {"record_count": 30}])
def test_a_total_that_is_missing_or_too_small_ends_nothing(
    open_client: OpenClient, halopsa: Service, total: Any
) -> None:
    first, second = ids(60)[:50], ids(60)[50:]
    api = pages({**total, "assets": first}, {**total, "assets": second}, {**total, "assets": []})
    assert walked(open_client(api), halopsa)[0] == ids(60)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"record_count": "2", "assets": ids(1)}, 'its "record_count" should be a number, but is text'),
        ({"record_count": True, "assets": ids(1)}, "should be a number, but is a boolean"),
        ({"record_count": 2}, 'its "assets" should be an array, but is null'),
        (ids(2), 'its "assets" should be an array, but is null'),
    ],
)
def test_a_page_that_cannot_be_read_is_an_error(
    open_client: OpenClient, halopsa: Service, body: Any, message: str
) -> None:
    with pytest.raises(RowError, match=message):
        walked(open_client(pages(body)), halopsa)


# Filters


def listing(tmp_path: Path, given: Any) -> Any:
    inputs = {"client": {"to": "query.client_id", "confirms": "client_id", **given}}
    return declare(tmp_path, request="GET /api/Asset", inputs=inputs, result={"type": "array"})


@pytest.mark.parametrize(
    ("given", "value", "items"),
    [
        ({"type": "integer"}, 7, [{"id": 1, "client_id": 7}]),
        ({"type": "integer"}, 7, []),
        ({"type": "integer"}, 7, [{"id": 1, "client_id": "7"}]),
        ({"type": "array", "items": {"type": "integer"}}, [7, 8], [{"client_id": 8}, {"client_id": 7}]),
        ({"type": "string"}, "7, 8", [{"client_id": 8}, {"client_id": 7}]),
        ({"type": "boolean"}, False, [{"client_id": False}]),
        ({"type": "string"}, "Acme, Inc", [{"client_id": "ACME, Inc "}]),
    ],
)
def test_a_filtered_list_may_have_what_was_requested(
    open_client: OpenClient, tmp_path: Path, given: Any, value: Any, items: list[Any]
) -> None:
    client = open_client(Api(lambda _: Says(items)))
    envelope = one(invoker(listing(tmp_path, given), client), {"client": value})
    assert (envelope.error, envelope.result) == (None, items)
    assert "warnings" not in envelope.meta


@pytest.mark.parametrize("other", [8, None, 77, "70", True])
def test_an_item_that_the_filter_does_not_allow_is_an_error(
    open_client: OpenClient, tmp_path: Path, other: Any
) -> None:
    items = [{"id": 1, "client_id": 7}, {"id": 99, "client_id": other}]
    client = open_client(Api(lambda _: Says(items)))
    envelope = one(invoker(listing(tmp_path, {"type": "integer"}), client), {"client": 7})
    assert envelope.meta["code"] == "bad_response"
    assert "did not apply the filter client: an item (id 99) has client_id" in str(envelope.error)


def test_each_page_is_checked(open_client: OpenClient, tmp_path: Path) -> None:
    items = [*ids(60), {"id": 99, "client_id": 8}]
    inputs = {"client": {"to": "query.client_id", "type": "integer", "confirms": "client_id"}}
    declared = declare(tmp_path, request="GET /api/Asset", inputs=inputs, paging="assets")
    envelope = one(invoker(declared, open_client(paged(items))), {"client": 7})
    assert "an item (id 99) has client_id 8" in str(envelope.error)


@pytest.mark.parametrize("result", [{}, {"type": "object"}, "none"])
def test_only_a_filter_of_a_list_is_confirmed(tmp_path: Path, result: Any) -> None:
    inputs = {"client": {"to": "query.client_id", "confirms": "client_id"}}
    with pytest.raises(DeclarationError, match="only a filter of a list can be confirmed"):
        declare(tmp_path, inputs=inputs, result=result)


def test_without_a_value_for_the_filter_nothing_is_checked(open_client: OpenClient, tmp_path: Path) -> None:
    client = open_client(Api(lambda _: Says([{"client_id": 8}])))
    assert one(invoker(listing(tmp_path, {"type": "integer"}), client)).error is None


def test_items_without_the_member_are_a_warning(open_client: OpenClient, tmp_path: Path) -> None:
    client = open_client(Api(lambda _: Says([{"id": 1}, {"id": 2}])))
    envelope = one(invoker(listing(tmp_path, {"type": "integer"}), client), {"client": 7})
    assert envelope.error is None
    assert envelope.meta["warnings"] == [
        "client: the connector cannot check whether the API applied this filter, because the items have "
        "no client_id"
    ]
