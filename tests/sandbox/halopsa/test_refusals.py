"""The rolling window of requests, the forms of errors, and what an agent does not see; traps both ways."""

from __future__ import annotations

from typing import Any

import pytest

from connector.sandbox.errors import HttpError
from connector.sandbox.halopsa.traps import Traps
from connector.sandbox.halopsa.window import Window

from .client import Clock, HaloApi, OpenHalo


def _send(api: HaloApi, times: int) -> list[int]:
    return [api.send("GET", "/Agent/me").status_code for _ in range(times)]


def test_the_window_rolls(open_halo: OpenHalo) -> None:
    clock = Clock()
    api = open_halo({"rate_limit": "3/5"}, clock=clock)
    assert _send(api, 2) == [200, 200]
    clock.now += 100
    assert _send(api, 3) == [200, 429, 429]
    response = api.send("GET", "/Agent/me")
    assert response.text == "Rate Limit Reached - 3 Requests per rolling 5 minute window"
    assert response.headers["Retry-After"] == "200"
    assert not api.sandbox.log.requests()[-1]["executed"]
    clock.now += 199
    assert _send(api, 1) == [429]
    clock.now += 1
    assert _send(api, 3) == [200, 200, 429]


def test_the_default_window() -> None:
    window = Window(Traps(), Clock())
    for _ in range(700):
        window.check()
    with pytest.raises(HttpError, match="429 Rate Limit Reached - 700 Requests per rolling 5 minute window"):
        window.check()


def test_there_may_be_no_limit(open_halo: OpenHalo) -> None:
    clock = Clock()
    api = open_halo({"rate_limit": "1/5"}, clock=clock)
    assert _send(api, 2) == [200, 429]
    api.sandbox.set_trap("rate_limit", "none")
    assert _send(api, 2) == [200, 200]


@pytest.mark.parametrize(("trap", "header"), [("sent", "300"), ("absent", None)])
def test_retry_after_may_be_absent(open_halo: OpenHalo, trap: str, header: str | None) -> None:
    api = open_halo({"retry_after": trap, "rate_limit": "1/5"}, clock=Clock())
    assert _send(api, 1) == [200]
    assert api.refused(429, "GET", "/Agent/me").headers.get("Retry-After") == header


def test_signing_in_does_not_count(open_halo: OpenHalo) -> None:
    api = open_halo({"rate_limit": "1/5"}, clock=Clock())
    for _ in range(5):
        assert api.token().status_code == 200
    assert _send(api, 2) == [200, 429]


def test_a_403_has_no_body(open_halo: OpenHalo) -> None:
    record = {"summary": "x", "client_id": 11, "tickettype_id": 31}
    assert open_halo().refused(403, "POST", "/Tickets", json=[record]).content == b""
    response = open_halo({"forbidden": "text"}).refused(403, "POST", "/Tickets", json=[record])
    assert response.json() == {"error": "You do not have permission to do this"}


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("by_path", {"[0].name": ["A name must be entered."]}),
        ("message", {"Message": "A name must be entered."}),
        ("class_name", {"ClassName": "System.ArgumentException", "Message": "A name must be entered."}),
        ("result_code", {"resultCode": "INVALID", "errorMessage": "A name must be entered."}),
        ("error", {"error": "A name must be entered."}),
    ],
)
def test_forms_of_a_400(open_halo: OpenHalo, form: str, body: dict[str, Any]) -> None:
    response = open_halo({"invalid": form}).refused(400, "POST", "/Client", json=[{"name": ""}])
    assert response.json() == body


def test_a_400_may_be_text(open_halo: OpenHalo) -> None:
    response = open_halo({"invalid": "text"}).refused(400, "POST", "/Client", json=[{"name": ""}])
    assert (response.text, response.headers["Content-Type"]) == ("A name must be entered.", "text/plain")


