"""Responses with a successful status whose body reports a failure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.client import Client
from connector.http.messages import Request, Response
from tests.client.responses import CREATE, OK, READ, refused
from tests.declared import invoker
from tests.fakes import FakeClock, FakeTransport, make_client, reply

UPDATE = Request("PATCH", "/v2/x", body={"a": 1}, effect="write", idempotent=True)
FAILED = {"resultCode": "FAILURE", "errorMessage": "NullPointerException", "incidentId": "WEB-1"}


@pytest.mark.parametrize("request_", [READ, UPDATE, CREATE], ids=["read", "update", "create"])
@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (FAILED, "api_error", "answered 200: FAILURE: NullPointerException (incident WEB-1)"),
        ({"resultCode": "FAILURE", "incidentId": "WEB-2"}, "api_error", "FAILURE (incident WEB-2)"),
        ({"resultCode": "organization_access_violation"}, "forbidden", "Give the client app or its user"),
        ({"error": "insufficient_privileges"}, "forbidden", "lacks a scope"),
        ({"error": "server_error", "error_description": "busy"}, "api_error", "server_error: busy"),
        ({"errorMessage": {"code": "agreement_is_required", "params": {"id": 7}}}, "api_error", "(id=7)"),
        ({"errorCode": "invoice_not_found", "message": "no invoice 7"}, "api_error", "no invoice 7"),
        (b"FAILURE", "api_error", "answered 200: FAILURE"),
        (b' "FAILURE"\n', "api_error", "answered 200: FAILURE"),
    ],
)
def test_an_error_with_a_successful_status_is_one_and_nothing_was_done(
    client: Client, transport: FakeTransport, request_: Request, body: Any, code: str, message: str
) -> None:
    transport.answers = [reply(body)]
    error = refused(client, request_)
    assert (error.code, error.refused, error.status, error.attempts) == (code, True, 200, 1)
    assert message in str(error)
    assert "not known" not in str(error)


@pytest.mark.parametrize("code", ["not_authenticated", "invalid_token"])
def test_an_expired_sign_in_with_a_successful_status_renews_the_token(
    client: Client, transport: FakeTransport, code: str
) -> None:
    transport.answers = [reply({"error": code}), OK]
    assert client.send(CREATE).attempts == 2
    assert [h["authorization"] for h in transport.headers] == ["Bearer token-1", "Bearer token-2"]
    transport.answers = [reply({"error": code}), reply({"error": code})]
    assert refused(client, READ).code == "auth_failed"


@pytest.mark.parametrize(
    "body",
    [
        {"resultCode": "SUCCESS"},
        {"error": None, "resultCode": None, "errorMessage": "", "errorCode": 0, "id": 1},
        {"message": "Maintenance begins", "id": 1},
        [{"error": "not_authenticated"}, FAILED],
        {"results": [FAILED], "cursor": {"error": "x"}},
        {"description": 'the text "error" and "resultCode"'},
        b"SUCCESS",
        b"SOME FAILURE",
        b"",
        {"error": "x" * (1 << 16)},
        b'{"error": "cut',
    ],
)
def test_what_is_no_failure(client: Client, transport: FakeTransport, body: Any) -> None:
    transport.answers = [reply(body)]
    assert client.send(READ).status == 200


MAP = {"type": "object", "additionalProperties": {"type": "string"}}


@pytest.mark.parametrize(
    ("result", "fails"),
    [
        (None, True),
        ("none", True),
        ({}, True),
        ({"$ref": "ninjaone/Device.json"}, True),
        ({"type": "array", "items": {"type": "object"}}, True),
        ({"type": "object", "properties": {"id": {"type": "integer"}}}, True),
        ({"type": "object", "properties": {"error": {"type": "string"}}}, False),
        ({"$ref": "ninjaone/CustomFieldValues.json"}, False),
        ({"type": ["object", "string"]}, False),
        ({"anyOf": [{"type": "array"}, MAP]}, False),
        ({"allOf": [{"$ref": "ninjaone/CustomFieldValues.json"}]}, False),
    ],
)
def test_a_member_of_the_declared_result_is_no_failure(
    client: Client, transport: FakeTransport, result: Any, fails: bool
) -> None:
    request = replace(READ, result=result)
    transport.answers = [reply({"error": "a custom field of that name"})]
    if fails:
        assert refused(client, request).code == "api_error"
    else:
        assert client.send(request).json() == {"error": "a custom field of that name"}


@pytest.mark.parametrize("text", [b"FAILURE", b'"FAILURE"'])
def test_a_text_of_the_declared_result_is_no_failure(
    client: Client, transport: FakeTransport, text: bytes
) -> None:
    transport.answers = [reply(text)]
    client.send(replace(READ, result={"type": "string", "enum": ["SUCCESS", "FAILURE"]}))


def test_no_published_result_is_taken_for_a_failure(catalog: Catalog) -> None:
    """A member that is read as a failure is in no result but maps, whose names are the user's."""
    for action in catalog.actions():
        if not isinstance(action.result, dict):
            continue
        names = set(catalog.service(action.service).errors.in_success)
        assert not names & set(action.result.get("properties", {})), action.name


def test_a_download_that_is_an_error_is_not_saved(client: Client, transport: FakeTransport) -> None:
    download = replace(READ, binary=True, result="file")
    transport.answers = [reply(FAILED)]
    assert refused(client, download).code == "api_error"
    for headers in ({"content_type": "text/plain"}, {"content_disposition": "attachment; filename=a.json"}):
        transport.answers = [reply(FAILED, **headers)]
        assert client.send(download).json() == FAILED


def test_the_texts_of_an_action(catalog: Catalog, service: Service, clock: FakeClock) -> None:
    action = catalog.action("set_backup_bandwidth_throttle")
    row = {"device_id": 1, "enabled": "false"}
    for body, has_error in ((b"FAILURE", True), (b"SUCCESS", False)):
        client = make_client(service, FakeTransport([reply(body)]), clock)
        (envelope,) = invoker(action, client).envelopes(1, row)
        assert (envelope.has_error, envelope.meta["repeatable"] if has_error else True) == (has_error, True)


@pytest.mark.parametrize("grant", [{"error": "invalid_client"}, {"error": "invalid_scope"}])
def test_a_refused_sign_in_with_a_successful_status_is_final(
    client: Client, transport: FakeTransport, grant: dict[str, str]
) -> None:
    transport.sign_ins = [reply(grant)]
    assert refused(client, READ).code == "auth_failed"
    assert len(transport.signed_in) == 1


def test_a_service_that_declares_nothing_of_this_has_no_failed_successes(
    service: Service, transport: FakeTransport, clock: FakeClock
) -> None:
    shapes = tuple(shape._replace(in_success=False) for shape in service.errors.shapes)
    other = service._replace(errors=replace(service.errors, shapes=shapes, failed_texts=()))
    transport.answers = [Response(200, {}, b'{"error": "x"}'), reply(b"FAILURE")]
    client = make_client(other, transport, clock)
    assert client.send(READ).json() == {"error": "x"}
    assert client.send(READ).text == "FAILURE"
