"""One row through one action: which envelopes come of it, whatever happens on the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connector.catalog.action import Action
from connector.catalog.json_schema import validator
from connector.catalog.service import Service
from connector.client.client import Client
from connector.common.package_data import schema
from connector.errors import AnswerLost, Interrupted, NotSent, RowError, RunStopped
from connector.files.envelope import Envelope
from connector.http.messages import Request, Response
from connector.invocation.invoke import Invoker, first_request
from tests.declared import declare, invoker
from tests.fakes import FakeClock, FakeTransport, make_client, reply, token

ENVELOPE = validator(schema("envelope.schema.json"))
READ: dict[str, Any] = {}
CREATE: dict[str, Any] = {"request": "POST /v2/x", "effect": "write", "idempotent": False}
DELETE: dict[str, Any] = {
    "request": "DELETE /v2/x",
    "effect": "destructive",
    "idempotent": True,
    "result": "none",
}
UPDATE: dict[str, Any] = {"request": "PATCH /v2/x", "effect": "write", "idempotent": True}


def ran(invoker: Invoker, row: Mapping[str, Any] | None = None, number: int = 1) -> list[Envelope]:
    """A row's envelopes, each held against the schema and written."""
    envelopes = list(invoker.envelopes(number, row or {}))
    for envelope in envelopes:
        ENVELOPE.validate(json.loads(envelope.line()))
        assert envelope.row == number
    return envelopes


def one(invoker: Invoker, row: Mapping[str, Any] | None = None) -> Envelope:
    (envelope,) = ran(invoker, row)
    return envelope


# One request


def test_a_success(client: Client, transport: FakeTransport, tmp_path: Path) -> None:
    transport.answers = [reply({"id": 1}, x_nj_request_id="r-1")]
    envelope = one(invoker(declare(tmp_path, inputs={"q": "query.q"}), client), {"q": "x"})
    assert transport.sent == [("GET", "/v2/probe?q=x", None)]
    assert envelope.as_json() == {
        "has_error": False,
        "error": None,
        "result": {"id": 1},
        "row": 1,
        "meta": {"action": "probe", "status": 200, "code": None, "attempts": 1, "request_id": "r-1"},
    }


def test_a_failure(client: Client, transport: FakeTransport, tmp_path: Path) -> None:
    transport.answers = [reply({"resultCode": "name_is_too_long"}, 400, x_nj_request_id="r-1")]
    envelope = one(invoker(declare(tmp_path), client))
    assert envelope.as_json() == {
        "has_error": True,
        "error": "GET /v2/probe: the API answered 400: name_is_too_long",
        "result": None,
        "row": 1,
        "meta": {
            "action": "probe",
            "status": 400,
            "code": "api_error",
            "attempts": 1,
            "request_id": "r-1",
            "repeatable": True,
        },
    }


LOST = AnswerLost("no whole answer", "timeout")
UNSENT = NotSent("no connection")


@pytest.mark.parametrize(
    ("declared", "answers", "code", "repeatable", "attempts"),
    [
        pytest.param(READ, [reply(b"", 400)], "api_error", True, 1, id="read 400"),
        pytest.param(READ, [LOST] * 3, "timeout", True, 3, id="read lost"),
        pytest.param(UPDATE, [LOST] * 3, "timeout", True, 3, id="update lost"),
        pytest.param(UPDATE, [reply(b"", 500)] * 3, "api_error", True, 3, id="update 500"),
        pytest.param(CREATE, [reply(b"", 400)], "api_error", True, 1, id="create 400"),
        pytest.param(CREATE, [reply(b"", 429)] * 6, "rate_limited", True, 6, id="create 429"),
        pytest.param(CREATE, [UNSENT] * 3, "network_error", True, 3, id="create not sent"),
        pytest.param(CREATE, [LOST], "outcome_unknown", False, 1, id="create lost"),
        pytest.param(CREATE, [reply(b"", 500)], "api_error", False, 1, id="create 500"),
        pytest.param(CREATE, [reply(b"", 502)], "outcome_unknown", False, 1, id="create 502"),
        pytest.param(READ, [reply(b"")], "bad_response", True, 1, id="read empty"),
        pytest.param(READ, [reply(b"oops")], "bad_response", True, 1, id="read no JSON"),
        pytest.param(UPDATE, [reply(b"oops")], "bad_response", True, 1, id="update no JSON"),
        pytest.param(CREATE, [reply(b"oops")], "bad_response", False, 1, id="create no JSON"),
        pytest.param(CREATE, [reply(b"")], "bad_response", False, 1, id="create empty"),
        pytest.param(
            READ,
            [reply(b"<html>hi</html>", content_type="text/html")],
            "bad_response",
            True,
            1,
            id="read HTML",
        ),
        pytest.param(
            CREATE,
            [reply(b"<html>hi</html>", content_type="text/html")],
            "bad_response",
            False,
            1,
            id="create HTML",
        ),
        pytest.param(
            CREATE,
            [reply(b"<html>Too many requests</html>", content_type="text/html")],
            "rate_limited",
            False,
            1,
            id="create throttled by HTML",
        ),
    ],
)
def test_whether_a_failed_row_may_be_sent_again(
    client: Client,
    transport: FakeTransport,
    tmp_path: Path,
    declared: Any,
    answers: list[Any],
    code: str,
    repeatable: bool,
    attempts: int,
) -> None:
    transport.answers = list(answers)
    meta = one(invoker(declare(tmp_path, **declared), client)).meta
    assert (meta["code"], meta["repeatable"], meta["attempts"]) == (code, repeatable, attempts)
    assert len(transport.sent) == attempts


