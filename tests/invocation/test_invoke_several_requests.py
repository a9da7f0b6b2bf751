"""Rows of handlers that send several requests: what was done when one of them fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.client.client import Client
from tests.declared import declare, invoker
from tests.fakes import FakeTransport, reply
from tests.invocation.rows import CREATE, HANDLER, LOST, UPDATE, one


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
    message = declared["request"]
    assert envelope.meta["code"] == "partial"
    assert str(envelope.error).startswith(f"{message} succeeded (id 5); then PATCH /v2/x/5/fields: ")
    assert envelope.result == {
        "done": [{"request": message, "id": 5, "answer": {"id": 5, "password": "•••"}}],
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
    assert 'without the required "id"' in str(envelope.error)
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
    ("text", "message"),
    [
        ("raise ValueError('a bug')\n    yield", "ValueError: a bug"),
        ("yield None", "AttributeError"),
        ("answer = yield inputs.request()\n    answer.json()['no such']", "KeyError: 'no such'"),
        ("yield inputs.nothing", "AttributeError: the action probe has no input 'nothing'"),
        ("return 5\n    yield", ""),
    ],
)
def test_a_handler_with_a_bug_costs_its_row_only(
    client: Client, transport: FakeTransport, tmp_path: Path, text: str, message: str
) -> None:
    transport.answers = [reply({})]
    envelope = one(invoker(declare(tmp_path, handler=f"def handle(inputs):\n    {text}\n"), client))
    if not message:
        assert (envelope.error, envelope.result, envelope.meta["attempts"]) == (None, 5, 0)
        return
    assert envelope.meta["code"] == "internal_error"
    assert envelope.meta["repeatable"] is False
    assert f"a bug in the connector, at probe: {message}" in str(envelope.error)
