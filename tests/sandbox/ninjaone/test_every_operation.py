"""All published operations: each response is valid under its schema, and invalid requests are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connector.sandbox.endpoints import path_argument
from connector.sandbox.multipart import MultipartPart
from connector.sandbox.ninjaone.api.endpoints import ApiCall
from connector.sandbox.ninjaone.api.fallback import missing_endpoints
from connector.sandbox.ninjaone.api.operations import operations
from connector.sandbox.ninjaone.areas import router
from connector.sandbox.ninjaone.data.state import State

from . import minimal
from .bodies import BODIES, QUERIES
from .client import Api
from .results import check_result, schema_of

NAMES = sorted(operations())
FILES = {"downloadKnowledgeBaseArticle", "downloadRelatedItemAttachment"}
"""Operations that return a file, although 204 is published."""


def send(api: Api, operation: str, path: str, body: Any = None, query: Any = None):
    media_type, fact = minimal.fact_of_body(operation)
    options: dict[str, Any] = {"params": query or QUERIES.get(operation, {})}
    if media_type == "multipart/form-data":
        options["files"] = BODIES[operation]
    elif fact:
        options["json"] = body
    return api.send(operations()[operation]["method"], path, **options)


def body_of(operation: str) -> Any:
    return BODIES.get(operation, minimal.value(minimal.fact_of_body(operation)[1] or {"type": "object"}))


@pytest.mark.parametrize("operation", NAMES)
def test_answer(account, operation):
    api = account
    api.sandbox.reset()
    path = minimal.path(operation)
    if operation.startswith("resetAlert"):
        path = minimal.path(operation, uid=api.get("/v2/alerts")[0]["uid"])
    response = send(api, operation, path, body_of(operation))
    assert response.ok, response.text
    published = set(operations()[operation]["statuses"])
    if operation in FILES:
        published = {"200"}
    assert {str(response.status_code), "default"} & published
    if "default" in published:
        assert response.status_code == (200 if response.content else 204)
    assert "resultCode" not in response.text


@pytest.mark.parametrize("operation", NAMES)
def test_wrong_parameters_are_refused(account, operation):
    facts = operations()[operation]
    for name, fact in facts["parameters"].items():
        for wrong in minimal.wrong_texts(fact):
            in_path = fact["in"] == "path"
            path = minimal.path(operation, **({name: wrong} if in_path else {}))
            query = {} if in_path else {name: wrong}
            if (operation, name) == ("getDeviceGlobalCustomFields", "scopes"):
                assert send(account, operation, path, body_of(operation), query).status_code == 400
                continue
            response = send(account, operation, path, body_of(operation), query)
            assert response.status_code == 400, (name, wrong, response.text)
            assert response.json()["errorMessage"]["params"]["field"] == name


@pytest.mark.parametrize("operation", [name for name in NAMES if operations()[name]["body"]])
def test_wrong_bodies_are_refused(account, operation):
    media_type, fact = minimal.fact_of_body(operation)
    method, path = operations()[operation]["method"], minimal.path(operation)
    if media_type == "multipart/form-data":
        assert account.send(method, path, json={}).status_code == 415
        assert account.send(method, path, files={"x": ("x", b"x")}).status_code == 400
        return
    for body in wrong_bodies(operation, fact):
        response = send(account, operation, path, body)
        assert response.status_code == 400, (body, response.text)
        assert response.json()["resultCode"] == "FAILURE"


def wrong_bodies(operation: str, fact: Any) -> Iterator[Any]:
    """Bodies of the wrong type, with a member of the wrong type, without a required one, or with one more."""
    several = fact["type"] == "array"
    yield {} if several else []
    good = body_of(operation)
    good = good[0] if several and good else good
    inner = fact["items"] if several else fact
    bodies: list[Any] = []
    for name, member in inner.get("properties", {}).items():
        bodies += [{**good, name: value} for value in minimal.wrong_values(member)]
    for name in inner.get("required", ()):
        bodies.append({key: value for key, value in good.items() if key != name})
    if "properties" in inner and operation not in LENIENT:
        bodies.append({**good, "noSuchMember": 1})
    yield from ([[body] for body in bodies] if several else bodies)


LENIENT = {
    "controlWindowsService",
    "createLocationForOrganization",
    "createOrganization",
    "getInstaller",
    "getTicketsByBoard",
    "nodeApprovalOperation",
    "rebootDevices",
    "runScriptOnDevice",
    "setWindowsServiceConfiguration",
    "updateDevice",
    "updateDeviceMaintenance",
    "updateLocation",
    "updateNodeRolePolicyAssignmentForOrganization",
    "updateOrganization",
}
"""Operations that ignore unknown members, such as the tags of older documents."""


def test_lenient_operations():
    bodies = {endpoint.operation: endpoint.body for endpoint in router().endpoints}
    assert {name for name in LENIENT if _is_closed(bodies[name])} == set()
    known = {name for name in NAMES if "properties" in _inner(minimal.fact_of_body(name)[1])}
    multipart = {name for name in NAMES if minimal.fact_of_body(name)[0] == "multipart/form-data"}
    assert {name for name in known - multipart if not _is_closed(bodies[name])} == LENIENT


def _inner(kind: Any) -> Any:
    return kind.get("items", kind)


def _is_closed(kind: Any) -> bool:
    return bool(getattr(kind, "items", kind).closed)


@pytest.mark.parametrize("operation", NAMES)
def test_what_no_area_serves_is_answered_by_its_schema(operation):
    """Operations of a newer document are served before an area implements them; here, all are new."""
    state = State(1, 25)
    (endpoint,) = (entry for entry in NEW if entry.operation == operation)
    values = {name: str(value) for name, value in minimal.path_values(operation).items()}
    found = endpoint.arguments({path_argument(name): value for name, value in values.items()})
    parts = tuple(
        MultipartPart(name, value[0] or name, value[2] if len(value) > 2 else "", _bytes(value[1]))
        for name, value in (BODIES[operation].items() if endpoint.media_type == "multipart/form-data" else ())
    )
    value = endpoint.handler(ApiCall(state, "", {}, body_of(operation), parts), **found)
    if schema_of(operation) is None:
        assert value is None
    else:
        check_result(operation, value)


NEW = missing_endpoints(())


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
