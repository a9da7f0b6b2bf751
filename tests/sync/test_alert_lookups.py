"""Looking up tickets whose creation has no known outcome, over HTTP, by the target's clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.sync.state_queues import Outbox
from tests.sync.alert_pair import AlertPair

DAY = 86_400.0


@pytest.mark.parametrize("stamp", ["CFNinjaAlert", None])
@pytest.mark.parametrize("ahead", [0.0, -3 * DAY, 3 * DAY])
def test_a_ticket_whose_answer_is_lost_is_found_whatever_our_clock_says(
    tmp_path: Path, ahead: float, stamp: str | None
) -> None:
    with AlertPair(tmp_path, clock_ahead_s=ahead, stamp=stamp) as pair:
        pair.halo.set_trap("answers", "reset_once")
        uid = pair.fire()
        pair.delivered()
        assert (pair.state_of(uid), len(pair.tickets())) == ("OPEN", 1)
        intent = Outbox(pair.state).get(f"ticket {uid}#1")
        assert intent is not None
        assert intent.target == pair.ticket()["id"]


@pytest.mark.parametrize("act", ["close", "delete"])
@pytest.mark.parametrize("deleted", ["gone", "marked"])
def test_a_ticket_is_found_that_was_closed_or_deleted_meanwhile(
    tmp_path: Path, act: str, deleted: str
) -> None:
    with AlertPair(tmp_path, traps={"deleted_tickets": deleted}) as pair:
        pair.halo.set_trap("answers", "reset_once")
        state = pair.halo.state

        def meanwhile(event: str, ticket: dict[str, Any]) -> None:
            if event == "New Ticket Logged":
                state.after.append(lambda: getattr(pair.halo.agent, act)(ticket["id"]))

        state.notify = meanwhile
        uid = pair.fire()
        pair.delivered()
        for _ in range(3):
            pair.poll(3700)
        # A deleted ticket that the API does not show any more cannot be told from one that was never made.
        is_found = act == "close" or deleted == "marked"
        assert len(state.tickets) == (1 if is_found else 2)
        assert pair.state_of(uid) == ("CLOSED" if act == "close" else "ORPHANED")


def test_an_ordinary_creation_is_not_looked_up(tmp_path: Path) -> None:
    with AlertPair(tmp_path) as pair:
        pair.fire(1)
        pair.delivered()
        since = max(entry["n"] for entry in pair.halo.log.requests())
        pair.fire(2)
        pair.delivered()
        later = [entry for entry in pair.halo.log.requests() if entry["n"] > since]
        lists = [e for e in later if e["method"] == "GET" and e["path"].rstrip("/") == "/api/Tickets"]
        assert lists == []


def test_the_first_run_adopts_the_tickets_of_the_integration_that_was_there(tmp_path: Path) -> None:
    with AlertPair(tmp_path, webhooks=False, first_poll=False) as pair:
        known, unknown = pair.fire(1), pair.fire(2)
        _, target = pair.sides()
        number = target.save_ticket(
            None, {"summary": "theirs", "type": 25, "client": 11, "alert": known, "device": 1, "stamp": "x"}
        )
        pair.poll()
        assert (pair.state_of(known), pair.state_of(unknown)) == ("OPEN", "SUPPRESSED")
        pair.ninja.alerts.reset(known)
        pair.poll()
        pair.poll()
        (ticket,) = pair.tickets()
        assert (ticket["id"], pair.is_closed(ticket)) == (number, True)


def test_after_a_lost_state_the_open_tickets_are_adopted_and_none_is_made_twice(tmp_path: Path) -> None:
    with AlertPair(tmp_path) as pair:
        uid = pair.fire(1)
        pair.delivered()
        pair.state.close()
        for file in tmp_path.glob("state.db*"):
            file.unlink()
        pair.store.close()
        pair.start()
        pair.poll()
        assert (pair.state_of(uid), len(pair.tickets())) == ("OPEN", 1)
        pair.halo.agent.close(pair.ticket()["id"])
        pair.poll()
        assert uid not in pair.ninja.state.alerts


@pytest.mark.parametrize(("on_reset", "reads"), [("close", 1), ("close_untouched", 4)])
def test_a_poll_of_one_open_ticket_is_one_request(tmp_path: Path, on_reset: str, reads: int) -> None:
    with AlertPair(tmp_path, webhooks=False, on_reset=on_reset) as pair:
        pair.fire(1)
        pair.poll()
        since = max(entry["n"] for entry in pair.halo.log.requests())
        pair.start_again()
        pair.poll()
        assert len([entry for entry in pair.halo.log.requests() if entry["n"] > since]) == reads


def test_a_ticket_that_someone_has_worked_on_stays_open_with_a_note(tmp_path: Path) -> None:
    with AlertPair(tmp_path, on_reset="close_untouched") as pair:
        touched, untouched = pair.fire(1), pair.fire(2)
        pair.delivered()
        first, second = pair.tickets()
        pair.halo.agent.set_status(first["id"], 2)
        pair.heal(touched)
        pair.heal(untouched)
        pair.delivered()
        assert [pair.is_closed(first), pair.is_closed(second)] == [False, True]
        actions = [a for a in pair.halo.state.actions.values() if a["ticket_id"] == first["id"]]
        assert any("has ended" in str(action) for action in actions)
