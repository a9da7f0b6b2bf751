"""Webhooks are saved and delivered: full, event only, batched, doubled, late, lost."""

from __future__ import annotations

import base64
import socket
import threading
from typing import Any

import pytest

from ..receiver import Receiver
from .client import Clock, HaloApi, OpenHalo


def _register(api: HaloApi, url: str, **more: Any) -> dict[str, Any]:
    saved: dict[str, Any] = api.post("/Webhook", {"name": "Sync", "url": url, **more})
    return saved


def _close_one(api: HaloApi) -> int:
    """Create a ticket and have an agent close it; return its id."""
    number = int(api.ticket()["id"])
    api.sandbox.agent.close(number)
    return number


def test_the_life_of_a_webhook(halo: HaloApi) -> None:
    saved = _register(halo, "http://127.0.0.1:1/x", basic_username="u", basic_password="p")
    assert "basic_password" not in saved
    assert halo.get("/Webhook") == [saved] == [halo.get(f"/Webhook/{saved['id']}")]
    assert halo.post("/Webhook", {"id": saved["id"], "active": False})["active"] is False
    assert halo.send("DELETE", f"/Webhook/{saved['id']}").status_code == 200
    assert halo.get("/Webhook") == []
    halo.refused(404, "DELETE", f"/Webhook/{saved['id']}")
    for wrong in ({"name": "x", "url": "ftp://x"}, {"url": "http://127.0.0.1/"}):
        halo.refused(400, "POST", "/Webhook", json=[wrong])


def test_full_deliveries_with_basic_authentication(halo: HaloApi, receiver: Receiver) -> None:
    webhook = _register(halo, receiver.url, basic_username="halo", basic_password="p:w")
    number = _close_one(halo)
    log = halo.sandbox.wait_for_deliveries(2)
    assert [entry["status"] for entry in log] == [200, 200]
    created, closed = receiver.bodies
    assert (created["event"], closed["event"]) == ("New Ticket Logged", "Ticket Status Changed")
    assert (closed["object_id"], closed["webhook_id"]) == (number, webhook["id"])
    assert closed["ticket"] == halo.get("/Tickets", ticketids=number)["tickets"][0]
    assert closed["ticket"]["hasbeenclosed"] is True
    path, headers, _ = receiver.received[0]
    assert path == "/hooks?key=1"
    pair = base64.b64decode(headers["authorization"].removeprefix("Basic "))
    assert pair == b"halo:p:w"
    assert "authorization" not in str(log).lower()
    events = halo.get("/WebhookEvent", webhook_id=webhook["id"])
    assert events["record_count"] == 2


def test_deliveries_without_authentication(halo: HaloApi, receiver: Receiver) -> None:
    _register(halo, receiver.url)
    halo.ticket()
    halo.sandbox.wait_for_deliveries(1)
    assert "authorization" not in receiver.received[0][1]


def test_only_the_events_that_are_named(halo: HaloApi, receiver: Receiver) -> None:
    _register(halo, receiver.url, events=[{"name": "ticket status changed"}])
    _register(halo, receiver.url, active=False)
    _close_one(halo)
    halo.sandbox.wait_for_deliveries()
    assert [body["event"] for body in receiver.bodies] == ["Ticket Status Changed"]


def test_every_event(halo: HaloApi, receiver: Receiver) -> None:
    _register(halo, receiver.url)
    first, second = halo.ticket()["id"], halo.ticket()["id"]
    halo.post("/Tickets", {"id": first, "category_1": "Hardware"})
    halo.post("/Actions", {"ticket_id": first, "outcome_id": 7, "note": "x"})
    halo.control("agent/merge", ticket=first, into=second)
    halo.control("agent/delete", ticket=second)
    halo.sandbox.wait_for_deliveries(7)
    assert [body["event"] for body in receiver.bodies][2:] == [
        "Ticket Updated",
        "Action Added",
        "Ticket Status Changed",
        "Ticket Merged",
        "Ticket Deleted",
    ]