@pytest.mark.parametrize(
    ("declared", "answer", "result"),
    [
        ({}, reply("a bare text"), "a bare text"),
        ({}, reply([1, 2]), [1, 2]),
        ({}, reply(b"null"), None),
        ({**UPDATE, "result": "none"}, reply(b"", 204), None),
        ({**UPDATE, "result": "none"}, reply(b"", 200), None),
        ({**UPDATE, "result": "none"}, reply({"more": "than promised"}), {"more": "than promised"}),
    ],
)
def test_results_of_one_request(
    client: Client, transport: FakeTransport, tmp_path: Path, declared: Any, answer: Response, result: Any
) -> None:
    transport.answers = [answer]
    envelope = one(invoker(declare(tmp_path, **declared), client))
    assert (envelope.error, envelope.result) == (None, result)


def test_a_value_that_is_wrong_sends_nothing(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    action = declare(
        tmp_path,
        request="GET /v2/x/{id}",
        inputs={"id": "path.id", "n": {"type": "integer", "to": "query.n"}},
        required=["id"],
    )
    run = invoker(action, client)
    for row, code, word in [
        ({"id": "..", "n": 1}, "input_invalid", "cannot be part of an API path"),
        ({"id": "x", "n": "much"}, "input_invalid", "n: an integer is expected"),
        ({"n": 1}, "input_invalid", "id"),
    ]:
        envelope = one(run, row)
        assert envelope.meta["code"] == code
        assert envelope.meta["repeatable"] is True
        assert (envelope.meta["status"], envelope.meta["attempts"]) == (None, 0)
        assert word in str(envelope.error)
    envelope = one(invoker(action, client, {"id": "{{ missing }}"}), {"present": 1})
    assert envelope.meta["code"] == "template_error"
    assert (transport.sent, transport.signed_in) == ([], [])


def test_a_refused_sign_in_is_told_for_every_row_and_asked_once(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    transport.sign_ins = [reply({"error": "invalid_client"}, 400)]
    run = invoker(declare(tmp_path, **CREATE), client)
    for _ in range(3):
        meta = one(run).meta
        assert (meta["code"], meta["status"], meta["attempts"]) == ("auth_failed", 400, 0)
        assert meta["repeatable"] is True
    assert (len(transport.signed_in), transport.sent) == (1, [])


def test_an_input_that_is_not_published_warns(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    action = declare(
        tmp_path, **UPDATE, inputs={"tags": {"to": "body.tags", "published": False}, "name": "body.name"}
    )
    transport.answers = [reply({}), reply({}), reply(b"", 400)]
    run = invoker(action, client)
    warned = one(run, {"tags": ["a"]})
    assert warned.meta["warnings"] == ["tags: today's API does not publish it, and may not keep it"]
    assert "warnings" not in one(run, {"name": "n"}).meta
    failed = one(run, {"tags": []})
    assert failed.has_error
    assert len(failed.meta["warnings"]) == 1


def test_a_row_is_kept_on_request(client: Client, transport: FakeTransport, tmp_path: Path) -> None:
    row = {"q": 1, "password": "the row's own", "deep": {"x": ["\ud800"]}}
    action = declare(tmp_path, inputs={"q": "query.q"})
    transport.answers = [reply({}), reply(b"", 400), reply({})]
    run = invoker(action, client, keep_row=True)
    assert one(run, row).as_json()["input"] == row
    assert one(run, row).as_json()["input"] == row
    assert "input" not in one(invoker(action, client), row).as_json()
    broken = run.failed_row(4, {"q": 1}, RowError("input_invalid", "line 4: not JSON"))
    ENVELOPE.validate(json.loads(broken.line()))
    assert (broken.row, broken.error, broken.as_json()["input"]) == (4, "line 4: not JSON", {"q": 1})
    assert run.failed_row(5, ["no object"], RowError("input_invalid", "x")).as_json()["input"] == {}


# Secrets

SECRETS = {
    "user": {"name": "n", "password": "p-1", "secureValue": None},
    "list": [{"clientSecret": "s-1"}, "Bearer token-number-1", "a-very-secret-secret!"],
}


def test_secrets_in_results_are_hidden_unless_asked_for(
    service: Service, clock: FakeClock, tmp_path: Path
) -> None:
    transport = FakeTransport([reply(SECRETS)] * 2, [token("token-number-1")])
    client = make_client(service, transport, clock)
    action = declare(tmp_path)
    assert one(invoker(action, client)).result == {
        "user": {"name": "n", "password": "•••", "secureValue": None},
        "list": [{"clientSecret": "•••"}, "Bearer •••", "•••!"],
    }
    assert one(invoker(action, client, reveal_secrets=True)).result == SECRETS


@pytest.mark.parametrize("rows", ["one", "each"])
@pytest.mark.parametrize("escaped", [False, True])
def test_secrets_in_the_items_of_pages_are_hidden_whichever_page_holds_them(
    service: Service, clock: FakeClock, tmp_path: Path, rows: Any, escaped: bool
) -> None:
    plain = [[{"naturalId": f"n{page}-{n}"} for n in range(50)] for page in range(2)]
    for number, secret in ((0, {"password": "p-1"}), (49, {"note": "it is a-very-secret-secret"})):
        pages = [
            [{**item, **(secret if n == number else {})} for n, item in enumerate(page)] for page in plain
        ]
        shown = [
            {n: "•••" if n == "password" else v.replace("a-very-secret-secret", "•••") for n, v in i.items()}
            for page in (pages[0], plain[1], [])
            for i in page
        ]
        bodies = [json.dumps(page).encode() for page in (pages[0], plain[1], [])]
        if escaped:  # other spellings of the same JSON
            bodies = [
                body.replace(b"password", b"p\\u0061ssword").replace(b"very", b"v\\u0065ry")
                for body in bodies
            ]
        client = make_client(service, FakeTransport([reply(body) for body in bodies]), clock)
        envelopes = ran(invoker(declare(tmp_path, paging="anchor_natural_id"), client, rows=rows))
        results = [e.result for e in envelopes] if rows == "each" else envelopes[0].result
        assert results == shown


def test_secrets_beside_the_items_of_a_page_are_hidden_too(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    transport.answers = [reply({"devices": [], "password": "p-1"})]
    envelope = one(invoker(declare(tmp_path, paging="limit"), client))
    assert envelope.meta["page"] == {"password": "•••"}


def test_a_secret_in_an_error_is_hidden(client: Client, transport: FakeTransport, tmp_path: Path) -> None:
    transport.answers = [AnswerLost("broke at a-very-secret-secret")] * 3
    assert one(invoker(declare(tmp_path), client)).error == "GET /v2/probe: broke at •••"


# Several requests

HANDLER = """
    from connector.handlers import request

    def handle(inputs):
        made = (yield inputs.request()).json()
        yield request("PATCH", "/v2/x/{id}/fields", {"id": made["id"]}, body={}, idempotent=True)
        return made
"""


def test_several_requests_that_succeed(client: Client, transport: FakeTransport, tmp_path: Path) -> None:
    transport.answers = [reply({"id": 5}, x_nj_request_id="r-1"), reply(b"", 204, x_nj_request_id="r-2")]
    envelope = one(invoker(declare(tmp_path, **CREATE, handler=HANDLER), client))
    assert (envelope.error, envelope.result) == (None, {"id": 5})
    assert (envelope.meta["status"], envelope.meta["request_id"]) == (204, "r-2")
    assert [f"{m} {t}" for m, t, _ in transport.sent] == ["POST /v2/x", "PATCH /v2/x/5/fields"]


@pytest.mark.parametrize(
    ("declared", "failure", "inner", "repeatable", "meta"),
    [
        pytest.param(CREATE, [reply(b"", 400)], "api_error", False, (400, 1), id="created, then refused"),
        pytest.param(CREATE, [LOST] * 3, "timeout", False, (None, 3), id="created, then lost"),
        pytest.param(UPDATE, [reply(b"", 403)], "forbidden", True, (403, 1), id="updated, then refused"),
        pytest.param(UPDATE, [LOST] * 3, "timeout", True, (None, 3), id="updated, then lost"),
    ],
)
def test_a_second_request_that_fails_says_what_was_done(
    client: Client,
    transport: FakeTransport,
    tmp_path: Path,
    declared: Any,
    failure: list[Any],
    inner: str,
    repeatable: bool,
    meta: Any,
) -> None:
    first = reply({"id": 5, "password": "p-1"}, x_nj_request_id="r-1")
    transport.answers = [first, *failure]
    envelope = one(invoker(declare(tmp_path, **declared, handler=HANDLER), client))
    said = declared["request"]
    assert envelope.meta["code"] == "partial"
    assert str(envelope.error).startswith(f"{said} succeeded (id 5); then PATCH /v2/x/5/fields: ")
    assert envelope.result == {
        "done": [{"request": said, "id": 5, "answer": {"id": 5, "password": "•••"}}],
        "failed": inner,
    }
    assert envelope.meta["repeatable"] is repeatable
    assert (envelope.meta["status"], envelope.meta["attempts"]) == meta
    assert envelope.meta["request_id"] is None


def test_a_second_create_with_an_unknown_outcome(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    handler = """
        from connector.handlers import request

        def handle(inputs):
            yield request("PATCH", "/v2/a", {}, idempotent=True)
            yield request("POST", "/v2/b", {})
    """
    transport.answers = [reply("text"), LOST]
    envelope = one(invoker(declare(tmp_path, **UPDATE, handler=handler), client))
    assert (envelope.meta["code"], envelope.meta["repeatable"]) == ("partial", False)
    assert envelope.result == {
        "done": [{"request": "PATCH /v2/a", "id": None, "answer": "text"}],
        "failed": "outcome_unknown",
    }


def test_a_first_request_that_fails_is_not_partial(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    transport.answers = [reply(b"", 400)]
    envelope = one(invoker(declare(tmp_path, **CREATE, handler=HANDLER), client))
    assert (envelope.meta["code"], envelope.result) == ("api_error", None)


def test_reads_before_a_failure_were_no_deed(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    handler = """
        from connector.handlers import request

        def handle(inputs):
            yield request("GET", "/v2/a", {}, effect="read")
            yield inputs.request()
    """
    transport.answers = [reply({}), reply(b"", 400)]
    envelope = one(invoker(declare(tmp_path, **CREATE, handler=handler), client))
    assert (envelope.meta["code"], envelope.meta["repeatable"]) == ("api_error", True)


def test_an_answer_without_its_id_tells_that_it_may_have_been_created(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    handler = HANDLER.replace("inputs.request()).json()", 'inputs.request()).member("id")')
    transport.answers = [reply({"name": "no id"})]
    envelope = one(invoker(declare(tmp_path, **CREATE, handler=handler), client))
    assert 'without the "id" that is due' in str(envelope.error)
    assert (envelope.meta["code"], envelope.meta["repeatable"]) == ("bad_response", False)


def test_a_handler_may_live_with_a_failure(client: Client, transport: FakeTransport, tmp_path: Path) -> None:
    handler = """
        from connector.errors import RowError
        from connector.handlers import request

        def handle(inputs):
            try:
                yield request("GET", "/v2/a", {}, effect="read")
            except RowError as error:
                return {"instead": error.code}
    """
    transport.answers = [reply(b"", 404)]
    envelope = one(invoker(declare(tmp_path, handler=handler), client))
    assert (envelope.error, envelope.result) == (None, {"instead": "not_found"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise ValueError('a bug')\n    yield", "ValueError: a bug"),
        ("yield None", "AttributeError"),
        ("answer = yield inputs.request()\n    answer.json()['no such']", "KeyError: 'no such'"),
        ("yield inputs.nothing", "AttributeError: the action probe has no input 'nothing'"),
        ("return 5\n    yield", ""),
    ],
)
def test_a_handler_with_a_bug_costs_its_row_only(
    client: Client, transport: FakeTransport, tmp_path: Path, text: str, said: str
) -> None:
    transport.answers = [reply({})]
    envelope = one(invoker(declare(tmp_path, handler=f"def handle(inputs):\n    {text}\n"), client))
    if not said:
        assert (envelope.error, envelope.result, envelope.meta["attempts"]) == (None, 5, 0)
        return
    assert envelope.meta["code"] == "internal_error"
    assert envelope.meta["repeatable"] is False
    assert f"a fault in the connector itself, at probe: {said}" in str(envelope.error)


# One envelope an item


def flat(envelopes: list[Envelope]) -> list[Any]:
    return [(e.result, e.meta["item"], e.meta["last"], e.meta["code"]) for e in envelopes]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], [(None, 1, True, None)]),
        (["a"], [("a", 1, True, None)]),
        (["a", "b", "c"], [("a", 1, False, None), ("b", 2, False, None), ("c", 3, True, None)]),
        ([None, []], [(None, 1, False, None), ([], 2, True, None)]),
    ],
)
@pytest.mark.parametrize("paging", ["", "limit"])
def test_one_envelope_an_item(
    client: Client, transport: FakeTransport, tmp_path: Path, items: list[Any], expected: Any, paging: str
) -> None:
    transport.answers = [reply({"devices": items, "query": "q"} if paging else items)]
    envelopes = ran(invoker(declare(tmp_path, paging=paging), client, rows="each"), number=7)
    assert flat(envelopes) == expected
    pages = [envelope.meta.get("page") for envelope in envelopes]
    assert pages == [*[None] * (len(envelopes) - 1), {"query": "q"} if paging else None]


def test_a_result_that_is_no_list_is_one_item(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    transport.answers = [reply({"a": 1})]
    assert flat(ran(invoker(declare(tmp_path), client, rows="each"))) == [({"a": 1}, 1, True, None)]


def test_a_failed_row_is_one_last_item(client: Client, transport: FakeTransport, tmp_path: Path) -> None:
    transport.answers = [reply(b"", 404)]
    run = invoker(declare(tmp_path), client, rows="each")
    assert flat(ran(run)) == [(None, 1, True, "not_found")]
    broken = run.failed_row(2, {}, RowError("input_invalid", "x"))
    assert flat([broken]) == [(None, 1, True, "input_invalid")]


def test_a_walk_that_fails_in_the_middle_keeps_what_it_had(
    service: Service, clock: FakeClock, tmp_path: Path
) -> None:
    action = declare(tmp_path, paging="anchor_natural_id")
    page = [{"naturalId": f"n{n}"} for n in range(50)]

    def start(rows: Any) -> Invoker:
        transport = FakeTransport([reply(page), reply(b"", 403)])
        return invoker(action, make_client(service, transport, clock), rows=rows)

    envelopes = ran(start("each"))
    assert [e.result for e in envelopes] == [*page, None]
    assert [e.meta["item"] for e in envelopes] == list(range(1, 52))
    assert [e.meta["last"] for e in envelopes] == [False] * 50 + [True]
    assert [e.has_error for e in envelopes] == [False] * 50 + [True]
    assert (envelopes[-1].meta["code"], envelopes[-1].meta["repeatable"]) == ("forbidden", True)
    # As one envelope, a part of the list is no result.
    (envelope,) = ran(start("one"))
    assert (envelope.meta["code"], envelope.result) == ("forbidden", None)


def test_a_capped_list_says_so_on_its_last_item(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    action = declare(tmp_path, paging="limit", inputs={"limit": {"type": "integer"}})
    transport.answers = [reply({"devices": [1, 2, 3]})]
    envelopes = ran(invoker(action, client, rows="each"), {"limit": 2})
    assert [(e.result, e.meta.get("truncated")) for e in envelopes] == [(1, None), (2, True)]


# What is noted of requests that cannot be repeated, and of deletions


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
    ("earlier", "answer", "code", "calls"),
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
    client: Client, transport: FakeTransport, tmp_path: Path, earlier: Any, answer: Any, code: Any, calls: Any
) -> None:
    transport.answers = [answer] if answer else []
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
    """It waits for the pace, or before another try. A deletion may be sent again whatever became of it."""

    class Stopping(FakeClock):
        def sleep(self, seconds: float) -> None:
            if seconds > 0:
                raise Interrupted("stopping")

    clock = Stopping()
    stopped = make_client(service, transport, clock, delay_ms=0 if answers else 1000)
    transport.answers = list(answers)
    if not answers:
        stopped._pacer.wait()
    notes = Notes(transport)
    run = invoker(declare(tmp_path, **declared), stopped, recorder=notes)
    with pytest.raises(Interrupted):
        list(run.envelopes(1, {}))
    assert [call[0] for call in notes.calls] == calls
    assert len(transport.sent) == len(answers)


def test_where_nothing_can_be_noted_nothing_is_sent(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    class Full(Notes):
        def sent(self, row: int, step: int, request: Request) -> None:
            raise RunStopped("the disk is full")

    run = invoker(declare(tmp_path, **CREATE), client, recorder=Full(transport))
    with pytest.raises(RunStopped):
        list(run.envelopes(1, {}))
    assert transport.sent == []


# Whatever comes


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("rows", ["one", "each"])
@pytest.mark.parametrize("declared", [READ, CREATE])
def test_an_answer_that_is_nested_too_deeply(
    client: Client, transport: FakeTransport, tmp_path: Path, declared: Any, rows: Any
) -> None:
    for depth in (400, 900, 5_000, 100_000):
        transport.answers = [Response(200, {}, b"[" * depth + b"]" * depth)]
        last = ran(invoker(declare(tmp_path, **declared), client, rows=rows))[-1]
        assert last.meta["code"] in (None, "bad_response")
        assert depth < 5_000 or "nested too deeply" in str(last.error)
        assert not last.has_error or last.meta["repeatable"] is (declared is READ)


def test_a_deep_answer_before_a_failure(client: Client, transport: FakeTransport, tmp_path: Path) -> None:
    transport.answers = [reply({"id": 5, "deep": nested(700)}), reply(b"", 400)]
    (envelope,) = ran(invoker(declare(tmp_path, **CREATE, handler=HANDLER), client))
    assert envelope.has_error
    assert envelope.meta["repeatable"] is False


@pytest.mark.parametrize("depth", [100, 400, 600])
def test_a_row_that_is_nested_deeply(
    client: Client, transport: FakeTransport, tmp_path: Path, depth: int
) -> None:
    transport.answers = [reply({})] * 2
    action = declare(tmp_path, inputs={"q": "query.q"})
    for templates in ({}, {"q": "{{ q }}"}):
        list(invoker(action, client, templates, keep_row=True).envelopes(1, {"q": nested(depth)}))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
FITTING: dict[str, Any] = {
    "id": st.integers(1, 99) | st.text("ab/.é", min_size=1, max_size=4),
    "q": st.text(max_size=6) | st.integers(0, 9),
    "when": st.datetimes().map(lambda time: time.isoformat()) | st.integers(0, 10**12),
    "body": st.dictionaries(st.text(max_size=3), JSON_VALUES, max_size=3),
    "many": st.lists(st.integers(), max_size=3),
    "flag": st.booleans() | st.sampled_from(["yes", "0"]),
    "file": JSON_VALUES,
}
"""Values that mostly suit the inputs of `MIXED`, by name."""
ROWS_OF_ANY_KIND = st.one_of(
    st.fixed_dictionaries(FITTING),
    st.fixed_dictionaries({}, optional=FITTING),
    st.dictionaries(st.sampled_from([*FITTING]) | st.text(max_size=3), JSON_VALUES, max_size=8),
)
TEMPLATES = {
    "id": "{{ id }}",
    "q": "x{{ q }}y",
    "when": "{{ when }}",
    "body": '{"a": {{ body }}, "b": "{{ q }}"}',
    "many": "[{% for m in many %}{{ m }}{{ '' if loop.last else ',' }}{% endfor %}]",
    "flag": "{{ flag }}",
    "file": "{{ file }}",
}
MIXED: dict[str, Any] = {
    "request": "POST /v2/x/{id}",
    "inputs": {
        "id": {"type": ["integer", "string"], "to": "path.id"},
        "q": {"type": "string", "maxLength": 9, "to": "query.q"},
        "when": {"type": "string", "format": "date-time", "as": "epoch_ms", "to": "header.When"},
        "body": {"type": "object", "to": "body.object"},
        "many": {"type": "array", "items": {"type": "integer"}, "to": "body.many"},
        "flag": {"type": "boolean", "to": "query.flag", "published": False},
        "file": {"to": "body.file"},
    },
    "required": ["id"],
}
ANSWERS = st.one_of(
    st.builds(
        Response,
        st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 409, 429, 500, 502, 503]),
        st.fixed_dictionaries(
            {}, optional={"content-type": st.sampled_from(["application/json", "text/html", "x"])}
        ),
        st.binary(max_size=20) | JSON_VALUES.map(lambda value: json.dumps(value).encode()),
    ),
    st.builds(AnswerLost, st.text(max_size=9), st.sampled_from(["timeout", "network_error", "bad_response"])),
    st.builds(NotSent, st.text(max_size=9)),
)


def test_any_row_and_any_answer_make_good_envelopes(service: Service, mixed: Mapping[str, Action]) -> None:
    codes: set[str | None] = set()

    @settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(
        row=ROWS_OF_ANY_KIND,
        answers=st.lists(ANSWERS, max_size=3),
        templated=st.booleans(),
        rows=st.sampled_from(["one", "each"]),
        effect=st.sampled_from([READ, UPDATE, CREATE]),
        keep_row=st.booleans(),
    )
    # What no Python version's draw may miss.
    @example(row={"id": 1}, answers=[LOST], templated=False, rows="one", effect=CREATE, keep_row=True)
    @example(
        row={"id": 1}, answers=[reply(b"", 400)], templated=False, rows="each", effect=READ, keep_row=False
    )
    def check(row: Any, answers: list[Any], templated: bool, rows: Any, effect: Any, keep_row: bool) -> None:
        def rest(*_: Any) -> Response:
            transport.answers.append(rest)
            return reply([{"id": 1}, "text"])

        transport = FakeTransport([*answers, rest])
        client = make_client(service, transport, FakeClock())
        action = mixed[str(effect.get("request"))]
        run = invoker(action, client, TEMPLATES if templated else {}, rows=rows, keep_row=keep_row)
        envelopes = ran(run, row)
        codes.add(envelopes[-1].meta["code"])
        assert [e.meta.get("last", True) for e in envelopes] == [False] * (len(envelopes) - 1) + [True]
        assert len(envelopes) == 1 or rows == "each"
        assert envelopes[-1].meta["code"] != "internal_error"
        if keep_row:
            assert json.loads(envelopes[-1].line())["input"] == row
        if effect is CREATE:
            sent_again_after = answers[: max(0, len(transport.sent) - 1)]
            assert all(isinstance(a, NotSent) or a.status in (401, 429) for a in sent_again_after)

    check()
    assert {None, "input_invalid", "template_error", "outcome_unknown", "api_error"} <= codes
    assert len(codes) >= 7


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Action]:
    """The mixed action with each effect, by its request."""
    made = {}
    for effect in (READ, UPDATE, CREATE):
        folder = tmp_path_factory.mktemp("mixed")
        made[str(effect.get("request"))] = declare(folder, **{**MIXED, **effect, "request": MIXED["request"]})
    return made


# Looking ahead


def test_the_first_request_is_given_without_sending_it(client: Client, tmp_path: Path) -> None:
    run = invoker(declare(tmp_path, **CREATE, inputs={"a": "body.a"}, handler=HANDLER), client)
    made = first_request(run.action, run.service, run.bindings, Path(), {"a": 1})
    assert made == Request("POST", "/v2/x", body={"a": 1}, effect="write", idempotent=False)


def test_the_first_request_of_a_row_that_needs_none(client: Client, tmp_path: Path) -> None:
    run = invoker(declare(tmp_path, handler="def handle(inputs):\n    return 1\n    yield\n"), client)
    with pytest.raises(RowError, match="nothing is left to send"):
        first_request(run.action, run.service, run.bindings, Path(), {})
