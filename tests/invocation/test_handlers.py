"""Requests from typed inputs, results from responses, and custom handlers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.action import Action
from connector.catalog.service import Service
from connector.common.absent import ABSENT
from connector.errors import DeclarationError, RowError
from connector.http.messages import MultipartPart, Request, Response, encode_body
from connector.invocation.handlers import (
    Inputs,
    find_handler,
    http_handler,
    load_handler,
    read_result,
    request,
)
from tests.declared import declare, given
from tests.fakes import reply

# Where inputs go


def test_every_place_in_a_request(tmp_path: Path, service: Service) -> None:
    action = declare(
        tmp_path,
        request="PUT /v2/{org-id}/things/{name}",
        effect="destructive",
        idempotent=False,
        redirects=True,
        inputs={
            "org": "path.org-id",
            "name": "path.name",
            "filter": "query.df",
            "many": "query.id",
            "flag": "query.flag",
            "language": "header.Accept-Language",
            "title": "body.title",
            "city": "body.address.city",
            "street": "body.address.street.name",
            "nothing": "body.nothing",
            "own": {"description": "the handler's own"},
        },
        required=["org", "name"],
    )
    made = given(
        action,
        service,
        org=7,
        name="a/b",
        filter="org = 1",
        many=[1, 2],
        flag=False,
        language="en",
        title="T",
        city="C",
        street="S",
        nothing=None,
        own="kept",
    ).request()
    assert made == Request(
        "PUT",
        "/v2/7/things/a%2Fb",
        (("df", "org = 1"), ("id", "1"), ("id", "2"), ("flag", "false")),
        {"Accept-Language": "en"},
        {"title": "T", "address": {"city": "C", "street": {"name": "S"}}, "nothing": None},
        (),
        "destructive",
        False,
        True,
    )
    assert made.target == "/v2/7/things/a%2Fb?df=org%20%3D%201&id=1&id=2&flag=false"


def test_absent_inputs_leave_nothing_behind(tmp_path: Path, service: Service) -> None:
    places = {"a": "query.a", "b": "header.B", "c": "body.c.d", "e": "query.e"}
    action = declare(tmp_path, request="POST /v2/x", inputs=places)
    made = given(action, service, e=[]).request()
    assert (made.query, made.headers, made.body, made.parts) == ((), {}, {}, ())


@pytest.mark.parametrize(
    ("method", "inputs", "values", "body"),
    [
        pytest.param("POST", {"a": "body.a"}, {"a": 1}, {"a": 1}, id="members"),
        pytest.param("POST", {"a": "body.a"}, {}, {}, id="no member given"),
        pytest.param("DELETE", {"a": "body.a"}, {}, {}, id="DELETE, no member given"),
        pytest.param("GET", {"a": "query.a"}, {"a": 1}, ABSENT, id="GET"),
        pytest.param("GET", {}, {}, ABSENT, id="GET without inputs"),
        pytest.param("POST", {}, {}, ABSENT, id="POST without inputs"),
        pytest.param("DELETE", {"a": "query.a"}, {"a": 1}, ABSENT, id="DELETE"),
        pytest.param("PATCH", {"a": "body"}, {"a": [1, 2]}, [1, 2], id="a whole array"),
        pytest.param("PATCH", {"a": "body"}, {"a": []}, [], id="an empty array"),
        pytest.param("PATCH", {"a": "body"}, {"a": {"x": None}}, {"x": None}, id="a whole map"),
        pytest.param("PATCH", {"a": "body"}, {"a": None}, None, id="null"),
        pytest.param("PATCH", {"a": "body"}, {}, ABSENT, id="a whole body that is not given"),
    ],
)
def test_bodies(tmp_path: Path, service: Service, method: str, inputs: Any, values: Any, body: Any) -> None:
    action = declare(tmp_path, request=f"{method} /v2/x", inputs=inputs)
    made = given(action, service, **values).request()
    assert made.body == body
    assert (made.body is ABSENT) is (body is ABSENT)
    assert (encode_body(made)[1] is None) is (body is ABSENT)


@pytest.mark.parametrize(
    ("value", "query"),
    [
        ("a b", (("q", "a b"),)),
        (1.5, (("q", "1.5"),)),
        (True, (("q", "true"),)),
        (["x", 1, False], (("q", "x"), ("q", "1"), ("q", "false"))),
        ({"a": [1]}, (("q", '{"a": [1]}'),)),
        ("", (("q", ""),)),
    ],
)
def test_query_values(tmp_path: Path, service: Service, value: Any, query: Any) -> None:
    action = declare(tmp_path, inputs={"q": "query.q"})
    assert given(action, service, q=value).request().query == query


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "\0", "\x7f", "日本", "\ud800"])
def test_a_header_value_that_could_be_more_than_one_is_refused(
    tmp_path: Path, service: Service, value: str
) -> None:
    action = declare(tmp_path, inputs={"lang": "header.Accept-Language"})
    with pytest.raises(RowError, match="lang: a header can contain") as raised:
        given(action, service, lang=value).request()
    assert raised.value.code == "input_invalid"


# Files


@pytest.fixture
def upload(tmp_path: Path, service: Service) -> Any:
    """Builds the request of an action that uploads the named files from `tmp_path/uploads`."""
    action = declare(
        tmp_path,
        request="POST /v2/x",
        inputs={"files": "part.files", "note": "part.note"},
        parts={"files": {"file": True}, "note": {"media_type": "application/json"}},
    )
    folder = tmp_path / "uploads"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "sub" / "b.txt").write_text("b")
    (tmp_path / "secret.txt").write_text("s")
    (tmp_path / "uploads-not").mkdir()
    (tmp_path / "uploads-not" / "c.txt").write_text("c")
    os.symlink(tmp_path / "secret.txt", folder / "out.txt")
    os.symlink(tmp_path, folder / "up")
    os.symlink(folder / "a.txt", folder / "in.txt")
    os.symlink("loop", folder / "loop")

    def upload(**values: Any) -> Request:
        return Inputs(action, service, values, folder).request()

    return upload


def test_files_and_values_become_parts(upload: Any, tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    assert upload(files=["a.txt", "sub/b.txt", "in.txt"], note={"n": 1}).parts == (
        MultipartPart("files", None, path=folder / "a.txt"),
        MultipartPart("files", None, path=folder / "sub" / "b.txt"),
        MultipartPart("files", None, path=folder / "a.txt"),
        MultipartPart("note", "application/json", {"n": 1}),
    )
    assert upload(files="sub/../a.txt").parts == (MultipartPart("files", None, path=folder / "a.txt"),)
    assert upload(files=str(folder / "a.txt")).parts == (MultipartPart("files", None, path=folder / "a.txt"),)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../secret.txt", "is not below"),
        ("sub/../../secret.txt", "is not below"),
        ("../uploads-not/c.txt", "is not below"),
        ("/etc/hostname", "is not below"),
        ("out.txt", "is not below"),
        ("up/secret.txt", "is not below"),
        ("up/uploads/../secret.txt", "is not below"),
        ("none.txt", "there is no file"),
        ("sub", "there is no file"),
        (".", "there is no file"),
        (7, "there is no file"),
        ("x\0y", "is not a valid file name"),
        ("x" * 5000, "is not a valid file name"),
    ],
)
def test_only_files_below_the_uploads_folder_are_sent(upload: Any, name: Any, why: str) -> None:
    for value in (name, ["a.txt", name]):
        with pytest.raises(RowError, match=f"^files: .*{why}") as raised:
            upload(files=value)
        assert raised.value.code == "input_invalid"
        assert len(str(raised.value)) < 400


def test_a_link_in_a_circle_is_refused(upload: Any) -> None:
    with pytest.raises(RowError, match=r"^files: .*(there is no file|is not a valid file name)"):
        upload(files="loop")


# What a handler is given


def test_inputs_of_a_handler(tmp_path: Path, service: Service) -> None:
    action = declare(
        tmp_path, request="POST /v2/x", inputs={"a": "body.a", "b": "body.b", "c": {}, "d": "query.d"}
    )
    inputs = given(action, service, a=None, c=[1])
    assert (inputs.a, inputs.b, inputs.c) == (None, None, [1])
    assert ("a" in inputs, "b" in inputs) == (True, False)
    assert inputs.has_body
    assert not given(action, service, c=1, d=1).has_body
    with pytest.raises(AttributeError, match="the action probe has no input 'missing'"):
        _ = inputs.missing


def test_a_request_beside_the_declared_one() -> None:
    made = request("PATCH", "/v2/org/{id}/fields", {"id": "a/b"}, body={"x": 1}, idempotent=True)
    assert made == Request("PATCH", "/v2/org/a%2Fb/fields", body={"x": 1}, effect="write", idempotent=True)
    assert request("GET", "/v2/x", {}, effect="read").body is ABSENT
    assert not request("POST", "/v2/x", {}).repeatable


def test_an_action_without_a_python_file_has_the_http_handler(tmp_path: Path) -> None:
    assert find_handler(declare(tmp_path)) is http_handler


def test_an_actions_own_handler_is_hand_fed(tmp_path: Path, service: Service) -> None:
    action = declare(
        tmp_path,
        request="POST /v2/x",
        effect="write",
        idempotent=False,
        inputs={"name": "body.name", "fields": {}},
        handler="""
            from connector.handlers import Inputs, Steps, request

            def handle(inputs: Inputs) -> Steps:
                made = (yield inputs.request()).json()
                yield request("PATCH", "/v2/x/{id}", {"id": made["id"]}, body=inputs.fields)
                return made
        """,
    )
    steps = find_handler(action)(given(action, service, name="N", fields={"f": 1}))
    assert str(next(steps)) == "POST /v2/x"
    assert steps.send(reply({"id": 5})) == Request(
        "PATCH", "/v2/x/5", body={"f": 1}, effect="write", idempotent=False
    )
    with pytest.raises(StopIteration) as stop:
        steps.send(reply(b"", 204))
    assert stop.value.value == {"id": 5}
    assert load_handler(action.handler) is load_handler(action.handler)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["x = 1\n", "def handle(:\n", "import no_such_module_at_all\n", "1 / 0\n", "raise SystemError\n"]
)
def test_a_handler_that_cannot_be_loaded_names_its_file(tmp_path: Path, text: str) -> None:
    action = declare(tmp_path, handler=text)
    with pytest.raises(DeclarationError, match=r"probe\.py: the handler cannot be loaded"):
        find_handler(action)


# Results

NONE = {"result": "none"}
JSON: Any = {"result": {"type": "object"}}


def said(
    body: bytes = b"", status: int = 200, content_type: str = "application/json", **more: str
) -> Response:
    return Response(status, {"content-type": content_type, **more}, body)


@pytest.mark.parametrize(
    ("declared", "response", "result"),
    [
        (JSON, said(b'{"a": 1}'), {"a": 1}),
        (JSON, said(b'{"a": 1}', content_type=""), {"a": 1}),
        (JSON, said(b'"a text"'), "a text"),
        (JSON, said(b"null"), None),
        (JSON, said(b"[]", 201), []),
        (NONE, said(b"", 204), None),
        (NONE, said(b"  ", 200), None),
        (NONE, said(b'{"kept": true}'), {"kept": True}),
        (NONE, said(b"a text", content_type="text/plain"), "a text"),
        (NONE, said(b"1", content_type="text/plain"), "1"),
        (NONE, said(b"done"), "done"),
        (
            {**JSON, "redirects": True},
            said(b"", 302, location="https://x.example.com"),
            {"url": "https://x.example.com"},
        ),
        ({**JSON, "redirects": True}, said(b"", 302), {"url": None}),
        ({**JSON, "redirects": True}, said(b"", 204), None),
        # A DELETE that was repeated and found nothing any more.
        ({**JSON, "request": "DELETE /v2/x"}, said(b"", 204), None),
    ],
)
def test_results(tmp_path: Path, declared: Any, response: Response, result: Any) -> None:
    assert read_result(declare(tmp_path, **declared), response) == result


@pytest.mark.parametrize(
    ("declared", "response", "why"),
    [
        (JSON, said(b"", 200), "answered 200 with an empty body instead of JSON"),
        (JSON, said(b"", 204), "answered 204 with an empty body instead of JSON"),
        ({**JSON, "request": "DELETE /v2/x"}, said(b"", 200), "an empty body instead of JSON"),
        (JSON, said(b"not JSON", 200), "with invalid JSON"),
        (JSON, said(b"NaN", 200), "with invalid JSON"),
        (JSON, said(b"\xff", 200), "not utf-8 text"),
    ],
)
def test_answers_that_cannot_be_used(tmp_path: Path, declared: Any, response: Response, why: str) -> None:
    with pytest.raises(RowError, match=why) as raised:
        read_result(declare(tmp_path, **declared), response)
    assert (raised.value.code, raised.value.refused) == ("bad_response", False)


def test_the_declared_request_is_sent_once(tmp_path: Path, service: Service) -> None:
    action: Action = declare(tmp_path)
    steps = http_handler(given(action, service))
    assert next(steps) == Request("GET", "/v2/probe")
    with pytest.raises(StopIteration) as stop:
        steps.send(reply({"a": 1}))
    assert stop.value.value == {"a": 1}
