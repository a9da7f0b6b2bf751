"""Who has access, from where, and the headers of every response."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from connector.web.access import CSRF_FIELD, CSRF_HEADER, HEADERS, AccessControl

BASE = "http://127.0.0.1:8000"


def view(request: Request) -> Response:
    return Response(f"{request.method} {request.full_path}")


@pytest.fixture
def access() -> AccessControl:
    return AccessControl(view)


@pytest.fixture
def stranger(access: AccessControl) -> Client:
    return Client(access)


@pytest.fixture
def guest(access: AccessControl) -> Client:
    """A browser that has opened the address."""
    client = Client(access)
    assert client.get("/", base_url=BASE, query_string={"token": access.token}).status_code == 200
    return client


def post(client: Client, access: AccessControl, **changed: Any) -> Response:
    headers = {"Origin": BASE, "Sec-Fetch-Site": "same-origin", CSRF_HEADER: access.csrf_token}
    headers = {name: text for name, text in {**headers, **changed}.items() if text is not None}
    return client.post("/runs", base_url=BASE, headers=headers)


@pytest.mark.parametrize("path", ["/", "/actions/list_devices.html", "/static/style.css", "/nothing"])
def test_nothing_is_shown_without_the_token(stranger: Client, path: str) -> None:
    assert stranger.get(path, base_url=BASE).status_code == 403


@pytest.mark.parametrize("token", ["", "x", "ö"])
def test_a_wrong_token_opens_nothing(stranger: Client, token: str) -> None:
    response = stranger.get("/", base_url=BASE, query_string={"token": token})
    assert (response.status_code, response.headers.get("Set-Cookie")) == (403, None)
    assert stranger.get("/", base_url=BASE).status_code == 403


def test_the_token_is_changed_for_a_cookie_and_leaves_the_address(
    access: AccessControl, stranger: Client
) -> None:
    response = stranger.get("/", base_url=BASE, query_string={"token": access.token, "q": "a&b"})
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert access.token not in cookie + response.text
    assert 'content="0; url=/?q=a%26b"' in response.text
    assert stranger.get("/?q=1", base_url=BASE).text == "GET /?q=1"


def test_the_cookie_is_that_of_one_port(access: AccessControl, guest: Client) -> None:
    assert guest.get("/", base_url="http://127.0.0.1:8001").status_code == 403


def test_the_ticket_opens_once(access: AccessControl, stranger: Client) -> None:
    ticket = {"token": access.ticket}
    assert stranger.get("/", base_url=BASE, query_string=ticket).status_code == 200
    assert Client(access).get("/", base_url=BASE, query_string=ticket).status_code == 403
    assert Client(access).get("/", base_url=BASE, query_string={"token": ""}).status_code == 403


@pytest.mark.parametrize(
    ("base_url", "status"),
    [
        ("http://127.0.0.1:8000", 200),
        ("http://rebound.example:8000", 403),
        ("http://127.0.0.1.example:8000", 403),
        ("http://[::1]:8000", 403),
    ],
)
def test_only_this_machines_own_name_is_answered(
    access: AccessControl, stranger: Client, base_url: str, status: int
) -> None:
    opened = stranger.get("/", base_url=BASE, query_string={"token": access.token})
    headers = {"Cookie": opened.headers["Set-Cookie"].partition(";")[0]}
    assert (
        Client(access, use_cookies=False).get("/", base_url=base_url, headers=headers).status_code == status
    )


@pytest.mark.parametrize("host", ["", "[", "127.0.0.1:x", "127.0.0.1:99999", "127.0.0.1@evil.example", "a b"])
def test_a_host_that_is_none_is_refused(access: AccessControl, host: str) -> None:
    client = Client(access, use_cookies=False)  # werkzeug 2.2 reads the host itself to keep cookies
    response = client.get("/", base_url=BASE, headers={"Host": host}, query_string={"token": access.token})
    assert response.status_code == 403


def test_localhost_is_this_machine(access: AccessControl, stranger: Client) -> None:
    base = "http://localhost:8000"
    stranger.get("/", base_url=base, query_string={"token": access.token})
    assert stranger.get("/", base_url=base).status_code == 200


def test_a_page_of_ours_may_post(access: AccessControl, guest: Client) -> None:
    assert post(guest, access).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {CSRF_HEADER: None},
        {CSRF_HEADER: "x"},
        {"Origin": None},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Origin": "https://127.0.0.1:8000"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
def test_another_page_may_not_post(access: AccessControl, guest: Client, changed: dict[str, Any]) -> None:
    assert post(guest, access, **changed).status_code == 403


def test_who_has_the_csrf_token_alone_may_not_post(access: AccessControl, stranger: Client) -> None:
    assert post(stranger, access).status_code == 403


def test_a_form_carries_the_csrf_token_in_a_field(access: AccessControl, guest: Client) -> None:
    def send(token: str) -> int:
        return guest.post("/", base_url=BASE, headers={"Origin": BASE}, data={CSRF_FIELD: token}).status_code

    assert (send(access.csrf_token), send("")) == (200, 403)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(guest: Client, method: str) -> None:
    assert guest.open("/", base_url=BASE, method=method).status_code == 405


def test_every_answer_carries_the_headers(access: AccessControl, guest: Client, stranger: Client) -> None:
    for client, address in ((guest, "/"), (stranger, "/"), (stranger, f"/?token={access.token}")):
        response = client.get(address, base_url=BASE)
        assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
