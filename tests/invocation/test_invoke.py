"""One row through one action: its envelopes, whatever fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.client.client import Client
from connector.errors import RowError
from connector.http.messages import Request, Response
from connector.invocation.first_request import first_request
from tests.declared import declare, invoker
from tests.fakes import FakeTransport, reply
from tests.invocation.rows import CREATE, ENVELOPE, HANDLER, LOST, READ, UNSENT, UPDATE, one

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
    ("declared", "response", "result"),
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
    client: Client, transport: FakeTransport, tmp_path: Path, declared: Any, response: Response, result: Any
) -> None:
    transport.answers = [response]
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
    assert warned.meta["warnings"] == [
        "tags: it is not in the current API document, and the API may ignore it"
    ]
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


# Looking ahead


def test_the_first_request_is_given_without_sending_it(client: Client, tmp_path: Path) -> None:
    run = invoker(declare(tmp_path, **CREATE, inputs={"a": "body.a"}, handler=HANDLER), client)
    made = first_request(run.action, run.service, run.bindings, Path(), {"a": 1})
    assert made == Request("POST", "/v2/x", body={"a": 1}, effect="write", idempotent=False)


def test_the_first_request_of_a_row_that_needs_none(client: Client, tmp_path: Path) -> None:
    run = invoker(declare(tmp_path, handler="def handle(inputs):\n    return 1\n    yield\n"), client)
    with pytest.raises(RowError, match="no request to send"):
        first_request(run.action, run.service, run.bindings, Path(), {})