def test_deliveries_may_have_the_event_alone(open_halo: OpenHalo, receiver: Receiver) -> None:
    api = open_halo({"webhook_body": "event"})
    _register(api, receiver.url)
    number = api.ticket()["id"]
    api.sandbox.wait_for_deliveries(1)
    assert "ticket" not in receiver.bodies[0]
    assert receiver.bodies[0]["object_id"] == number


def test_deliveries_may_be_batched(open_halo: OpenHalo, receiver: Receiver) -> None:
    api = open_halo({"webhook_batch": "yes"})
    _register(api, receiver.url)
    first = _close_one(api)
    second = api.ticket()["id"]
    api.sandbox.wait_for_deliveries()
    assert [[event["object_id"] for event in body] for body in receiver.bodies] == [[first, first]]
    api.sandbox.release_deliveries()
    api.sandbox.wait_for_deliveries()
    assert [event["object_id"] for event in receiver.bodies[1]] == [second]


def test_deliveries_may_be_doubled(open_halo: OpenHalo, receiver: Receiver) -> None:
    api = open_halo({"webhook_delivery": "doubled"})
    _register(api, receiver.url)
    api.ticket()
    api.sandbox.wait_for_deliveries(2)
    assert receiver.bodies[0] == receiver.bodies[1]


def test_deliveries_may_be_late(open_halo: OpenHalo, receiver: Receiver) -> None:
    clock = Clock()
    api = open_halo({"webhook_delivery": "late"}, clock=clock)
    _register(api, receiver.url)
    first = api.ticket()["id"]
    api.sandbox.set_trap("webhook_delivery", "once")
    second = api.ticket()["id"]
    assert [entry["body"]["object_id"] for entry in api.sandbox.wait_for_deliveries(1)] == [second]
    clock.now += 31
    api.sandbox.wait_for_deliveries(2)
    assert [body["object_id"] for body in receiver.bodies] == [second, first]
    api.sandbox.set_trap("webhook_delivery", "late")
    third = api.ticket()["id"]
    api.control("webhooks/release")
    assert api.sandbox.wait_for_deliveries(3)[-1]["body"]["object_id"] == third
    assert len(api.control("webhooks/deliveries")) == 3


def test_deliveries_may_be_lost(open_halo: OpenHalo, receiver: Receiver) -> None:
    api = open_halo({"webhook_delivery": "lost"})
    _register(api, receiver.url)
    api.ticket()
    (entry,) = api.sandbox.wait_for_deliveries(1)
    assert (entry["lost"], entry["status"], receiver.bodies) == (True, None, [])


def test_a_receiver_that_fails_is_logged(halo: HaloApi, receiver: Receiver) -> None:
    receiver.status = 503
    _register(halo, receiver.url)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: a connection is refused
        _register(halo, f"http://127.0.0.1:{closed.getsockname()[1]}/")
        halo.ticket()
        failed, refused = halo.sandbox.wait_for_deliveries(2)
    assert (failed["status"], failed["error"]) == (503, None)
    assert refused["status"] is None
    assert "ConnectionRefusedError" in refused["error"]


def test_a_stopped_sandbox_sends_what_is_queued(halo: HaloApi, receiver: Receiver) -> None:
    _register(halo, receiver.url)
    for _ in range(5):
        halo.ticket()
    halo.sandbox.set_trap("webhook_delivery", "late")
    halo.ticket()
    halo.sandbox.stop()
    assert len(receiver.received) == 5
    assert not [thread for thread in threading.enumerate() if thread.name == "deliveries"]
    with halo.sandbox:
        halo.sandbox.set_trap("webhook_delivery", "once")
        halo.ticket()
        assert len(halo.sandbox.wait_for_deliveries(6)) == 6


def test_waiting_ends(halo: HaloApi) -> None:
    assert halo.sandbox.wait_for_deliveries() == []
    with pytest.raises(TimeoutError, match="0 deliveries sent"):
        halo.sandbox.wait_for_deliveries(1, timeout_s=0.01)
