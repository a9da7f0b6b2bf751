"""Endpoints for tickets, their comments and log, statuses and boards."""

from __future__ import annotations

import json

from connector.sandbox.errors import HttpError
from connector.sandbox.ninjaone.api.endpoints import ApiCall, endpoint
from connector.sandbox.ninjaone.areas.boards import BOARDS, matching, row, rule_test, sorted_rows
from connector.sandbox.ninjaone.data.seed import JSON, STATUSES
from connector.sandbox.ninjaone.errors import invalid, not_found
from connector.sandbox.types import (
    BOOLEAN,
    INTEGER,
    LONG,
    TEXT,
    Array,
    Object,
    given,
    one_of,
    text_up_to,
    within,
)

ALL_COLUMNS = [
    "id",
    "subject",
    "status",
    "organization",
    "assignee",
    "requester",
    "priority",
    "severity",
    "type",
    "source",
    "tags",
    "createTime",
]
_LOG_TYPE = one_of("DESCRIPTION", "COMMENT", "CONDITION", "SAVE", "DELETE", "PRODUCT", "INFO")
_COMMENT = Object(
    {
        "public": BOOLEAN,
        "body": TEXT,
        "htmlBody": TEXT,
        "timeTracked": INTEGER,
        "duplicateInIncidents": BOOLEAN,
    },
    required=("public",),
)
_SORT = Object({"field": TEXT, "direction": one_of("ASC", "DESC")}, required=("field",))
_RULE = Object({"field": TEXT, "operator": TEXT, "value": TEXT}, required=("field", "operator"))
_RUN = Object(
    {
        "sortBy": Array(_SORT),
        "filters": Array(_RULE),
        "pageSize": within(1, 2**31 - 1),
        "searchCriteria": text_up_to(512),
        "includeColumns": Array(TEXT),
        "lastCursorId": INTEGER,
    }
)


@endpoint("GET", "/v2/ticketing/statuses", "getAllStatuses")
def get_statuses(call: ApiCall) -> list[JSON]:
    """Return the ticket statuses. Tickets refer to a status by its id, as text."""
    return STATUSES


@endpoint("GET", "/v2/ticketing/ticket/{ticketId}", "getTicketById")
def get_ticket(call: ApiCall, ticket_id: int) -> JSON:
    """Return one ticket."""
    return call.state.ticket(ticket_id)


@endpoint(
    "POST", "/v2/ticketing/ticket/{ticketId}/comment", "createComment", media_type="multipart/form-data"
)
def create_comment(call: ApiCall, ticket_id: int) -> None:
    """Add a comment: `comment` must be a JSON part; `files` are attachments."""
    ticket = call.state.ticket(ticket_id)
    part = next((part for part in call.parts if part.name == "comment"), None)
    if part is None:
        raise invalid("comment", "a part")
    if part.content_type != "application/json":
        raise HttpError(415)
    try:
        comment = json.loads(part.data)
    except ValueError:
        raise HttpError(400) from None
    _COMMENT.check(comment, "comment")
    call.state.log_entry(
        ticket,
        call.state.author(),
        "COMMENT",
        **given(comment, "body", "htmlBody", "timeTracked"),
        publicEntry=comment["public"],
    )


@endpoint(
    "GET",
    "/v2/ticketing/ticket/{ticketId}/log-entry",
    "getTicketLogEntriesByTicketId",
    query={"type": _LOG_TYPE, "createTime": TEXT, "anchorId": LONG, "pageSize": within(1, 2**31 - 1)},
)
def get_log_entries(call: ApiCall, ticket_id: int) -> list[JSON]:
    """Return a page of the ticket's log, oldest first (pager `anchorId`). `createTime` is ignored."""
    call.state.ticket(ticket_id)
    found = [
        entry
        for entry in call.state.ticket_logs.get(ticket_id, [])
        if entry["id"] > call.query.get("anchorId", 0)
        and call.query.get("type", entry["type"]) == entry["type"]
    ]
    return found[: call.query.get("pageSize", 500)]


@endpoint("GET", "/v2/ticketing/trigger/boards", "getBoards")
def get_boards(call: ApiCall) -> list[JSON]:
    """Return the ticket boards, each with its number of tickets."""
    return [board | {"ticketCount": len(matching(call.state, board["id"]))} for board in BOARDS]


@endpoint(
    "POST", "/v2/ticketing/trigger/board/{boardId}/run", "getTicketsByBoard", body=_RUN, body_required=False
)
def run_board(call: ApiCall, board_id: int) -> JSON:
    """Return a page of the tickets on a board (pager `lastCursorId`)."""
    board = next((board for board in BOARDS if board["id"] == board_id), None)
    if board is None:
        raise not_found("board")
    body = call.body or {}
    tests = [rule_test(rule) for rule in body.get("filters") or []]
    words = (body.get("searchCriteria") or "").casefold()
    rows = [row(call.state, ticket) for ticket in matching(call.state, board_id)]
    rows = [
        entry for entry in rows if words in entry["subject"].casefold() and all(test(entry) for test in tests)
    ]
    sort_by = body.get("sortBy") or board["sortBy"]
    rows = sorted_rows(rows, sort_by)
    start = 0
    if body.get("lastCursorId") is not None:
        positions = [entry["id"] for entry in rows]
        start = positions.index(body["lastCursorId"]) + 1 if body["lastCursorId"] in positions else len(rows)
    page = rows[start : start + (body.get("pageSize") or 50)]
    columns = body.get("includeColumns") or board["columns"]
    metadata = {
        "columns": columns,
        "sortBy": sort_by,
        "attributes": {},
        "filters": body.get("filters") or [],
        "allRequiredColumns": ["id"],
        "allColumns": ALL_COLUMNS,
        "columnNamesForExporting": columns,
    }
    if page:
        metadata["lastCursorId"] = page[-1]["id"]
    return {"data": page, "metadata": metadata}
