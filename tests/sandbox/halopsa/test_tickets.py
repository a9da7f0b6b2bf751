"""Closing, notes, priorities, automations, deletion: what happens to tickets; traps both ways."""

from __future__ import annotations

from typing import Any

import pytest

from .client import HaloApi, OpenHalo


def test_an_action_needs_an_outcome(halo: HaloApi) -> None:
    ticket = halo.ticket()
    response = halo.refused(400, "POST", "/Actions", json=[{"ticket_id": ticket["id"], "note_html": "x"}])
    assert response.json() == {"[0].outcome_id": ["An Outcome must be entered for this Action"]}
    action = halo.post("/Actions", {"ticket_id": ticket["id"], "note_html": "<b>x</b>", "outcome_id": 7})
    assert (action["outcome"], action["note"]) == ("Internal Note", "x")
    halo.refused(403, "POST", "/Actions", json=[{"ticket_id": ticket["id"], "outcome_id": 12}])
    halo.refused(400, "POST", "/Actions", json=[{"ticket_id": ticket["id"], "outcome_id": 99}])


def test_an_action_needs_no_outcome_on_other_instances(open_halo: OpenHalo) -> None:
    api = open_halo({"outcome": "optional"})
    assert api.post("/Actions", {"ticket_id": api.ticket()["id"], "note_html": "x"})["note"] == "x"


def test_an_action_changes_the_status(halo: HaloApi) -> None:
    ticket = halo.ticket()
    halo.post("/Actions", {"ticket_id": ticket["id"], "outcome_id": 7, "note": "x", "new_status": 9})
    assert halo.get(f"/Tickets/{ticket['id']}")["hasbeenclosed"] is True


def _note_status(api: HaloApi, ticket: dict[str, Any]) -> int:
    record = {"ticket_id": ticket["id"], "outcome_id": 7, "note_html": "x"}
    return api.send("POST", "/Actions", json=[record]).status_code


def test_notes_may_be_refused(open_halo: OpenHalo) -> None:
    for traps, expected in (
        ({"notes": "accepted"}, [201, 201]),
        ({"notes": "forbidden"}, [403, 403]),
        ({"notes": "refused_when_closed"}, [201, 400]),
    ):
        api = open_halo(traps)
        ticket = api.ticket()
        found = [_note_status(api, ticket)]
        api.sandbox.agent.close(ticket["id"])
        assert [*found, _note_status(api, ticket)] == expected


def _create(api: HaloApi, **values: Any) -> Any:
    record = {"summary": "x", "client_id": 11, **values}
    return api.send("POST", "/Tickets", json=[record])


def test_a_priority_belongs_to_the_sla_of_the_type(halo: HaloApi) -> None:
    assert [row["slaid"] for row in halo.get("/Priority", slaid=2)] == [2, 2, 2]
    assert _create(halo, tickettype_id=25, priority_id=4).json()["priority_id"] == 4
    assert list(_create(halo, tickettype_id=26, priority_id=4).json()) == ["[0].priority_id"]
    assert _create(halo, tickettype_id=27, priority_id=4).json()["priority_id"] == 0


def test_any_priority_is_taken_on_other_instances(open_halo: OpenHalo) -> None:
    api = open_halo({"priorities": "any"})
    assert _create(api, tickettype_id=26, priority_id=4).json()["priority_id"] == 4


def test_types_may_have_no_sla(open_halo: OpenHalo) -> None:
    api = open_halo({"type_sla": "none"})
    assert {row["default_sla"] for row in api.get("/TicketType")} == {0}
    assert _create(api, tickettype_id=25, priority_id=4).json()["priority_id"] == 0


def test_the_agent_may_not_create_every_type(halo: HaloApi) -> None:
    assert _create(halo, tickettype_id=31).status_code == 403


def _close(api: HaloApi, **more: Any) -> Any:
    return api.post("/Tickets", {"id": api.ticket()["id"], "status_id": 9, **more})


def test_closing_is_accepted(halo: HaloApi) -> None:
    assert _close(halo)["status_id"] == 9


@pytest.mark.parametrize(
    ("traps", "warns"), [({"closing": "refused"}, True), ({"closing": "refused_silently"}, False)]
)
def test_closing_may_be_refused_with_success(open_halo: OpenHalo, traps: dict[str, str], warns: bool) -> None:
    api = open_halo(traps)
    ticket = _close(api)
    assert (ticket["status_id"], ticket["hasbeenclosed"]) == (1, None)
    assert ("CFResolution" in ticket.get("_warning", "")) is warns
    assert "_warning" not in api.get(f"/Tickets/{ticket['id']}")
    assert _close(api, customfields=[{"name": "CFResolution", "value": "Disk cleaned"}])["status_id"] == 9


def test_a_deleted_ticket_is_gone(halo: HaloApi) -> None:
    ticket = halo.ticket()
    halo.sandbox.agent.delete(ticket["id"])
    halo.refused(404, "GET", f"/Tickets/{ticket['id']}")
    assert halo.get("/Tickets", ticketids=ticket["id"])["record_count"] == 0
    assert halo.get("/Tickets", deleted="true")["record_count"] == 1


def test_a_deleted_ticket_may_be_marked(open_halo: OpenHalo) -> None:
    api = open_halo({"deleted_tickets": "marked"})
    ticket = api.ticket()
    assert api.send("DELETE", f"/Tickets/{ticket['id']}").status_code == 200
    assert api.get(f"/Tickets/{ticket['id']}")["deleted"] is True


def test_an_automation_closes_tickets_by_itself(open_halo: OpenHalo) -> None:
    api = open_halo({"automations": "close"})
    ticket = api.ticket()
    assert ticket["hasbeenclosed"] is None
    assert api.get(f"/Tickets/{ticket['id']}")["hasbeenclosed"] is True
    calm = open_halo({"automations": "none"})
    assert calm.get(f"/Tickets/{calm.ticket()['id']}")["hasbeenclosed"] is None
