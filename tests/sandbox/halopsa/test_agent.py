"""Acts of an agent while the sandbox runs, in Python and over HTTP, and traps that are changed meanwhile."""

from __future__ import annotations

import pytest
import requests

from connector.sandbox.halopsa.server import HaloSandbox
from connector.sandbox.halopsa.traps import TRAPS

from .client import TIMEOUT_S, HaloApi


def test_an_agent_closes_and_reopens(halo: HaloApi) -> None:
    number = halo.ticket()["id"]
    halo.control("agent/close", ticket=number)
    closed = halo.get(f"/Tickets/{number}")
    assert (closed["hasbeenclosed"], closed["status_name"]) == (True, "Closed")
    assert closed["dateclosed"] is not None
    halo.control("agent/reopen", ticket=number)
    opened = halo.get(f"/Tickets/{number}")
    assert (opened["hasbeenclosed"], opened["status_name"], opened["dateclosed"]) == (
        None,
        "In Progress",
        None,
    )
    halo.control("agent/close", ticket=number, status=8)
    assert halo.get(f"/Tickets/{number}")["status_name"] == "Closed Order"


def test_an_agent_merges(halo: HaloApi) -> None:
    first, second = halo.ticket()["id"], halo.ticket()["id"]
    halo.control("agent/merge", ticket=first, into=second)
    merged = halo.get(f"/Tickets/{first}")
    assert (merged["merged_into_id"], merged["hasbeenclosed"]) == (second, True)
    assert halo.get(f"/Tickets/{second}")["hasbeenclosed"] is None


def test_an_agent_deletes_and_writes_notes(halo: HaloApi) -> None:
    first, second = halo.ticket()["id"], halo.ticket()["id"]
    halo.control("agent/note", ticket=second, text="Called the user")
    assert halo.get("/Actions", ticket_id=second)["actions"][0]["note"] == "Called the user"
    halo.control("agent/delete", ticket=first)
    halo.refused(404, "GET", f"/Tickets/{first}")


def test_an_agent_changes_assets_and_clients(halo: HaloApi) -> None:
    halo.control("agent/asset", asset=5001, fields={"51": "hand-made"}, notes="moved", inactive=True)
    asset = halo.get("/Asset/5001")
    values = {field["id"]: field["value"] for field in asset["fields"]}
    assert (asset["notes"], asset["inactive"]) == ("moved", True)
    assert (values[51], values[117]) == ("hand-made", "EX0000001")
    halo.control("agent/delete_asset", asset=5002)
    halo.refused(404, "GET", "/Asset/5002")
    halo.control("agent/client", client=11, name="Renamed")
    assert halo.get("/Client/11")["name"] == "Renamed"


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("agent/close", {"ticket": 9}, "there is no ticket 9"),
        ("agent/close", {}, "missing 1 required positional argument: 'ticket'"),
        ("agent/close", [], "requires a JSON object"),
        ("agent/set_status", {"ticket": 9, "status": 99}, "there is no status 99"),
        ("agent/asset", {"asset": 5001, "color": "red"}, "an asset has no member 'color'"),
        ("agent/client", {"client": 9}, "Client 9 was not found"),
        ("traps", {"shape": "round"}, "there is no trap 'shape'; the traps are tenant, "),
        ("traps", {"closing": "late", "html": "page"}, "trap closing has no value 'late'; its values are"),
        ("traps", {"rate_limit": "5"}, "its values are 700/5, none, or for example 300/5"),
    ],
)
def test_what_is_wrong_is_said(halo: HaloApi, name: str, body: object, message: str) -> None:
    url = f"{halo.sandbox.base_url}/_sandbox/{name}"
    response = requests.post(url, json=body, timeout=TIMEOUT_S)
    assert response.status_code == 400
    assert message in response.json()["error"]
    assert halo.sandbox.traps["html"] == "no"


def test_traps_are_switched_while_it_runs(halo: HaloApi) -> None:
    assert halo.control("traps")["closing"] == "accepted"
    assert halo.control("traps", closing="refused", html="page_once")["closing"] == "refused"
    assert "<html>" in halo.send("GET", "/Client").text
    number = halo.ticket()["id"]
    assert halo.post("/Tickets", {"id": number, "status_id": 9})["status_id"] == 1


def test_unknown_traps_are_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="there is no trap 'pages'"):
        HaloSandbox(traps={"pages": "all"})
    assert len({trap.name for trap in TRAPS}) == len(TRAPS) == len(HaloSandbox.trap_list())


def test_a_reset_restores_the_data(halo: HaloApi) -> None:
    halo.ticket()
    halo.control("agent/client", client=11, name="Renamed")
    halo.sandbox.reset()
    assert halo.get("/Tickets")["record_count"] == 0
    assert halo.get("/Client/11")["name"] == "Alder Dental"
    halo.control("agent/close", ticket=halo.ticket()["id"])
