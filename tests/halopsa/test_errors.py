"""Errors and warnings of HaloPSA: the envelope for each kind of response."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.files.envelope import Envelope
from tests.declared import declare, invoker
from tests.fakes import FakeClock
from tests.halopsa.conftest import SECRET, TOKEN, Api, OpenClient, Says
from tests.invocation.rows import one

POST: dict[str, Any] = {"request": "POST /api/Actions", "effect": "write", "idempotent": False}
HTML = ("Content-Type: text/html",)


def came_of(open_client: OpenClient, folder: Path, says: Says, **declared: Any) -> Envelope:
    """The envelope of a request that is answered so."""
    return one(
        invoker(
            declare(folder, **{"result": {"type": "object"}, **declared}), open_client(Api(lambda _: says))
        )
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"[0].outcome_id": ["An Outcome must be entered"]}, "outcome_id: An Outcome must be entered"),
        ({"[0].a": ["One", "Two"], "[0].b.c": "Three"}, "a: One, Two; b.c: Three"),
        ({"$[0].id": ["The JSON value could not be converted"]}, "id: The JSON value could not be converted"),
        ({"": ["A non-empty request body is required"]}, "A non-empty request body is required"),
        ({"[1].id": ["Wrong"]}, "[1].id: Wrong"),
        ({"title": "One or more", "errors": {"[0].id": ["Wrong"]}, "traceId": "00-1"}, "id: Wrong"),
        ({"resultCode": "E1", "errorMessage": "No such status"}, "E1: No such status"),
        ({"ClassName": "System.Exception", "Message": "Oh"}, "System.Exception: Oh"),
        ({"Message": "The request is invalid"}, "The request is invalid"),
        ({"error": "bad", "error_description": "No such field"}, "bad: No such field"),
        ({"message": "Requires a JSON array"}, "Requires a JSON array"),
        ("Requires a JSON array", "Requires a JSON array"),
        (b"Requires a JSON array", "Requires a JSON array"),
        ({"odd": None}, '{"odd": null}'),
        ({}, "{}"),
        (b"", "an empty body"),
    ],
)
def test_a_refusal_says_what_is_wrong(
    open_client: OpenClient, tmp_path: Path, body: Any, message: str
) -> None:
    envelope = came_of(open_client, tmp_path, Says(body, 400), **POST)
    assert envelope.error == f"POST /api/Actions: the API answered 400: {message}"
    assert (envelope.meta["code"], envelope.meta["repeatable"]) == ("api_error", True)


def test_a_refusal_without_a_body_says_where_rights_are_given(
    open_client: OpenClient, tmp_path: Path
) -> None:
    envelope = came_of(open_client, tmp_path, Says(b"", 403))
    assert envelope.meta["code"] == "forbidden"
    assert "an empty body. The application" in str(envelope.error)
    assert "the agent that it signs in as" in str(envelope.error)


def test_a_401_without_a_body_signs_in_again_once(open_client: OpenClient, tmp_path: Path) -> None:
    api = Api(lambda asked: Says({}) if asked.headers["authorization"] == "Bearer t2" else Says(b"", 401))
    api.sign_in = lambda _: Says({**TOKEN, "access_token": f"t{len(api.sign_ins)}"})
    assert one(invoker(declare(tmp_path), open_client(api))).error is None
    assert (len(api.sign_ins), len(api.asked)) == (2, 2)


# With a successful status


@pytest.mark.parametrize(
    ("says", "code", "message"),
    [
        (
            Says(b"<!DOCTYPE html><p>Sign in</p>", 200, HTML),
            "bad_response",
            "sent an HTML page instead of JSON",
        ),
        (Says(b"<html>Sign in</html>"), "bad_response", "sent an HTML page instead of JSON"),
        (Says(b"", 200), "bad_response", "with an empty body instead of JSON"),
        (Says({"resultCode": "E1", "errorMessage": "No"}), "api_error", "E1: No"),
        (Says({"ClassName": "System.Exception", "Message": "Oh"}), "api_error", "System.Exception: Oh"),
    ],
)
def test_a_success_that_is_none_is_an_error(
    open_client: OpenClient, tmp_path: Path, says: Says, code: str, message: str
) -> None:
    declared = {"result": {"type": "object", "properties": {"id": {}}}}
    envelope = came_of(open_client, tmp_path, says, **declared)
    assert (envelope.meta["code"], message in str(envelope.error)) == (code, True), envelope.error


@pytest.mark.parametrize(
    ("body", "warnings"),
    [
        ({"id": 1, "_warning": "The status was not changed"}, ["the API warns: The status was not changed"]),
        ([{"id": 1, "_warning": ["One", "Two"]}], ["the API warns: One, Two"]),
        ([{"_warning": "Same"}, {"_warning": "Same"}, {"id": 1}], ["the API warns: Same"]),
        ({"id": 1, "_warning": ""}, None),
        ({"id": 1, "_warning": None}, None),
        ({"id": 1, "details": 'a "_warning" in a text'}, None),
        ({"id": 1, "of": {"_warning": "of a part"}}, None),
        (["_warning"], None),
    ],
)
def test_a_warning_in_a_success_is_in_the_envelope(
    open_client: OpenClient, tmp_path: Path, body: Any, warnings: Any
) -> None:
    envelope = came_of(open_client, tmp_path, Says(body), **POST, result={})
    assert (envelope.error, envelope.result, envelope.meta.get("warnings")) == (None, body, warnings)


def test_a_warning_hides_what_is_secret(open_client: OpenClient, tmp_path: Path) -> None:
    envelope = came_of(open_client, tmp_path, Says({"_warning": f"The secret {SECRET} is old"}))
    assert SECRET not in envelope.line().decode()


def test_a_page_with_a_warning(open_client: OpenClient, tmp_path: Path) -> None:
    says = Says({"record_count": 1, "assets": [{"id": 1}], "_warning": "Not all are shown"})
    envelope = came_of(open_client, tmp_path, says, paging="assets", result={"type": "array"})
    assert envelope.meta["warnings"] == ["the API warns: Not all are shown"]


def test_a_gateway_that_gives_up_is_sent_again_where_that_is_safe(
    open_client: OpenClient, tmp_path: Path, clock: FakeClock
) -> None:
    read = came_of(open_client, tmp_path, Says(b"<html>504</html>", 504, HTML))
    assert (read.meta["code"], read.meta["attempts"]) == ("api_error", 3)
    create = came_of(open_client, tmp_path, Says(b"<html>504</html>", 504, HTML), **POST)
    assert (create.meta["code"], create.meta["attempts"]) == ("outcome_unknown", 1)
