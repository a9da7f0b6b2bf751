"""Alerts as HaloPSA's own integration handles them (G20 to G24), over HTTP against both sandboxes.

Each test fails when its line is taken out: G20 `AlertContext.place`; G21 "RESET" in `_KINDS` of
actions/ninjaone/sync_webhook.py, and `Missing` in snapshots.py; G22 `_closed_by_people` in alert_tickets.py;
G23 the refusals in `Hook.register`; G24 `AlertContext._category`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.sync.hook_key import HookKey
from connector.sync.state import Link
from tests.sync.alert_pair import ALERTS, AlertPair


def test_g20_type_and_default_user_and_the_assets_site_and_user_win(tmp_path: Path) -> None:
    with AlertPair(tmp_path) as pair:
        _, target = pair.sides()
        target.save("asset", 5008, {"user": 3001}, target.asset(5008))
        pair.state.save_link(Link("asset", 1, 5008, "pin"))
        pair.state.save_link(Link("asset", 3, 5001, "pin"))
        pair.fire(1, subject="of an asset with a user")
        pair.fire(2, subject="without an asset")
        pair.fire(3, subject="of an asset at another site")
        pair.fire(8, subject="of a mapped organization, without an asset")
        pair.delivered()
        first = pair.tickets()[0]
        assert (first["tickettype_id"], first["summary"]) == (25, "of an asset with a user")
        assert (first["priority_id"], first["source"]) == (3, 12)
        places = [
            [t[name] for name in ("asset_ids", "client_id", "site_id", "user_id")] for t in pair.tickets()
        ]
        default = ALERTS["default_user"]
        assert places == [
            [[5008], 11, 201, 3001],
            [[], 11, 201, default],
            [[5001], 11, 202, None],
            [[], 11, 201, default],
        ]


@pytest.mark.parametrize("way", ["webhook", "poll"])
def test_g21_the_end_of_an_alert_closes_its_ticket_which_is_read_back(tmp_path: Path, way: str) -> None:
    with AlertPair(tmp_path, webhooks=way == "webhook") as pair:
        uid = pair.fire()
        pair.delivered() if way == "webhook" else pair.poll()
        assert not pair.is_closed(pair.ticket())
        pair.heal(uid)
        if way == "webhook":
            pair.delivered()
        else:
            pair.poll()
            assert not pair.is_closed(pair.ticket())
            pair.poll()
        assert pair.is_closed(pair.ticket())
        assert pair.state_of(uid) == "CLOSED"


def test_g21_a_ticket_that_cannot_be_closed_is_not_taken_for_closed(tmp_path: Path) -> None:
    with AlertPair(tmp_path, traps={"closing": "refused"}) as pair:
        uid = pair.fire()
        pair.delivered()
        pair.heal(uid)
        pair.delivered()
        row = pair.driver.rows.latest(uid)
        assert row is not None
        assert (row.state, "left ticket" in row.error) == ("CLOSING", True)
        pair.halo.set_trap("closing", "accepted")
        pair.poll()
        assert (pair.state_of(uid), pair.is_closed(pair.ticket())) == ("CLOSED", True)


@pytest.mark.parametrize("way", ["webhook", "poll"])
@pytest.mark.parametrize("body", ["full", "event"])
def test_g22_closing_the_ticket_resets_the_alert(tmp_path: Path, way: str, body: str) -> None:
    with AlertPair(tmp_path, webhooks=way == "webhook", traps={"webhook_body": body}) as pair:
        uid = pair.fire()
        pair.delivered() if way == "webhook" else pair.poll()
        pair.halo.agent.close(pair.ticket()["id"])
        pair.delivered() if way == "webhook" else pair.poll()
        assert uid not in pair.ninja.state.alerts
        pair.poll()
        pair.poll()
        assert (pair.state_of(uid), len(pair.tickets())) == ("CLOSED", 1)


def test_g23_where_webhooks_are_refused_the_reason_is_said_and_polling_goes_on(tmp_path: Path) -> None:
    with AlertPair(tmp_path, webhooks=False, ninja={"user_context": ["configureWebhook"]}) as pair:
        hook = pair.hooks["ninjaone"]
        error = hook.register(pair.base, HookKey.of(tmp_path))
        assert error is not None
        assert error.code == "forbidden"
        assert "Notification Channels" in hook.webhook.steps
        assert pair.ninja.state.webhook is None
        uid = pair.fire()
        pair.poll()
        assert (pair.state_of(uid), len(pair.tickets())) == ("OPEN", 1)


@pytest.mark.parametrize("field", ["category_1", "CFAlertKind"])
def test_g24_the_category_is_set_by_webhook_and_not_by_poll(tmp_path: Path, field: str) -> None:
    with AlertPair(tmp_path, activity_type_to=field) as pair:
        pair.fire(1)
        pair.delivered()
        pair.ninja.set_delivery("lost")
        pair.fire(2)
        pair.poll()
        shown = [category_of(pair, ticket, field) for ticket in pair.tickets()]
        assert shown == ["CONDITION", None]


def category_of(pair: AlertPair, ticket: dict[str, object], field: str) -> object:
    if field.startswith("CF"):
        return pair.halo.state.custom_values.get(("ticket", ticket["id"]), {}).get(field)
    return ticket[field] or None
