"""Signing in, and what the instance refuses before it looks at an operation."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest
import requests

from .client import TIMEOUT_S, HaloApi, OpenHalo


def test_the_tenant_is_needed_in_the_query(halo: HaloApi) -> None:
    for tenant in ("", "other"):
        response = halo.token(tenant=tenant)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_the_tenant_is_optional_on_other_instances(open_halo: OpenHalo) -> None:
    api = open_halo({"tenant": "optional"})
    assert api.token(tenant="").status_code == 200
    assert api.token(tenant="other").status_code == 400


def test_the_scope_is_needed(halo: HaloApi) -> None:
    response = halo.token(scope="")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")
    assert halo.token(scope="read:assets edit:tickets").json()["scope"] == "read:assets edit:tickets"


def test_the_scope_is_optional_on_other_instances(open_halo: OpenHalo) -> None:
    assert open_halo({"scope": "optional"}).token(scope="").json()["scope"] == "all"


def test_a_reading_scope_cannot_write(halo: HaloApi) -> None:
    token = halo.token(scope="read:customers").json()["access_token"]
    halo.session.headers["Authorization"] = f"Bearer {token}"
    assert halo.get("/Client")["record_count"] == 4
    halo.refused(403, "POST", "/Client", json=[{"name": "x"}])


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_refused_credentials(halo: HaloApi, changes: dict[str, str], status: int, error: str) -> None:
    response = halo.token(**changes)
    assert (response.status_code, response.json()["error"]) == (status, error)


def test_the_instance_says_where_to_sign_in_and_its_version(halo: HaloApi) -> None:
    del halo.session.headers["Authorization"]
    known = halo.get("/authinfo")
    assert known == {"auth_url": f"{halo.sandbox.base_url}/auth", "tenant_id": "sandbox"}
    assert halo.get("/InstanceInfo")["version"].startswith("2.")
    assert halo.refused(401, "GET", "/Client").content == b""


def test_a_token_that_was_dropped_is_refused(halo: HaloApi) -> None:
    halo.sandbox.drop_tokens()
    halo.refused(401, "GET", "/Agent/me")
    halo.session.headers["Authorization"] = f"Bearer {halo.token().json()['access_token']}"
    halo.sandbox.set_faults(queue=["expire"])
    halo.refused(401, "GET", "/Agent/me")


def _without_user_agent(api: HaloApi, method: str, path: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(api.sandbox.base_url).netloc, timeout=TIMEOUT_S)
    connection.request(method, path, headers={"Authorization": str(api.session.headers["Authorization"])})
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_user_agent_is_needed_everywhere(halo: HaloApi) -> None:
    assert _without_user_agent(halo, "GET", "/api/Agent/me") == 403
    assert _without_user_agent(halo, "POST", "/auth/token") == 403


def test_a_user_agent_is_optional_on_other_instances(open_halo: OpenHalo) -> None:
    api = open_halo({"user_agent": "optional"})
    assert _without_user_agent(api, "GET", "/api/Agent/me") == 200
    assert _without_user_agent(api, "POST", "/auth/token") == 415


def test_other_paths_are_not_found(halo: HaloApi) -> None:
    halo.refused(404, "GET", "/Nothing")
    halo.refused(405, "PATCH", "/Client")
    assert requests.get(f"{halo.sandbox.base_url}/v2/devices", timeout=TIMEOUT_S).status_code == 404
    assert requests.get(f"{halo.sandbox.base_url}/auth/authorize", timeout=TIMEOUT_S).status_code == 404
