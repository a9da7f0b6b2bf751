"""What a list of all alerts proves, and what it does not prove."""

from __future__ import annotations

from connector.sync.alert_events import Missing, Started
from connector.sync.alert_rows import Alert
from connector.sync.snapshots import confirmed, read_snapshot

NOW, SEQ = 1000.0, 7


def rows(count: int) -> list[Alert]:
    return [Alert(f"u{n}", 1, "OPEN", device=n % 3, ticket=n) for n in range(count)]


def started(uid: str) -> Started:
    return Started(uid, 10.0, NOW, SEQ, via="list")


def test_what_is_shown_started_and_what_is_not_is_missing() -> None:
    snapshot = read_snapshot(rows(2), {"u0": started("u0"), "new": started("new")}, NOW, SEQ)
    assert snapshot.events == (started("u0"), started("new"), Missing("u1", NOW, SEQ))
    assert snapshot.devices == ()


def test_ten_may_be_missing_at_once_and_eleven_are_confirmed_first() -> None:
    assert len(read_snapshot(rows(10), {}, NOW, SEQ).events) == 10
    snapshot = read_snapshot(rows(11), {}, NOW, SEQ)
    assert snapshot.events == ()
    assert snapshot.devices == (0, 1, 2)
    assert len(snapshot.absent) == 11


def test_half_of_many_may_be_missing_at_once() -> None:
    shown = {row.uid: started(row.uid) for row in rows(24)[:12]}
    assert sum(isinstance(event, Missing) for event in read_snapshot(rows(24), shown, NOW, SEQ).events) == 12
    del shown["u0"]
    assert read_snapshot(rows(24), shown, NOW, SEQ).devices == (0, 1, 2)


def test_only_what_its_own_device_does_not_have_is_missing() -> None:
    absent = read_snapshot(rows(11), {}, NOW, SEQ).absent
    found = confirmed(absent, {0: {"u0", "u3"}, 1: set()}, NOW, SEQ)
    assert [event.uid for event in found] == ["u1", "u4", "u6", "u7", "u9", "u10"]


def test_tickets_that_are_no_alerts_are_never_missing() -> None:
    assert read_snapshot([Alert("#held", 1, "OPEN", kind="held", ticket=1)], {}, NOW, SEQ).events == ()
