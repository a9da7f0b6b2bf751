"""The bodies of requests: arrays around one object, and booleans."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.http.messages import Request
from tests.declared import declare, invoker
from tests.halopsa.conftest import Api, OpenClient, Says
from tests.invocation.rows import one

POST: dict[str, Any] = {"request": "POST /api/Client", "effect": "write", "idempotent": False}


def sent(open_client: OpenClient, folder: Path, row: Any, **declared: Any) -> Any:
    """What the server gets of a row."""
    api = Api(lambda _: Says({"id": 1}))
    envelope = one(invoker(declare(folder, **declared), open_client(api)), row)
    assert envelope.error is None
    return api.asked[0]


def test_the_object_of_a_post_is_sent_in_an_array(open_client: OpenClient, tmp_path: Path) -> None:
    inputs = {"name": "body.name", "street": "body.address.line1"}
    row = {"name": "Acme", "street": "1 Road"}
    assert sent(open_client, tmp_path, row, **POST, inputs=inputs).body == [
        {"name": "Acme", "address": {"line1": "1 Road"}}
    ]


def test_also_one_without_members(open_client: OpenClient, tmp_path: Path) -> None:
    assert sent(open_client, tmp_path, {}, **POST, inputs={"name": "body.name"}).body == [{}]


@pytest.mark.parametrize(
    ("value", "body"), [({"a": 1}, [{"a": 1}]), ([{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 2}])]
)
def test_a_whole_body_that_is_an_array_is_sent_as_it_is(
    open_client: OpenClient, tmp_path: Path, value: Any, body: Any
) -> None:
    inputs = {"all": {"to": "body", "type": ["object", "array"]}}
    assert sent(open_client, tmp_path, {"all": value}, **POST, inputs=inputs).body == body


@pytest.mark.parametrize("request_", ["PUT /api/Client", "PATCH /api/Client"])
def test_only_a_post_has_one(open_client: OpenClient, tmp_path: Path, request_: str) -> None:
    declared = {**POST, "request": request_, "inputs": {"name": "body.name"}}
    assert sent(open_client, tmp_path, {"name": "Acme"}, **declared).body == {"name": "Acme"}


def test_a_post_without_a_body_has_none(open_client: OpenClient, tmp_path: Path) -> None:
    came = sent(open_client, tmp_path, {}, **POST)
    assert (came.body, "content-type" in came.headers) == ("", False)


@pytest.mark.parametrize(
    ("response", "result", "shown"),
    [
        ({"id": 1}, {"type": "object"}, {"id": 1}),
        ([{"id": 1}], {"type": "object"}, {"id": 1}),
        ([{"id": 1}], {"$ref": "ninjaone/Organization.json"}, {"id": 1}),
        ([{"id": 1}], {"type": "array"}, [{"id": 1}]),
        ([{"id": 1}, {"id": 2}], {"type": "object"}, [{"id": 1}, {"id": 2}]),
        ([], {"type": "object"}, []),
    ],
)
def test_the_one_object_of_an_array_is_the_result(
    open_client: OpenClient, tmp_path: Path, response: Any, result: Any, shown: Any
) -> None:
    declared = declare(tmp_path, **POST, inputs={"name": "body.name"}, result=result)
    client = open_client(Api(lambda _: Says(response)))
    assert one(invoker(declared, client), {"name": "Acme"}).result == shown


def test_a_handler_changes_the_one_object_of_an_array() -> None:
    assert Request("POST", "/x", body=[{"a": 1}]).with_body("b", 2).body == [{"a": 1, "b": 2}]


def test_booleans_of_a_query_are_sent_as_true_and_false(open_client: OpenClient, tmp_path: Path) -> None:
    inputs = {name: {"to": f"query.{name}", "type": "boolean"} for name in ("orderdesc", "includeinactive")}
    came = sent(open_client, tmp_path, {"orderdesc": True, "includeinactive": "no"}, inputs=inputs)
    assert came.query == {"orderdesc": "true", "includeinactive": "false"}
