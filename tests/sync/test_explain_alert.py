"""`sync explain alert`: the values of a ticket, its history, and what the next run does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.alert_pair import ALERTS
from tests.sync.pair import Pair
from tests.sync.parity.conftest import DEVICES

MINOR = {"if": "{{ 'minor' in alert.subject }}", "ticket": "none"}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path, tickets=0) as made:
        made.ninja.state.alerts.clear()
        made.map(clients={"take": "all"}, devices=DEVICES, alerts={**ALERTS, "rules": [MINOR]})
        made.run()
        yield made


def explained(pair: Pair, uid: str) -> str:
    """Return the text of the command, which must write nothing."""
    state = (pair.folder / "state.db").read_bytes()
    halo, ninja = len(pair.halo.log.requests()), len(pair.ninja.log.requests())
    done = pair.sync("explain", "alert", uid)
    assert done.code == 0, done
    assert [r for r in pair.writes(halo) if r["path"] != "/auth/token"] == []
    assert not [r for r in pair.ninja.log.requests()[ninja:] if "/alert/" in r["path"]]
    assert (pair.folder / "state.db").read_bytes() == state
    return done.out


def test_an_alert_is_explained_through_its_life(pair: Pair) -> None:
    uid = pair.ninja.alerts.trigger(1, subject="disk")["uid"]
    text = explained(pair, uid)
    assert "rule     mapping.yaml: no rule applies: a ticket as in alerts.ticket" in text
    assert "place    organization 1: client 11, site 202, asset 5001" in text
    assert "now      create" in text
    assert 'summary: null → "disk"' in text
    pair.run()
    text = explained(pair, uid)
    assert "#1       state.db: ticket open, ticket 2001, started " in text
    assert "ticket   HaloPSA, ticket 2001: open" in text
    assert "now      nothing to do" in text
    pair.halo.agent.close(2001)
    assert "now      update 2001: its ticket was closed" in explained(pair, uid)
    pair.run()
    text = explained(pair, uid)
    assert "alert    NinjaOne: not active" in text
    assert "because its ticket was closed" in text
    found = pair.sync("explain", "alert", uid, "--json").json
    assert [step["step"] for step in found["steps"]] == ["alert", "device", "rule", "place", "#1", "ticket"]
    assert (found["link"], found["decision"]) == ({"target": 2001, "method": "ticket"}, None)


def test_an_alert_without_a_ticket_has_its_rule(pair: Pair) -> None:
    uid = pair.ninja.alerts.trigger(2, subject="minor")["uid"]
    for _ in range(2):
        text = explained(pair, uid)
        assert "rule     mapping.yaml: rule 1 applies: no ticket" in text
        assert "now      skip: no ticket: the rules or alerts.unmapped exclude it" in text
        pair.run()
    pair.map(clients={"map": [{"organization": 1, "client": 11}]}, alerts={**ALERTS, "unmapped": "none"})
    (pair.folder / "state.db").unlink()
    text = explained_new(pair, uid)
    assert "alerts.unmapped is none, and the organization has no client: no ticket" in text


def explained_new(pair: Pair, uid: str) -> str:
    """Return the text of the command for a folder without a state."""
    done = pair.sync("explain", "alert", uid)
    assert done.code == 0, done
    return done.out


def test_an_alert_that_was_refused_says_why(pair: Pair) -> None:
    ticket = {**ALERTS["ticket"], "type": 31}
    pair.map(clients={"take": "all"}, devices=DEVICES, alerts={**ALERTS, "ticket": ticket})
    uid = pair.ninja.alerts.trigger(1, subject="disk")["uid"]
    pair.sync("run")
    text = explained(pair, uid)
    assert "#1       state.db: refused, started" in text
    assert "answered 403" in text
    assert "now      conflict: " in text


@pytest.mark.parametrize(
    ("noun", "source", "message"),
    [
        ("alert", "no-such-uid", "NinjaOne has no active alert no-such-uid, and the sync has never seen it"),
        ("device", "x", '"x" is not an id'),
        ("organization", "0", '"0" is not an id'),
    ],
)
def test_what_does_not_exist_is_not_explained(pair: Pair, noun: str, source: str, message: str) -> None:
    done = pair.sync("explain", noun, source)
    assert (done.code, message in done.err) == (2, True), done


def test_a_mapping_without_alerts_explains_none(pair: Pair) -> None:
    pair.map(clients={"take": "all"})
    done = pair.sync("explain", "alert", "a")
    assert (done.code, "has no section alerts" in done.err) == (2, True)
