"""Sign-in and the check of the Authorization header."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import parse_qsl

import pytest
import requests

from .client import TIMEOUT_S, Api

INCIDENT = r"WEB_MGMT_SERVICE-2a-\d{13}-[0-9A-F]{8}"


def test_token_answer(api):
    response = api.token()
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"access_token", "expires_in", "scope", "token_type"}
    assert body["expires_in"] == 3600
    assert body["scope"] == "monitoring management control"
    assert body["token_type"] == "Bearer"


def test_basic_header(api):
    response = requests.post(
        f"{api.base_url}/ws/oauth/token",
        data={"grant_type": "client_credentials", "scope": "monitoring"},
        auth=(api.sandbox.client_id, api.sandbox.client_secret),
        timeout=TIMEOUT_S,
    )
    assert response.json()["scope"] == "monitoring"


def test_the_old_token_path_is_served_on_request(open_api):
    assert open_api().send("POST", "/oauth/token").status_code == 404
    client = open_api(old_token_path=True)
    response = requests.post(
        f"{client.base_url}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(client.sandbox.client_id, client.sandbox.client_secret),
        timeout=TIMEOUT_S,
    )
    assert response.json()["token_type"] == "Bearer"
    assert [entry["status"] for entry in client.sandbox.log.signins()] == [200, 200]


def test_unreadable_basic_header(api):
    response = requests.post(
        f"{api.base_url}/ws/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": "Basic ???"},
        timeout=TIMEOUT_S,
    )
    assert response.status_code == 400
    assert response.json() == {"error": "invalid_header", "error_code": 1}


def test_wrong_client_id(api):
    response = api.token(client_id="stranger")
    assert response.status_code == 404
    assert response.json()["resultCode"] == "Client app not exist"
    assert re.fullmatch(INCIDENT, response.json()["incidentId"])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_secret": "wröng"}, "invalid_client"),
        ({"scope": "monitoring offline_access"}, "invalid_scope"),
        ({"grant_type": "password"}, "unauthorized_client"),
        ({"grant_type": ""}, "invalid_grant"),
    ],
)
def test_refusals(api, changes, error):
    response = api.token(**changes)
    assert response.status_code == 400
    assert response.json() == {"error": error}


def test_wrong_secret_in_basic_header(api):
    response = requests.post(
        f"{api.base_url}/ws/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(api.sandbox.client_id, "wrong"),
        timeout=TIMEOUT_S,
    )
    assert response.status_code == 401
    assert response.json() == {"error": "invalid_client"}


# Users

WEB = {"client_id": "sandbox-web", "client_secret": "sandbox-web-secret"}
NATIVE = {"client_id": "sandbox-native", "client_secret": ""}
VERIFIER = "a-verifier-of-forty-three-characters-or-more-"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def authorize(api, **changes: str) -> requests.Response:
    query = {
        "response_type": "code",
        "client_id": "sandbox-native",
        "redirect_uri": "http://127.0.0.1:28765/",
        "scope": "monitoring offline_access",
        "state": "a-state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    url = f"{api.base_url}/ws/oauth/authorize"
    return requests.get(url, params=query, allow_redirects=False, timeout=TIMEOUT_S)


def sent_back(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302
    address, _, query = answer.headers["Location"].partition("?")
    assert address == "http://127.0.0.1:28765/"
    return dict(parse_qsl(query, strict_parsing=True))


def redeem(api, code: str, **changes: str) -> requests.Response:
    form = {"redirect_uri": "http://127.0.0.1:28765/", "code_verifier": VERIFIER, **NATIVE, **changes}
    return api.token(grant_type="authorization_code", code=code, **form)


def test_refresh_tokens_rotate(api):
    first = api.token(grant_type="refresh_token", refresh_token=api.sandbox.refresh_token, **WEB).json()
    second = api.token(grant_type="refresh_token", refresh_token=first["refresh_token"], **WEB)
    assert second.status_code == 200
    for spent in (api.sandbox.refresh_token, first["refresh_token"]):
        again = api.token(grant_type="refresh_token", refresh_token=spent, **WEB)
        assert again.status_code == 400
        assert again.json() == {"error": "invalid_grant"}
    stolen = api.token(grant_type="refresh_token", refresh_token=second.json()["refresh_token"], **NATIVE)
    assert stolen.json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("app", [WEB, NATIVE])
def test_a_user_signs_in(api, app):
    back = sent_back(authorize(api, client_id=app["client_id"]))
    assert back.keys() == {"code", "state"}
    assert back["state"] == "a-state"
    granted = redeem(api, back["code"], **app).json()
    assert granted["scope"] == "monitoring offline_access"
    renewed = api.token(grant_type="refresh_token", refresh_token=granted["refresh_token"], **app).json()
    assert renewed["scope"] == "monitoring offline_access"
    assert renewed["refresh_token"] != granted["refresh_token"]


def test_without_the_offline_scope_there_is_no_refresh_token(api):
    code = sent_back(authorize(api, scope="monitoring"))["code"]
    assert "refresh_token" not in redeem(api, code).json()


def test_a_code_is_used_once(api):
    code = sent_back(authorize(api))["code"]
    assert redeem(api, code).status_code == 200
    assert redeem(api, code).json() == {"error": "invalid_grant"}


def test_a_code_expires(api):
    api.sandbox.authorizations.code_lifetime_s = 0
    assert redeem(api, sent_back(authorize(api))["code"]).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "another-verifier"}, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:1/"}, "invalid_grant"),
        (WEB, "invalid_grant"),
        ({"client_id": "sandbox-web"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"client_id": "sandbox-client", "client_secret": "sandbox-secret"}, "unauthorized_client"),
    ],
)
def test_a_code_is_good_for_its_app_address_and_verifier_alone(api, changes, error):
    response = redeem(api, sent_back(authorize(api))["code"], **changes)
    assert (response.status_code, response.json()) == (400, {"error": error})


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"client_id": "stranger"}, 404),
        ({"client_id": "sandbox-client"}, 404),
        ({"redirect_uri": "http://127.0.0.1:28765"}, 400),
        ({"redirect_uri": "http://127.0.0.1:28766/"}, 400),
        ({"redirect_uri": "https://evil.example/"}, 400),
    ],
)
def test_a_browser_is_not_sent_anywhere_else(api, changes, status):
    response = authorize(api, **changes)
    assert response.status_code == status
    assert "Location" not in response.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "monitoring everything"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
    ],
)
def test_a_refusal_is_sent_back(api, changes, error):
    back = sent_back(authorize(api, **changes))
    assert (back["error"], back["state"]) == (error, "a-state")


def test_a_user_who_refuses(api):
    api.sandbox.authorizations.user_refuses = True
    assert sent_back(authorize(api))["error"] == "access_denied"


def test_apps_for_users_have_no_client_credentials(api):
    assert api.token(**WEB).json() == {"error": "unauthorized_client"}


def test_only_posted_forms_are_taken(api):
    url = f"{api.base_url}/ws/oauth/token"
    assert requests.get(url, timeout=TIMEOUT_S).status_code == 405
    assert requests.post(url, json={"grant_type": "client_credentials"}, timeout=TIMEOUT_S).status_code == 415
    assert requests.post(f"{api.base_url}/oauth/token", timeout=TIMEOUT_S).status_code == 404


@pytest.mark.parametrize(
    ("header", "status", "body"),
    [
        (
            None,
            400,
            {"error": "missing_header", "error_description": "Missing required header", "error_code": 2},
        ),
        ("Basic abc", 400, {"error": "invalid_header", "error_code": 1}),
        ("Bearer", 400, {"error": "invalid_header", "error_code": 1}),
        (
            "Bearer unknown",
            401,
            {"error": "not_authenticated", "error_description": "Invalid credentials", "error_code": 10},
        ),
    ],
)
def test_authorization_header(api, header, status, body):
    api.session.headers["Authorization"] = header
    assert api.fails("GET", "/v2/organizations", status) == body


def test_expired_token(open_api):
    api: Api = open_api(token_lifetime_s=0)
    assert api.token().json()["expires_in"] == 0
    assert api.fails("GET", "/v2/organizations", 401)["error_code"] == 10


def test_scope_decides_what_is_allowed(api):
    api.sign_in(scope="monitoring")
    api.get("/v2/organizations")
    assert api.fails("POST", "/v2/organizations", 401, json={"name": "New"}) == {
        "error": "insufficient_privileges"
    }


def test_signin_log_holds_no_secret(api):
    api.token(client_id="stranger")
    signins = api.control("GET", "signins")
    assert [entry["status"] for entry in signins] == [200, 404]
    assert signins[1] | {"time": 0.0} == {
        "n": 2,
        "time": 0.0,
        "status": 404,
        "grant_type": "client_credentials",
        "client_id": "stranger",
        "scope": "",
        "via": "form",
    }
    assert api.sandbox.client_secret not in str(signins)
    assert api.control("GET", "signins", params={"since": 1}) == signins[1:]
    api.control("DELETE", "signins")
    assert api.control("GET", "signins") == []


def test_operations_that_want_a_user(open_api):
    api: Api = open_api(user_context=("runScriptOnDevice",))
    run = {"method": "POST", "path": "/v2/device/1/script/run", "json": {"type": "SCRIPT", "id": 1}}
    assert api.fails(status=403, **run) == {
        "error": "user_context_required",
        "error_description": "This operation requires a user context",
        "error_code": 5,
    }
    api.get("/v2/device/1")
    api.sign_in(grant_type="refresh_token", refresh_token=api.sandbox.refresh_token, **WEB)
    assert api.send(**run).status_code == 204


def test_reset(open_api):
    api: Api = open_api(devices=3)
    api.do("PATCH", "/v2/device/1", {"displayName": "Other"})
    api.sandbox.reset()
    assert api.get("/v2/device/1")["displayName"] == "SRV-0001"
    assert len(api.requests()) == 2
