"""The alert driver over both sides in memory: alerts and tickets, also when calls fail."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connector.sync.records import AlertReading, Asset
from connector.sync.state_queues import Inbox, Outbox
from tests.sync.alert_sides import MAPPING, Desk, Killed, Ticket


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.poll()  # the first list is empty, so that nothing is adopted
    yield made
    made.close()


def other(folder: Path, **lines: str) -> Desk:
    """Return a desk with further lines in the alerts of its mapping."""
    made = Desk(folder, MAPPING + "".join(f"  {name}: {value}\n" for name, value in lines.items()))
    made.poll()
    return made


def test_an_alert_by_webhook_is_a_ticket_and_its_end_closes_it(desk: Desk) -> None:
    desk.fire("a")
    ticket = desk.ticket()
    assert ticket.values == {
        "type": 25,
        "priority": 3,
        "client": 17,
        "site": 40,
        "user": 310,
        "summary": "a",
        "details": "On PC-1",
        "alert": "a",
        "device": 1,
        "stamp": "a#1",
    }
    intent = Outbox(desk.state).get("ticket a#1")
    assert intent is not None
    assert (intent.outcome, intent.target) == ("created", 2001)
    desk.heal("a")
    assert (ticket.status, desk.state_of("a")) == ("closed", "CLOSED")
    assert Inbox(desk.state).waiting() == 0


def test_the_same_by_poll(desk: Desk) -> None:
    desk.fire("a", delivered=False)
    desk.poll()
    assert desk.ticket().status == "open"
    desk.heal("a", delivered=False)
    desk.poll()
    assert desk.ticket().status == "open"
    desk.poll()
    assert (desk.ticket().status, desk.state_of("a")) == ("closed", "CLOSED")


@pytest.mark.parametrize("delivered", [True, False])
def test_closing_the_ticket_resets_the_alert(desk: Desk, delivered: bool) -> None:
    desk.fire("a")
    desk.agent(2001, "closed", delivered=delivered)
    if not delivered:
        desk.poll()
    assert desk.source.resets == [("a", {"source": "The PSA", "ticket": 2001})]
    assert desk.state_of("a") == "CLOSED"
    desk.deliver(["ended", "a", desk.now, 1])
    desk.poll()
    assert len(desk.tickets) == 1


def test_a_source_that_may_only_be_read_is_never_reset(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.poll()
    desk.settings(on_close="leave")
    desk.fire("a")
    desk.agent(2001, "closed", delivered=True)
    assert (desk.source.resets, desk.state_of("a")) == ([], "LEFT")
    desk.close()


def test_a_ticket_whose_answer_is_lost_is_looked_up_and_not_made_again(desk: Desk) -> None:
    desk.target.faults.next = ["lost"]
    desk.fire("a")
    assert (desk.state_of("a"), len(desk.tickets)) == ("OPEN", 1)
    assert desk.target.asked["find"] == 1


def test_a_lost_ticket_is_made_after_two_complete_lookups_ten_minutes_apart(desk: Desk) -> None:
    desk.target.faults.next = ["before"]  # killed after the outbox says that it is sent
    desk.fire("a")
    assert (desk.state_of("a"), len(desk.tickets)) == ("CREATING", 0)
    desk.wait(400)
    assert len(desk.tickets) == 0
    desk.target.broken = True
    desk.wait(400)
    assert len(desk.tickets) == 0
    desk.target.broken = False
    desk.wait(400)
    assert (desk.state_of("a"), len(desk.tickets)) == ("OPEN", 1)


def test_a_ticket_that_was_not_sent_is_made_without_a_lookup(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "sent", die)
        desk.fire("a")
        assert len(desk.tickets) == 0
    desk.wait(60)
    assert (desk.state_of("a"), desk.target.asked["find"]) == ("OPEN", 0)


def test_a_row_and_its_outbox_entry_are_committed_together(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def begin(*arguments: object) -> None:
        calls.append(str(arguments[1]))
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "begin", begin)
        with pytest.raises(Killed):
            desk.driver.react(desk.driver._started(one_alert(desk), "event", 1))
    assert calls == ["ticket a#1"]
    assert desk.state_of("a") == ""


def one_alert(desk: Desk) -> AlertReading:
    desk.fire("a", delivered=False)
    return desk.source.on["a"]


def test_outages_are_repeated_and_never_an_error(desk: Desk) -> None:
    desk.target.faults.next = ["outage"] * 20
    desk.fire("a")
    waits = []
    while desk.state_of("a") == "CREATING":
        row = desk.driver.rows.latest("a")
        assert row is not None
        waits.append(row.next_try - desk.now)
        desk.wait(waits[-1])
    assert waits[:8] == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert (desk.state_of("a"), len(desk.tickets)) == ("OPEN", 1)


def test_what_is_refused_is_an_error_until_it_is_retried(desk: Desk) -> None:
    desk.target.faults.next = ["refused"]
    desk.fire("a")
    row = desk.driver.rows.latest("a")
    assert row is not None
    assert (row.state, row.error) == ("ERROR", "not allowed")
    desk.poll()
    assert desk.driver.retry() == 1
    assert (desk.state_of("a"), len(desk.tickets)) == ("OPEN", 1)


def test_a_ticket_that_stays_open_says_why(desk: Desk) -> None:
    desk.fire("a")
    desk.target.closes = False
    desk.heal("a")
    row = desk.driver.rows.latest("a")
    assert row is not None
    assert (row.state, "a resolution is mandatory" in row.error) == ("CLOSING", True)
    desk.target.closes = True
    desk.wait(60)
    assert (desk.state_of("a"), desk.ticket().status) == ("CLOSED", "closed")


def test_stamps_that_do_not_read_back_stop_creation(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.target.stores_stamps = False
    with caplog.at_level(logging.ERROR):
        desk.fire("a")
        desk.fire("b", 2)
        desk.wait(60)
    assert list(desk.tickets) == [2001]
    message = [text for text in caplog.messages if "was read back without the stamp" in text]
    assert len(message) == 1
    assert "CFStamp" in message[0]
    desk.state.close()
    desk.start()  # Fails if every new process creates one more ticket without a stamp.
    desk.wait(3600)
    assert list(desk.tickets) == [2001]
    assert message[0] == desk.driver.blocked
    desk.target.stores_stamps = True
    desk.driver.retry()
    assert (desk.state_of("b"), desk.driver.blocked) == ("OPEN", "")


def test_another_place_for_stamps_lets_tickets_be_created_again(desk: Desk) -> None:
    desk.target.stores_stamps = False
    desk.fire("a")
    assert desk.driver.blocked
    desk.state.close()
    assert desk.mapping.alerts is not None
    desk.mapping = replace(desk.mapping, alerts=replace(desk.mapping.alerts, stamp="CFOther"))
    desk.start()
    assert desk.driver.blocked == ""


def test_the_stamp_is_read_back_once(desk: Desk) -> None:
    desk.fire("a")
    assert desk.state.meta("tickets_stamped") == "CFStamp"
    desk.target.broken = True
    desk.fire("b", 2)
    assert desk.state_of("b") == "OPEN"


def test_the_assets_client_site_and_user_win(desk: Desk) -> None:
    desk.link_asset(1, Asset(900, 17, 40, users=(311,)))
    desk.link_asset(2, Asset(901, 18, 50))
    desk.link_asset(3, Asset(902, 17, 42))
    desk.link_asset(4, Asset(903, 17, 43, users=(399,)))
    for device in (1, 2, 3, 4):
        desk.fire(f"a{device}", device)
    values = [ticket.values for ticket in desk.tickets.values()]
    places = [{name: v.get(name) for name in ("client", "site", "user", "assets")} for v in values]
    assert places == [
        {"client": 17, "site": 41, "user": 311, "assets": [900]},
        {"client": 17, "site": 40, "user": 310, "assets": None},  # its asset is another client's
        {"client": 17, "site": 42, "user": None, "assets": [902]},
        {"client": 17, "site": 43, "user": None, "assets": [903]},  # its user cannot be seen
    ]


def test_an_asset_that_is_linked_later_is_added(desk: Desk) -> None:
    desk.fire("a")
    desk.poll()
    desk.link_asset(1, Asset(900, 17, 40, users=(311,)))
    desk.poll()
    assert (desk.ticket().values["asset"], desk.ticket().values["user"]) == (900, 311)
    row = desk.driver.rows.latest("a")
    assert row is not None
    assert (row.has_asset, row.notes) == (True, ())


@pytest.mark.parametrize(("unmapped", "count"), [("default_user", 1), ("none", 0)])
def test_an_unmapped_organization(tmp_path: Path, unmapped: str, count: int) -> None:
    desk = other(tmp_path, unmapped=unmapped)
    desk.state.drop_link("client", 1)
    desk.fire("a")
    assert [t.values.get("user") for t in desk.tickets.values()] == [310] * count
    assert all("client" not in t.values for t in desk.tickets.values())
    desk.close()


def test_rules_choose_the_ticket_or_none(tmp_path: Path) -> None:
    rules = """
    - {if: "{{ alert.severity == 'NONE' }}", ticket: none}
    - {if: "{{ device.id == 2 }}", ticket: {priority: 1}}"""
    desk = other(tmp_path, rules=rules)
    desk.source.on.clear()
    desk.fire("a", severity="NONE")  # the delivery has no severity: it is read
    desk.fire("b", 2)
    desk.fire("c", 3)
    assert desk.state_of("a") == "SUPPRESSED"
    assert [(t.values["summary"], t.values["priority"]) for t in desk.tickets.values()] == [
        ("b", 1),
        ("c", 3),
    ]
    desk.heal("a")
    assert desk.state_of("a") == "CLOSED"
    desk.close()


def test_the_category_is_set_by_webhook_alone(tmp_path: Path) -> None:
    desk = other(tmp_path, activity_type_to="category_1")
    desk.fire("a")
    desk.fire("b", 2, delivered=False)
    desk.poll()
    assert [t.values.get("category_1") for t in desk.tickets.values()] == ["CONDITION", None]
    desk.close()


@pytest.mark.parametrize(("first_run", "adopted"), [("adopt", {}), ("adopt", {"a": 1234}), ("ticket", {})])
def test_the_first_run(tmp_path: Path, first_run: str, adopted: dict[str, int]) -> None:
    desk = Desk(tmp_path, MAPPING + f"  first_run: {first_run}\n")
    desk.target.taken_over = adopted
    desk.target.all[1234] = Ticket({})
    desk.fire("a", delivered=False)
    desk.poll()
    row = desk.driver.rows.latest("a")
    assert row is not None
    expected = ("SUPPRESSED", None) if not adopted else ("OPEN", 1234)
    assert (row.state, row.ticket) == (expected if first_run == "adopt" else ("OPEN", 2002))
    desk.fire("b", 2, delivered=False)
    desk.poll()
    assert desk.state_of("b") == "OPEN"
    desk.close()


def test_more_alerts_than_tickets_an_hour_are_held_and_said_in_one_ticket(tmp_path: Path) -> None:
    desk = Desk(tmp_path, MAPPING.replace("tickets_per_hour: 50", "tickets_per_hour: 2"))
    desk.poll()
    for number in range(1, 6):
        desk.fire(f"a{number}", number)
    desk.poll()
    assert [t.values["summary"] for t in desk.tickets.values()] == [
        "a1",
        "a2",
        "3 alerts are held: more than 2 tickets within an hour",
    ]
    desk.heal("a5")
    desk.poll()
    assert desk.tickets[2003].values["summary"].startswith("2 alerts are held")
    assert desk.driver.release() == 2
    assert len(desk.tickets) == 5
    desk.poll()
    assert desk.tickets[2003].status == "closed"
    desk.close()


def test_an_alert_that_ends_within_the_wait_makes_no_ticket(tmp_path: Path) -> None:
    desk = other(tmp_path, wait_s="300")
    desk.fire("a")
    desk.fire("b", 2)
    desk.heal("a")
    desk.wait(300)
    assert [t.values["summary"] for t in desk.tickets.values()] == ["b"]
    desk.close()


def test_a_flap_reopens_the_ticket_with_a_note(desk: Desk) -> None:
    desk.fire("a")
    desk.heal("a")
    desk.fire("a")
    assert desk.ticket().status == "open"
    assert desk.ticket().notes == ["The alert was triggered again."]
    desk.heal("a")
    desk.wait(1800)
    desk.fire("a")
    assert desk.tickets[2002].values["details"] == "On PC-1\n\nPrevious ticket of this alert: 2001"


def test_a_merged_ticket_is_followed_and_a_deleted_one_is_an_orphan(desk: Desk) -> None:
    desk.fire("a")
    desk.fire("b", 2)
    desk.agent(2001, "merged", into=2002, delivered=True)
    desk.heal("a")
    assert (desk.state_of("a"), desk.tickets[2002].status) == ("CLOSED", "open")
    assert desk.tickets[2002].notes == ["The alert has ended."]
    desk.agent(2002, "deleted", delivered=True)
    desk.poll()
    assert desk.state_of("b") == "ORPHANED"
    assert (len(desk.tickets), desk.source.resets) == (2, [])


def test_a_note_that_is_refused_becomes_a_ticket(desk: Desk) -> None:
    desk.fire("a")
    desk.target.takes_notes = False
    desk.deliver(["acknowledged", "a", desk.now + 1, 1])
    assert desk.tickets[2002].values["summary"] == "Note on ticket 2001"
    assert "acknowledged" in desk.tickets[2002].values["details"]


def test_a_delivery_whose_device_cannot_be_read_waits_and_others_go_on(tmp_path: Path) -> None:
    desk = other(tmp_path, rules='[{if: "{{ device.id == 7 }}", ticket: none}]')
    desk.source.broken = True
    desk.fire("a")
    assert (desk.state_of("a"), Inbox(desk.state).waiting()) == ("", 1)
    desk.source.broken = False
    desk.fire("b", 2)
    assert desk.state_of("b") == "OPEN"
    desk.wait(60)
    assert (desk.state_of("a"), Inbox(desk.state).waiting()) == ("OPEN", 0)
    desk.close()


def test_a_list_that_broke_off_ends_nothing(desk: Desk) -> None:
    desk.fire("a")
    desk.source.on.clear()
    desk.source.broken = True
    for _ in range(3):
        assert desk.driver.poll() is False
    assert desk.state_of("a") == "OPEN"
    desk.source.broken = False
    assert desk.driver.poll() is True
    desk.poll()
    assert desk.state_of("a") == "CLOSED"


def test_many_missing_alerts_are_confirmed_by_their_devices(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 13):
        desk.fire(f"a{number}", number)
    with monkeypatch.context() as patch:
        everything = desk.source.on
        patch.setattr(
            type(desk.source), "device_alerts", lambda _, n: [a for a in everything.values() if a.device == n]
        )
        desk.source.on = {}
        for _ in range(3):
            desk.poll()
        assert {t.status for t in desk.tickets.values()} == {"open"}
    for _ in range(2):
        desk.poll()
    assert {t.status for t in desk.tickets.values()} == {"closed"}


def test_a_delivery_of_neither_side_is_done(desk: Desk) -> None:
    inbox = Inbox(desk.state)
    inbox.add("crm", "1", b"[1]", desk.now)
    desk.wait(0)
    assert inbox.waiting() == 0
