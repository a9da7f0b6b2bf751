"""The request log."""

from __future__ import annotations

import requests

from .ninjaone.client import TIMEOUT_S


def test_entry(api):
    api.send(
        "PATCH",
        "/api/v2/device/1?x=a%20b&y",
        json={"displayName": "Ä"},
        headers={"Accept": "application/json", "User-Agent": "test/1"},
    )
    entry = api.requests()[0]
    assert isinstance(entry.pop("time"), float)
    assert entry == {
        "n": 1,
        "method": "PATCH",
        "path": "/api/v2/device/1",
        "query": "x=a%20b&y",
        "headers": {"content-type": "application/json", "accept": "application/json", "user-agent": "test/1"},
        "body": {"displayName": "Ä"},
        "status": 204,
        "executed": True,
        "fault": None,
    }


def test_refused_requests_are_there_too(api):
    api.send("GET", "/v2/nothing")
    api.send("POST", "/v2/organizations", data=b"\x00", headers={"Content-Type": "application/json"})
    api.send(
        "POST",
        "/v2/ticketing/ticket/1001/comment",
        data=b"x",
        headers={"Content-Type": "multipart/form-data"},
    )
    assert [(entry["status"], entry["executed"], entry["body"]) for entry in api.requests()] == [
        (404, False, None),
        (400, False, None),
        (400, False, None),
    ]


def test_since_and_clear(api):
    for _ in range(3):
        api.get("/v2/organizations")
    assert [entry["n"] for entry in api.control("GET", "requests", params={"since": 1})] == [2, 3]
    assert api.sandbox.log.requests(2) == api.control("GET", "requests", params={"since": 2})
    assert api.control("DELETE", "requests") is None
    assert api.requests() == []
    api.get("/v2/organizations")
    assert [entry["n"] for entry in api.requests()] == [4]


def test_times_ascend(api):
    for _ in range(3):
        api.get("/v2/organizations")
    times = [entry["time"] for entry in api.requests()]
    assert times == sorted(times)


def test_no_credentials_anywhere(api):
    api.get("/v2/organizations")
    token = str(api.session.headers["Authorization"]).removeprefix("Bearer ")
    shown = str(api.requests()) + str(api.control("GET", "signins"))
    assert token not in shown
    assert api.sandbox.client_secret not in shown


def test_own_paths_refuse_what_they_do_not_know(api):
    for method, path, status in (
        ("PUT", "requests", 405),
        ("DELETE", "faults", 405),
        ("GET", "nothing", 404),
        ("GET", "requests?since=x", 400),
    ):
        response = requests.request(method, f"{api.base_url}/_sandbox/{path}", timeout=TIMEOUT_S)
        assert response.status_code == status
