"""The requests that an interrupted run has sent and that must not be repeated, with their responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.common import json_text
from connector.common.json_text import quoted
from connector.common.redaction import Redactor
from connector.errors import ApiError, RowError
from connector.http.digest import request_digest
from connector.http.messages import Request, Response

Entry = Mapping[str, Any]
"""`{sent, request}`: a request and its digest, and with `answer` its response; or `{answer}`, `{refused}`."""

_KEPT_HEADERS = ("content-type", "location")


class SentRequests:
    """The requests that may have had an effect, by row and step."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[int, dict[str, Any]]] = {}

    def __len__(self) -> int:
        """Return the number of rows that have sent requests."""
        return len(self._rows)

    def note(self, row: int, step: int, entry: Entry) -> None:
        """Add what was recorded of a request: that it was sent, its response, or that it had no effect."""
        of_row = self._rows.setdefault(row, {})
        if entry.get("refused"):
            of_row.pop(step, None)
        elif "sent" in entry:
            of_row[step] = dict(entry)
        elif step in of_row:
            of_row[step] = {**of_row[step], "answer": entry["answer"]}

    def has_sent(self, row: int) -> bool:
        """Return whether a row has sent a request that must not be repeated."""
        return bool(self._rows.get(row))

    def recorded(self, row: int, step: int, request: Request) -> Response | None:
        """Return the response that the interrupted run received, or None if it did not send this request.

        Raises ApiError (`outcome_unknown`) if this request, or a different request of the row, was sent and
        has no recorded response. A different request counts, because the row may read different data when it
        is resumed, and therefore send something else.
        """
        entry = self._rows.get(row, {}).get(step)
        if entry is None:
            if not request.repeatable:
                self._require_no_doubt(row)
            return None
        if entry["request"] != request_digest(request):
            raise _in_doubt(request, "the interrupted run sent a different request for this row")
        if "answer" not in entry:
            raise _in_doubt(request, "the run was interrupted before its response was received")
        answer = entry["answer"]
        return Response(
            answer["status"], answer["headers"], answer["body"].encode(), request_id=answer["request_id"]
        )

    def _require_no_doubt(self, row: int) -> None:
        """Raise ApiError if the row sent a request that must not be repeated and has no recorded response."""
        for entry in self._rows.get(row, {}).values():
            if "answer" not in entry and not entry["sent"].startswith("DELETE "):
                raise _in_doubt(entry["sent"], "the run was interrupted before its response was received")


def answer_text(response: Response, redactor: Redactor) -> str:
    """Return the JSON of a response as it is recorded, with secrets masked.

    It is written piece by piece, because every row of a run that changes something has one.
    """
    kept = [name for name in _KEPT_HEADERS if name in response.headers]
    headers = ",".join([f"{quoted(name)}:{quoted(redactor.text(response.headers[name]))}" for name in kept])
    request_id = "null" if response.request_id is None else quoted(response.request_id)
    return (
        f'{{"status":{response.status},"headers":{{{headers}}},"body":{quoted(_body(response, redactor))},'
        f'"request_id":{request_id}}}'
    )


def _body(response: Response, redactor: Redactor) -> str:
    text = response.text if response.body else ""
    if not text or not redactor.may_hide(text):
        return text
    try:
        body = response.json()
    except RowError:
        return redactor.said(text)
    return "" if body is None else json_text.dump_bytes(redactor.json(body)).decode()


def _in_doubt(request: Request | str, why: str) -> ApiError:
    return ApiError(
        "outcome_unknown",
        f"{request}: {why}. It may have taken effect: check before you send it again",
        refused=False,
    )