def test_a_200_may_be_html(open_halo: OpenHalo) -> None:
    assert open_halo({"html": "no"}).post("/Client", {"name": "x"})["name"] == "x"
    once = open_halo({"html": "page_once"})
    page = once.send("POST", "/Client", json=[{"name": "x"}])
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    assert once.get("/Client")["record_count"] == 4
    always = open_halo({"html": "page"})
    assert all("<html>" in always.send("GET", "/Client").text for _ in range(3))


def test_an_agent_may_see_one_client(open_halo: OpenHalo) -> None:
    seeing, limited = open_halo(), open_halo({"agent_sees": "one_client"})
    assert [row["id"] for row in limited.get("/Client")["clients"]] == [11]
    assert {row["client_id"] for row in limited.get("/Asset")["assets"]} == {11}
    assert limited.get("/Site")["record_count"] == 2
    assert limited.get("/Users")["record_count"] == 3
    assert limited.get("/Asset", client_id=12)["record_count"] == 0
    other = seeing.get("/Asset", client_id=12)["assets"][0]["id"]
    for path in ("/Client/12", f"/Asset/{other}", "/Site/203", "/Users/3004"):
        seeing.get(path)
        limited.refused(403, "GET", path)
    limited.refused(403, "POST", "/Asset", json=[{"id": other, "notes": "x"}])
    limited.refused(403, "POST", "/Tickets", json=[{"summary": "x", "client_id": 12, "tickettype_id": 25}])


def test_other_clients_may_be_not_found(open_halo: OpenHalo) -> None:
    open_halo({"agent_sees": "one_client_404"}).refused(404, "GET", "/Client/12")


def test_an_agent_may_see_some_types(open_halo: OpenHalo) -> None:
    seeing, limited = open_halo(), open_halo({"agent_sees": "some_types"})
    hidden = [row["id"] for row in seeing.get("/Asset", assettype_id=103)["assets"]]
    assert hidden
    assert [row["id"] for row in limited.get("/AssetType")] == [101, 102, 109]
    assert not set(hidden) & {row["id"] for row in limited.get("/Asset")["assets"]}
    limited.refused(403, "GET", f"/Asset/{hidden[0]}")
    limited.refused(403, "GET", "/AssetType/103")


def test_an_agent_may_see_some_fields_and_empties_the_others(open_halo: OpenHalo) -> None:
    api = open_halo({"agent_sees": "some_fields"})
    shown = api.get("/Asset/5001")["fields"]
    declared = [field["field_id"] for field in api.get("/AssetType/101")["fields"]]
    assert set(declared) - {field["id"] for field in shown} == {52}
    api.post("/Asset", {"id": 5001, "fields": shown})
    api.sandbox.set_trap("agent_sees", "all")
    values = {field["id"]: field["value"] for field in api.get("/Asset/5001")["fields"]}
    assert (values[117], values[52]) == ("EX0000001", "")


def test_the_built_in_integration(open_halo: OpenHalo) -> None:
    query = {"includeintegrationsettings": "true", "integrationmoduleid": 234}
    unused, used = (open_halo({"integration": trap}) for trap in ("off", "on"))
    assert not unused.get("/Control", **query)["halointegrator_ninjarmm"]
    assert "ninja_sitemappings" not in used.get("/Control")
    settings = used.get("/Control", **query)
    assert settings["halointegrator_ninjarmm"]
    assert settings["ninja_sitemappings"][2] == {
        "halo_id": 203,
        "halo_name": "Main Office",
        "halo_client_id": 12,
        "third_party_id": "3",
        "third_party_client_id": "2",
        "third_party_name": "Main Office",
    }
    assert used.get("/Asset/5003")["ninjarmm_id"] == 3
    assert (used.get("/Client/12")["ninjarmmid"], used.get("/Site/203")["ninjarmmid"]) == (2, 3)
    assert (unused.get("/Client/12")["ninjarmmid"], unused.get("/Site/203")["ninjarmmid"]) == (0, 0)
    open_halo({"integration": "forbidden"}).refused(403, "GET", "/Control")
