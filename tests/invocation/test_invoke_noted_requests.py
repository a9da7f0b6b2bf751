"""Recorded requests, so that an interrupted run sends nothing twice."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.service import Service
from connector.client.client import Client
from connector.errors import RowError, RunInterruptedError, RunStoppedError
from connector.http.messages import Request, Response
from tests.declared import declare, invoker
from tests.fakes import FakeClock, FakeTransport, make_client, reply
from tests.invocation.rows import CREATE, HANDLER, LOST, READ, UNSENT, UPDATE, one, ran

DELETE: dict[str, Any] = {
    "request": "DELETE /v2/x",
    "effect": "destructive",
    "idempotent": True,
    "result": "none",
}
IN_DOUBT = RowError("outcome_unknown", "in doubt", refused=False)


class Notes:
    """A recorder that notes its calls, and what the transport had sent at each."""

    def __init__(self, transport: FakeTransport, earlier: Mapping[int, Any] | None = None) -> None:
        self.calls: list[Any] = []
        self._transport, self._earlier = transport, earlier or {}

    def recorded(self, row: int, step: int, request: Request) -> Response | None:
        found = self._earlier.get(step)
        if isinstance(found, RowError):
            raise found
        return found

    def sent(self, row: int, step: int, request: Request) -> None:
        self.calls.append(("sent", row, step, str(request), len(self._transport.sent)))

    def require_held(self) -> None:
        pass

    def require_lease(self) -> bool:
        return False

    def answered(self, row: int, step: int, response: Response) -> None:
        self.calls.append(("answered", row, step, response.status, len(self._transport.sent)))

    def refused(self, row: int, step: int) -> None:
        self.calls.append(("refused", row, step, len(self._transport.sent)))


def test_a_request_is_noted_before_it_is_sent_and_once_it_is_answered(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    transport.answers = [reply({"id": 5}), reply(b"", 204)]
    notes = Notes(transport)
    run = invoker(declare(tmp_path, **CREATE, handler=HANDLER), client, recorder=notes)
    ran(run, number=3)
    # The second one may be repeated, so that nobody needs to know of it.
    assert notes.calls == [("sent", 3, 0, "POST /v2/x", 0), ("answered", 3, 0, 200, 1)]


READS_FIRST = """
from connector.handlers import request
def handle(inputs):
    while (yield request("GET", "/v2/list", {}, effect="read")).json():
        pass
    return (yield inputs.request()).json()
