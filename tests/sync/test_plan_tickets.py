"""The tickets in a plan: what a run would do about alerts, by the command line against both sandboxes.

Fails if the driver's calls are made instead of recorded, or if the state is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.sync.calls import Calls
from connector.sync.records import ListError
from tests.sync.alert_pair import ALERTS
from tests.sync.pair import Pair

MINOR = {"if": "{{ 'minor' in alert.subject }}", "ticket": "none"}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path, tickets=0) as made:
        made.ninja.state.alerts.clear()
        mapped(made)
        made.run()
        yield made


def mapped(pair: Pair, *, limit: int = 50, **more: Any) -> None:
    alerts = {**ALERTS, "rules": [MINOR], **more}
    limits = {"tickets_per_hour": limit}
    pair.map(clients={"map": [{"organization": 1, "client": 11}]}, alerts=alerts, limits=limits)


def fire(pair: Pair, subject: str) -> str:
    uid: str = pair.ninja.alerts.trigger(1, subject=subject)["uid"]
    return uid


def planned(pair: Pair, *arguments: object) -> dict[str, Any]:
    """Return the tickets of a plan by alert, and require that making it wrote nothing."""
    state = (pair.folder / "state.db").read_bytes()
    halo, ninja = len(pair.halo.log.requests()), len(pair.ninja.log.requests())
    items = pair.plan(*arguments)
    assert pair.writes(halo) == []
    assert [r for r in pair.ninja.log.requests()[ninja:] if r["method"] not in ("GET", "POST")] == []
    assert not [r for r in pair.ninja.log.requests()[ninja:] if "/alert/" in r["path"]]
    assert (pair.folder / "state.db").read_bytes() == state
    return {source: item for (entity, source), item in items.items() if entity == "ticket"}


def changes(item: Any) -> dict[str, Any]:
    return {change["field"]: change["new"] for change in item["changes"]}


def open_tickets(pair: Pair) -> list[int]:
    return [t["id"] for t in pair.halo.state.tickets.values() if t["hasbeenclosed"] is not True]


def test_new_alerts_are_planned_as_tickets_by_the_rules(pair: Pair) -> None:
    disk, minor = fire(pair, "disk"), fire(pair, "minor")
    found = planned(pair)
    assert (found[disk]["op"], found[disk]["name"]) == ("create", "disk")
    place = {"client": 11, "site": 201, "user": 3002}
    assert changes(found[disk]) == {"type": 25, "priority": 3, "summary": "disk", **place}
    assert (found[minor]["op"], found[minor]["reason"]) == (
        "skip",
        "no ticket: the rules or alerts.unmapped exclude it",
    )
    done = pair.sync("plan", "--exit-code")
    assert done.code == 10
    row = next(line.split() for line in done.out.splitlines() if "tickets" in line)
    assert row == ["tickets", "1", "0", "0", "0", "1", "0"]
    assert f'ticket    create for alert {disk} "disk"' in done.out
    pair.run()
    found = planned(pair)
    assert list(found) == [minor]
    assert pair.sync("plan", "--exit-code").code == 0


def test_ends_and_closed_tickets_are_planned_as_changes(pair: Pair) -> None:
    ended, closed = fire(pair, "disk"), fire(pair, "backup")
    pair.run()
    pair.ninja.alerts.reset(ended)
    pair.halo.agent.close(2002)
    assert planned(pair).keys() == {closed}  # an alert has ended once two lists do not have it
    pair.run()
    found = planned(pair)
    assert found.keys() == {ended}
    assert (found[ended]["op"], found[ended]["halo"], changes(found[ended])) == (
        "update",
        2001,
        {"status": "closed"},
    )
    assert closed not in pair.ninja.state.alerts


def test_a_reset_is_planned_and_not_made(pair: Pair) -> None:
    uid = fire(pair, "disk")
    pair.run()
    pair.halo.agent.close(2001)
    found = planned(pair)[uid]
    assert (changes(found), found["reason"]) == ({"alert": "reset"}, "its ticket was closed")
    assert uid in pair.ninja.state.alerts


def test_held_alerts_and_their_summary(pair: Pair) -> None:
    mapped(pair, limit=1)
    first, second = fire(pair, "one"), fire(pair, "two")
    found = planned(pair)
    assert {found[uid]["op"] for uid in (first, second)} == {"create", "skip"}
    assert found["#held"]["op"] == "create"
    assert found["#held"]["name"] == "1 alert is held: more than 1 tickets within an hour"


def test_a_refused_ticket_is_a_conflict(pair: Pair) -> None:
    mapped(pair, ticket={"type": 31, "summary": "x"})
    uid = fire(pair, "disk")
    assert pair.sync("run").code == 1
    found = planned(pair)[uid]
    assert found["op"] == "conflict"
    assert "403" in found["reason"]


def test_apply_makes_the_planned_tickets_and_no_others(pair: Pair) -> None:
    disk, _ = fire(pair, "disk"), fire(pair, "backup")
    done = pair.sync("plan", "--item", f"alert:{disk}")
    assert done.code == 0, done
    fire(pair, "later")
    file = done.out.rsplit(". ", 1)[1].strip()
    assert pair.sync("apply", "--plan", file).code == 0
    assert [pair.halo.state.tickets[id]["summary"] for id in open_tickets(pair)] == ["disk"]
    assert pair.sync("apply", "--plan", file).code == 0
    assert len(open_tickets(pair)) == 1
    pair.run()
    assert len(open_tickets(pair)) == 3


def test_single_alerts_by_run(pair: Pair) -> None:
    disk, _ = fire(pair, "disk"), fire(pair, "backup")
    pair.run("--item", f"alert:{disk}")
    assert [pair.halo.state.tickets[id]["summary"] for id in open_tickets(pair)] == ["disk"]
    done = pair.sync("plan", "--item", "alert:unknown")
    assert "warning: alert:unknown is not in the plan" in done.err


def test_a_plan_of_alerts_alone_reads_no_devices(pair: Pair) -> None:
    before = len(pair.ninja.log.requests())
    assert pair.sync("plan", "--only", "alerts").code == 0
    assert not [r for r in pair.ninja.log.requests()[before:] if "/devices" in r["path"]]
    before = len(pair.ninja.log.requests())
    assert pair.sync("plan", "--only", "clients").code == 0
    assert not [r for r in pair.ninja.log.requests()[before:] if "/alerts" in r["path"]]


def test_an_incomplete_list_plans_no_tickets(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    fire(pair, "disk")
    records = Calls.records

    def broken(self: Calls, steps: Any) -> Any:
        if steps.__name__ == "alerts":
            raise ListError("NinjaOne: broke off")
        return records(self, steps)

    monkeypatch.setattr(Calls, "records", broken)
    done = pair.sync("plan")
    assert "stopped   tickets: a list of alerts or tickets was incomplete" in done.out
    assert done.code == 0
