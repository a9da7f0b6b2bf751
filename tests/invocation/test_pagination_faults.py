"""Pages that cannot be read, are damaged or missing are errors, never a short list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.service import Service
from connector.client.client import Client
from connector.errors import ResponseLostError, RowError
from connector.http.messages import Request, Response
from connector.invocation.pagination import walk
from tests.declared import declare, invoker
from tests.fakes import FakeTransport, reply
from tests.invocation.paged import SIZE, Serve, ids, small, walked

# Pages that cannot be followed


def numbered(*pages: Any) -> Serve:
    """A server that gives these pages, and the last one for ever."""
    rest: Iterator[Any] = iter(pages)
    latest: Any = None

    def serve(ask: Any) -> Any:
        nonlocal latest
        latest = next(rest, latest)
        return latest

    return serve


FULL = ids(SIZE)
OTHER = [{"id": n} for n in range(SIZE + 1, 2 * SIZE + 1)]


def report(name: Any, offset: Any, items: list[Any]) -> Any:
    return {"cursor": {"name": name, "offset": offset}, "results": items}


def board(position: Any, items: list[Any]) -> Any:
    return {"data": items, "metadata": {"lastCursorId": position}}


def fresh_snapshots() -> Serve:
    """A server that ignores the cursor, so that each answer is the first page of a new one."""
    count = iter(range(100))
    return lambda ask: report(f"c{next(count)}", SIZE, FULL)


LEADS_BACK = "was already read"
UNFOLLOWABLE = [
    pytest.param("after", numbered(FULL), LEADS_BACK, id="after: the same page again"),
    pytest.param("after", numbered(OTHER, FULL), LEADS_BACK, id="after: an earlier page"),
    pytest.param(
        "after", numbered([*FULL[:-1], {}]), "is not a whole number", id="after: an item without id"
    ),
    pytest.param(
        "after", numbered([*FULL[:-1], 7]), "is not a whole number", id="after: an item that is no object"
    ),
    *(
        pytest.param(
            "after", numbered([*FULL[:-1], {"id": odd}]), "is not a whole number", id=f"after: id {odd!r}"
        )
        for odd in ("9", None, 9.5, True)
    ),
    pytest.param("activities", numbered({"activities": FULL}), LEADS_BACK, id="activities: the same again"),
    pytest.param(
        "activities",
        numbered({"activities": FULL}, {"activities": OTHER}),
        LEADS_BACK,
        id="activities: newer",
    ),
    pytest.param("cursor", numbered(report("n", 5, FULL)), LEADS_BACK, id="cursor: no offset moves"),
    pytest.param(
        "cursor", numbered(report("n", 5, FULL), report("n", 4, OTHER)), LEADS_BACK, id="cursor: backwards"
    ),
    pytest.param(
        "cursor",
        numbered(report("n", None, FULL), report("n", None, OTHER)),
        LEADS_BACK,
        id="cursor: the same name and no offset",
    ),
    pytest.param("cursor", numbered(report("n", "x", FULL)), LEADS_BACK, id="cursor: an odd offset"),
    pytest.param("cursor", numbered(report("n", 10**400, FULL)), LEADS_BACK, id="cursor: a huge offset"),
    pytest.param(
        "cursor",
        numbered(report("a", 5, FULL), report("b", 6, OTHER), report("a", 5, FULL), report("b", 6, OTHER)),
        LEADS_BACK,
        id="cursor: in a circle",
    ),
    pytest.param("cursor", fresh_snapshots(), LEADS_BACK, id="cursor: ignored by the server"),
    pytest.param(
        "cursor",
        numbered({"cursor": "n", "results": FULL}),
        'its "cursor" should be an object, but is text',
        id="cursor: text",
    ),
    pytest.param(
        "cursor",
        numbered(report(["n"], 5, FULL)),
        "next page has the wrong type: an array",
        id="cursor: list",
    ),
    pytest.param("last_cursor_id", numbered(board(5, FULL)), LEADS_BACK, id="board: the same again"),
    pytest.param(
        "last_cursor_id",
        numbered(board(5, FULL), board(9, OTHER), board(5, FULL)),
        LEADS_BACK,
        id="board: in a circle",
    ),
    pytest.param(
        "last_cursor_id",
        numbered(board({}, FULL)),
        "next page has the wrong type: an object",
        id="board: an object",
    ),
    pytest.param("anchor_id", numbered(FULL), LEADS_BACK, id="log: the same again"),
    pytest.param("anchor_id", numbered(FULL, OTHER, FULL), LEADS_BACK, id="log: in a circle"),
    pytest.param("anchor_id", numbered([*FULL[:-1], {}]), "does not contain the position", id="log: no id"),
    pytest.param(
        "anchor_natural_id", numbered(FULL), "does not contain the position", id="people: no natural id"
    ),
    pytest.param(
        "anchor_natural_id",
        numbered([{"naturalId": "x"}] * SIZE),
        LEADS_BACK,
        id="people: the same again",
    ),
]


@pytest.mark.parametrize(("family", "serve", "why"), UNFOLLOWABLE)
def test_a_page_that_cannot_be_followed_is_an_error(
    service: Service, family: str, serve: Serve, why: str
) -> None:
    with pytest.raises(RowError, match=f"the list cannot be read to its end: .*{why}") as raised:
        walked(small(service, family), serve)
    assert raised.value.code == "bad_response"
    assert "are not the complete list" in str(raised.value)


@pytest.mark.parametrize("family", ["after", "anchor_id", "anchor_natural_id"])
def test_items_of_a_last_page_need_no_id(service: Service, family: str) -> None:
    assert walked(small(service, family), lambda ask: [{"name": "x"}]).items == [{"name": "x"}]


@pytest.mark.parametrize(
    ("family", "response", "why"),
    [
        ("after", {}, "the response should be an array, but is an object"),
        ("after", None, "the response should be an array, but is null"),
        ("anchor_id", "text", "the response should be an array, but is text"),
        ("cursor", [], 'its "results" should be an array, but is null'),
        ("cursor", {"cursor": None}, 'its "results" should be an array, but is null'),
        ("cursor", {"results": {}}, 'its "results" should be an array, but is an object'),
        ("activities", {"activities": None}, 'its "activities" should be an array, but is null'),
        ("last_cursor_id", {"metadata": {}}, 'its "data" should be an array, but is null'),
        ("limit", {"devices": "x"}, 'its "devices" should be an array, but is text'),
    ],
)
def test_a_page_without_its_items_is_an_error(service: Service, family: str, response: Any, why: str) -> None:
    with pytest.raises(RowError, match=why) as raised:
        walked(small(service, family), lambda ask: response)
    assert raised.value.code == "bad_response"


def test_a_page_that_is_not_json_is_an_error(service: Service) -> None:
    steps = walk(service.pagers["after"], Request("GET", "/v2/x"))
    next(steps)
    with pytest.raises(RowError, match="invalid JSON"):
        steps.send(Response(200, body=b'[{"id": 1}'))


# A cursor that keeps its name moves with every answer, also with one that got lost on its way


LOST = ResponseLostError("the connection broke")


def page_of_report(offset: object, count: int) -> Response:
    cursor = {"name": "c", "offset": offset} if offset is not None else None
    return reply({"cursor": cursor, "results": [{"deviceId": n} for n in range(count)]})


def reported(transport: FakeTransport, client: Client, tmp_path: Path, answers: list[Any]) -> Any:
    transport.answers = answers
    action = declare(tmp_path, paging="cursor", result={"type": "array"})
    (envelope,) = invoker(action, client).envelopes(1, {})
    return envelope


@pytest.mark.parametrize("offsets", [(1000, 1400, 1400), ("1000", "1400", "1400"), (0, 1000, 1400)])
def test_a_walk_without_losses_is_whole(
    transport: FakeTransport, client: Client, tmp_path: Path, offsets: tuple[object, ...]
) -> None:
    first, second, third = offsets
    envelope = reported(
        transport,
        client,
        tmp_path,
        [page_of_report(first, 1000), page_of_report(second, 400), page_of_report(third, 0)],
    )
    assert envelope.error is None
    assert len(envelope.result) == 1400


@pytest.mark.parametrize(
    "after_it",
    [
        pytest.param(page_of_report(3000, 1000), id="a full page"),
        pytest.param(page_of_report(2400, 400), id="a short page"),
        pytest.param(page_of_report(1400, 0), id="the end"),
        pytest.param(page_of_report(None, 0), id="the end, which does not say where it is"),
    ],
)
def test_a_page_that_was_lost_is_no_short_success(
    transport: FakeTransport, client: Client, tmp_path: Path, after_it: Response
) -> None:
    envelope = reported(transport, client, tmp_path, [page_of_report(1000, 1000), LOST, after_it])
    assert envelope.meta["code"] == "bad_response"
    assert "the items between two pages were lost" in str(envelope.error)
    assert envelope.meta["repeatable"] is True


def test_the_first_page_may_be_asked_for_again(
    transport: FakeTransport, client: Client, tmp_path: Path
) -> None:
    envelope = reported(transport, client, tmp_path, [LOST, page_of_report(5, 5), page_of_report(5, 0)])
    assert len(envelope.result) == 5
