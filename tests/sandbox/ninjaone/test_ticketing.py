"""Tickets and boards."""

from __future__ import annotations

import json

import pytest

COMMENT = "/v2/ticketing/ticket/1001/comment"
LOG = "/v2/ticketing/ticket/1001/log-entry"
RUN = "/v2/ticketing/trigger/board/2/run"


def comment(api, content, content_type="application/json", **files):
    parts = {"comment": (None, json.dumps(content), content_type), **files}
    return api.send("POST", COMMENT, files=parts)


def test_statuses(api):
    assert [status["statusId"] for status in api.get("/v2/ticketing/statuses")] == [
        1000,
        2000,
        3000,
        4000,
        5000,
        6000,
    ]


def test_ticket(api):
    ticket = api.get("/v2/ticketing/ticket/1001")
    assert ticket["nodeId"] == 1
    assert ticket["clientId"] == api.get("/v2/device/1")["organizationId"]
    assert ticket["requesterUid"] in {user["uid"] for user in api.get("/v2/users")}


def test_comment(api):
    response = comment(
        api,
        {"public": False, "body": "Done", "htmlBody": "<p>Done</p>", "timeTracked": 60},
        files=("photo.png", b"\x89PNG", "image/png"),
    )
    assert response.status_code == 204
    assert response.content == b""
    entry = api.get(LOG)[-1]
    assert (entry["type"], entry["body"], entry["timeTracked"]) == ("COMMENT", "Done", 60)
    assert entry["publicEntry"] is False
    logged = api.requests()[-2]["body"]
    assert [part["name"] for part in logged] == ["comment", "files"]
    assert json.loads(logged[0]["text"])["body"] == "Done"
    assert logged[0]["content_type"] == "application/json"
    assert logged[1] == {"name": "files", "filename": "photo.png", "content_type": "image/png", "size": 4}


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        ({"public": True}, "text/plain", 415),
        ({"public": True}, None, 415),
        ({"body": "x"}, "application/json", 400),
        ({"public": "yes"}, "application/json", 400),
        ("text", "application/json", 400),
    ],
)
def test_comment_refusals(api, content, content_type, status):
    assert comment(api, content, content_type).status_code == status
    assert len(api.get(LOG)) == 1


def test_comment_must_be_multipart_with_the_part(api):
    api.fails("POST", COMMENT, 415, json={"public": True, "body": "x"})
    api.fails("POST", COMMENT, 400, files={"files": ("a.txt", b"x", "text/plain")})
    api.fails("POST", COMMENT, 400, files={"comment": (None, "{", "application/json")})


def test_log_entries(api):
    for number in range(5):
        comment(api, {"public": True, "body": str(number)})
    everything = api.get(LOG)
    assert [entry["type"] for entry in everything] == ["DESCRIPTION"] + ["COMMENT"] * 5
    walked, anchor = [], {}
    while page := api.get(LOG, pageSize=4, **anchor):
        walked += page
        anchor = {"anchorId": page[-1]["id"]}
    assert walked == everything
    assert api.get(LOG, type="COMMENT") == everything[1:]


def test_boards(api):
    boards = {board["id"]: board["ticketCount"] for board in api.get("/v2/ticketing/trigger/boards")}
    assert boards[2] == 25
    assert 0 < boards[1] < 25
    assert len(api.do("POST", "/v2/ticketing/trigger/board/1/run", {"pageSize": 100})["data"]) == boards[1]


@pytest.mark.parametrize("sort", [None, [{"field": "priority", "direction": "DESC"}, {"field": "id"}]])
def test_walking_a_board(api, sort):
    order = {} if sort is None else {"sortBy": sort}
    everything = api.do("POST", RUN, {"pageSize": 100, **order})["data"]
    assert len(everything) == 25
    walked, cursor = [], {}
    while True:
        page = api.do("POST", RUN, {"pageSize": 10, **order, **cursor})
        if not page["data"]:
            assert "lastCursorId" not in page["metadata"]
            break
        walked += page["data"]
        cursor = {"lastCursorId": page["metadata"]["lastCursorId"]}
    assert walked == everything


def test_board_needs_no_body(api):
    assert len(api.do("POST", RUN)["data"]) == 25


@pytest.mark.parametrize(
    ("operator", "field", "value"),
    [
        ("is", "priority", "high"),
        ("is_not", "priority", "HIGH"),
        ("is", "status", "1000"),
        ("contains", "subject", "printer"),
        ("not_contains", "subject", "printer"),
        ("contains_any", "subject", "printer, laptop"),
        ("contains_none", "subject", "printer, laptop"),
        ("greater_than", "id", "1010"),
        ("less_than", "id", "1010"),
        ("greater_or_equal_than", "id", "1010"),
        ("less_or_equal_than", "id", "1010"),
        ("present", "subject", None),
    ],
)
def test_board_filters(api, operator, field, value):
    rule = {"field": field, "operator": operator} | ({} if value is None else {"value": value})
    found = api.do("POST", RUN, {"pageSize": 100, "filters": [rule]})["data"]
    assert 0 < len(found) < 25 or operator == "present"


def test_board_refusals(api):
    api.fails("POST", RUN, 400, json={"filters": [{"field": "id", "operator": "like", "value": "1"}]})
    api.fails("POST", RUN, 400, json={"filters": [{"field": "id", "operator": "less_than", "value": "x"}]})
    api.fails("POST", RUN, 400, json={"sortBy": [{"field": "nothing"}]})
    api.fails("POST", RUN, 400, json={"searchCriteria": "x" * 513})


def test_board_search(api):
    found = api.do("POST", RUN, {"pageSize": 100, "searchCriteria": "PRINTER"})["data"]
    assert found
    assert all("Printer" in row["subject"] for row in found)
    assert api.do("POST", RUN, {"searchCriteria": "no such thing"})["data"] == []