"""


@pytest.mark.parametrize("reads", [1, 3])
def test_how_much_a_row_reads_first_does_not_move_its_writes(
    client: Client, transport: FakeTransport, tmp_path: Path, reads: int
) -> None:
    """A list may be longer when the row is resumed; its write is known by the same place."""
    transport.answers = [*[reply(["more"])] * (reads - 1), reply([]), reply({})]
    notes = Notes(transport)
    ran(invoker(declare(tmp_path, **CREATE, handler=READS_FIRST), client, recorder=notes))
    assert notes.calls == [("sent", 1, 0, "POST /v2/x", reads), ("answered", 1, 0, 200, reads + 1)]


@pytest.mark.parametrize(
    ("answers", "calls"),
    [
        ([reply(b"", 400)], ["sent", "refused"]),
        ([reply(b"", 429)] * 6, ["sent", "refused"]),
        ([UNSENT] * 3, ["sent", "refused"]),
        ([LOST], ["sent"]),
        ([reply(b"", 500)], ["sent"]),
        ([reply(b"oops")], ["sent", "answered"]),
    ],
)
def test_what_is_noted_of_a_failure(
    client: Client, transport: FakeTransport, tmp_path: Path, answers: list[Any], calls: list[str]
) -> None:
    transport.answers = list(answers)
    notes = Notes(transport)
    ran(invoker(declare(tmp_path, **CREATE), client, recorder=notes))
    assert [call[0] for call in notes.calls] == calls


@pytest.mark.parametrize("declared", [READ, UPDATE])
def test_what_may_be_repeated_is_not_noted(
    client: Client, transport: FakeTransport, tmp_path: Path, declared: Any
) -> None:
    transport.answers = [reply({})]
    notes = Notes(transport)
    ran(invoker(declare(tmp_path, **declared), client, recorder=notes))
    assert notes.calls == []


def test_an_answer_from_an_interrupted_run_is_not_asked_for_again(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    transport.answers = [reply(b"", 400)]
    notes = Notes(transport, {0: reply({"id": 9})})
    envelope = one(invoker(declare(tmp_path, **CREATE, handler=HANDLER), client, recorder=notes))
    assert [target for _, target, _ in transport.sent] == ["/v2/x/9/fields"]
    assert (envelope.meta["code"], envelope.meta["repeatable"]) == ("partial", False)
    assert notes.calls == []


def test_a_request_in_doubt_from_an_interrupted_run_is_not_sent(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    notes = Notes(transport, {0: IN_DOUBT})
    envelope = one(invoker(declare(tmp_path, **CREATE), client, recorder=notes))
    assert (envelope.meta["code"], envelope.meta["repeatable"]) == ("outcome_unknown", False)
    assert (transport.sent, notes.calls) == ([], [])


@pytest.mark.parametrize(
    ("earlier", "response", "code", "calls"),
    [
        (None, reply(b"", 204), None, ["sent", "answered"]),
        (None, reply(b"", 404), "not_found", ["sent", "refused"]),
        (reply(b"", 204), None, None, []),
        (IN_DOUBT, reply(b"", 204), None, ["sent", "answered"]),
        (IN_DOUBT, reply(b"", 404), None, ["sent", "answered"]),
        (IN_DOUBT, reply(b"", 403), "forbidden", ["sent", "refused"]),
    ],
)
def test_a_deletion_that_an_interrupted_run_may_have_carried_out_is_sent_again_and_may_find_nothing(
    client: Client,
    transport: FakeTransport,
    tmp_path: Path,
    earlier: Any,
    response: Any,
    code: Any,
    calls: Any,
) -> None:
    transport.answers = [response] if response else []
    notes = Notes(transport, {0: earlier})
    envelope = one(invoker(declare(tmp_path, **DELETE), client, recorder=notes))
    assert envelope.meta["code"] == code
    assert envelope.meta.get("repeatable", True) is True
    assert [call[0] for call in notes.calls] == calls


@pytest.mark.parametrize(("declared", "calls"), [(CREATE, ["sent", "refused"]), (DELETE, ["sent"])])
@pytest.mark.parametrize("answers", [[reply(b"", 429)], []])
def test_a_row_that_is_left_as_the_run_stops_takes_its_note_back(
    service: Service, transport: FakeTransport, tmp_path: Path, declared: Any, answers: Any, calls: list[str]
) -> None:
    """It waits before another try. A deletion may be sent again whatever became of it.

    A row that waits for the pace has no note, so that a run that is killed then leaves no doubt about it.
    """

    class Stopping(FakeClock):
        def sleep(self, seconds: float) -> None:
            if seconds > 0:
                raise RunInterruptedError("stopping")

    clock = Stopping()
    stopped = make_client(service, transport, clock, delay_ms=0 if answers else 1000)
    transport.answers = list(answers)
    if not answers:
        stopped.pacer.wait()
    notes = Notes(transport)
    run = invoker(declare(tmp_path, **declared), stopped, recorder=notes)
    with pytest.raises(RunInterruptedError):
        list(run.envelopes(1, {}))
    assert [call[0] for call in notes.calls] == (calls if answers else [])
    assert len(transport.sent) == len(answers)


@pytest.mark.parametrize("declared", [CREATE, DELETE])
@pytest.mark.parametrize(
    "refusal",
    [
        reply(b"", 429),
        reply(b"<html>Too many requests</html>", 429, **{"content-type": "text/html"}),
        reply(b"", 401),
    ],
)
def test_a_request_is_not_sent_again_once_another_process_has_taken_over(
    client: Client, transport: FakeTransport, tmp_path: Path, declared: Any, refusal: Response
) -> None:
    class Replaced(Notes):
        def require_held(self) -> None:
            raise RunStoppedError("taken over")

    transport.answers = [refusal, reply({"id": 5})]
    run = invoker(declare(tmp_path, **declared), client, recorder=Replaced(transport))
    with pytest.raises(RunStoppedError, match="taken over"):
        list(run.envelopes(1, {}))
    assert len(transport.sent) == 1


@pytest.mark.parametrize(("declared", "sent"), [(UPDATE, 0), (READ, 1)])
def test_a_repeatable_change_requires_the_lease_and_a_read_does_not(
    client: Client, transport: FakeTransport, tmp_path: Path, declared: Any, sent: int
) -> None:
    class Replaced(Notes):
        def require_lease(self) -> bool:
            raise RunStoppedError("taken over")

    transport.answers = [reply({})] * sent
    run = invoker(declare(tmp_path, **declared), client, recorder=Replaced(transport))
    with nullcontext() if sent else pytest.raises(RunStoppedError, match="taken over"):
        list(run.envelopes(1, {}))
    assert len(transport.sent) == sent


def test_where_nothing_can_be_noted_nothing_is_sent(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    class Full(Notes):
        def sent(self, row: int, step: int, request: Request) -> None:
            raise RunStoppedError("the disk is full")

    run = invoker(declare(tmp_path, **CREATE), client, recorder=Full(transport))
    with pytest.raises(RunStoppedError):
        list(run.envelopes(1, {}))
    assert transport.sent == []
