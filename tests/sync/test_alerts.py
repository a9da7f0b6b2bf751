"""Single steps of an alert's life."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.sync.alert_events import (
    Acknowledged,
    AlertSettings,
    CloseTicket,
    Created,
    CreateTicket,
    DeviceLinked,
    Ended,
    Failed,
    Missing,
    NoteFailed,
    Release,
    ResetAlert,
    Retry,
    Started,
    Tick,
    TicketRead,
    Unknown,
    UpdateSummary,
    WriteNote,
)
from connector.sync.alert_rows import Alert, Book, Note
from connector.sync.alert_step import backoff
from connector.sync.alerts import recovered, step
from tests.sync.alert_world import World

NOW = 1_000_000.0


def after(row: Alert | None, event: Any, settings: AlertSettings | None = None) -> tuple[Alert, list[Any]]:
    """Return the row after an event, and the calls."""
    book = Book({row.key: row} if row else {})
    changes, calls = step(book, event, settings or AlertSettings())
    book.put(changes)
    return max(book.rows.values(), key=lambda found: found.generation), list(calls)


def row(state: Any = "OPEN", **fields: Any) -> Alert:
    return Alert("a", 1, state, **{"start": NOW, "ticket": 5, "device": 1, "condition": "c", **fields})


def started(**fields: Any) -> Started:
    return Started(**{"uid": "a", "start": NOW, "now": NOW, "seq": 1, **fields})


def test_the_first_run_adopts_tickets_and_makes_none() -> None:
    adopted, calls = after(None, started(existing=True, adopt=7))
    assert (adopted.state, adopted.ticket, calls) == ("OPEN", 7, [])
    quiet, calls = after(None, started(existing=True))
    assert (quiet.state, calls) == ("SUPPRESSED", [])


def test_an_alert_that_is_gone_while_it_is_reset_was_closed_by_its_ticket() -> None:
    for event in (Missing("a", NOW, 1), Ended("a", NOW + 60, NOW, 1)):
        found, _ = after(row("RESETTING", sent=NOW), event)
        assert (found.state, found.closed_by) == ("CLOSED", "target")


def test_an_end_that_comes_while_the_ticket_is_created_closes_it() -> None:
    creating = row("CREATING", ticket=None, sent=NOW)
    ended, calls = after(creating, Ended("a", NOW + 60, NOW, 1))
    assert (ended.state, calls) == ("CREATING", [])
    found, calls = after(ended, Created("a", 1, 5, NOW))
    assert (found.state, calls) == ("CLOSING", [CloseTicket(found, 5)])
    again, _ = after(ended, started(start=NOW + 90, seq=2))
    assert after(again, Created("a", 1, 5, NOW))[0].state == "OPEN"


def test_an_agent_that_closes_a_ticket_after_we_did_and_it_was_reopened_resets_its_alert() -> None:
    closed_before = row(closed_ticket=True)
    seen_open, _ = after(closed_before, TicketRead(5, "open", NOW))
    found, calls = after(seen_open, TicketRead(5, "closed", NOW))
    assert (found.state, calls) == ("RESETTING", [ResetAlert(found)])
    assert after(closed_before, TicketRead(5, "closed", NOW))[0].state == "REOPENING"


def test_a_reset_that_waits_is_given_up_when_the_ticket_is_reopened() -> None:
    waiting = row("RESETTING", next_try=NOW + 60, reset_at=NOW)
    found, calls = after(waiting, TicketRead(5, "open", NOW))
    assert (found.state, found.next_try, found.reset_at, calls) == ("OPEN", 0, None, [])


def test_an_occurrence_that_began_and_ended_while_the_last_ticket_was_closed_has_no_ticket() -> None:
    closing = row("CLOSING", ended=NOW + 10, next_try=NOW + 60)
    again, _ = after(closing, started(start=NOW + 60))
    assert again.again == NOW + 60
    over, _ = after(again, Ended("a", NOW + 90, NOW, 2))
    assert after(over, TicketRead(5, "closed", NOW))[0].generation == 1
    assert after(again, TicketRead(5, "closed", NOW))[0].generation == 2


def test_an_alert_that_ended_before_its_ticket_was_refused_is_closed() -> None:
    ended = row("CREATING", ticket=None, sent=NOW, end_pending=True)
    found, calls = after(ended, Failed("a", 1, "refused", NOW, "403"))
    assert (found.state, found.error, calls) == ("CLOSED", "403", [])


def test_an_alert_that_ended_while_its_ticket_was_created_is_closed_at_once() -> None:
    """Fails if the end is forgotten: then only two lists without the alert close the ticket."""
    ended = row("CREATING", ticket=None, sent=NOW, end_pending=True)
    found, calls = after(ended, Created("a", 1, 7, NOW))
    assert (found.state, found.ticket, found.end_pending) == ("CLOSING", 7, False)
    assert [type(call).__name__ for call in calls] == ["CloseTicket"]


def test_no_ticket_is_made_where_a_rule_says_so_and_none_while_it_waits() -> None:
    assert after(None, started(wanted=False))[0].state == "SUPPRESSED"
    waiting, calls = after(None, started(), AlertSettings(wait_s=300))
    assert (waiting.state, waiting.next_try, calls) == ("WAITING", NOW + 300, [])
    later, calls = after(waiting, started(start=NOW + 60, seq=2), AlertSettings(wait_s=300))
    assert (later.generation, later.next_try, later.start, calls) == (1, NOW + 300, NOW + 60, [])


def test_a_new_ticket_names_the_last_one() -> None:
    old = row("CLOSED", closed_at=NOW - 5000, ended=NOW + 1)
    found, calls = after(old, started(start=NOW + 60))
    assert (found.generation, found.previous, found.ticket) == (2, 5, None)
    assert calls == [CreateTicket(found)]


def test_an_acknowledgement_is_a_note_once() -> None:
    found, calls = after(row(), Acknowledged("a", NOW + 5, NOW + 5, 2))
    assert calls == [WriteNote(found, Note(1, "acknowledged"))]
    assert after(found, Acknowledged("a", NOW + 5, NOW + 9, 3))[1] == []
    assert after(row("CLOSED"), Acknowledged("a", NOW + 5, NOW + 5, 2))[1] == []


def test_a_repeat_is_a_note_or_nothing() -> None:
    for repeat, written in (("note", 1), ("nothing", 0)):
        found, calls = after(row(), started(start=NOW + 60), AlertSettings(repeat=repeat))  # type: ignore[arg-type]
        assert (found.repeats, len(calls)) == (1, written)


def test_a_refused_note_becomes_a_ticket_and_its_ticket_is_read() -> None:
    noted = row(notes=(Note(1, "repeat"),), note_count=1)
    book = Book({noted.key: noted})
    changes, calls = step(book, NoteFailed("a", 1, 1, "refused", NOW), AlertSettings())
    fallback = next(found for found in changes if found.kind == "note")
    assert (fallback.uid, fallback.previous) == ("a#1/repeat", 5)
    assert [type(call).__name__ for call in calls] == ["ReadTicket", "CreateTicket"]


def test_a_note_that_met_an_outage_is_written_later() -> None:
    noted = row(notes=(Note(1, "repeat"),), note_count=1)
    found, calls = after(noted, NoteFailed("a", 1, 1, "outage", NOW))
    assert calls == []
    assert found.notes == (Note(1, "repeat", next_try=NOW + 60, attempts=1),)


def test_an_asset_that_is_linked_later_is_added_once() -> None:
    found, calls = after(row(), DeviceLinked("a", 1, NOW))
    assert [call.note.text for call in calls] == ["asset"]
    assert after(found, DeviceLinked("a", 1, NOW))[1] == []


def test_an_error_is_tried_again_on_request_alone() -> None:
    failed = row("ERROR", ticket=None, resume="CREATING", error="403")
    found, calls = after(failed, Retry("a", 1, NOW))
    assert found.state == "CREATING"
    assert calls == [CreateTicket(found)]


def test_held_alerts_have_one_summary_that_is_kept_up_to_date_and_closed() -> None:
    world = World(AlertSettings(tickets_per_hour=1), {"a": (1, "x"), "b": (2, "x"), "c": (3, "x")})
    for uid in "ab":
        world.fire(uid)
        world.poll()
    assert [ticket.stamp for ticket in world.tickets.values()] == ["a#1", "#held#1"]
    world.fire("c")
    world.poll()
    assert world.rows["#held", 1].repeats == 2
    _, calls = step(Book(world.rows), Tick(world.now), world.settings)
    assert not any(isinstance(call, UpdateSummary) for call in calls)
    world.heal("b")
    world.react(Release("c", 1, world.now))
    world.poll()
    assert [ticket.status for ticket in world.tickets.values()] == ["open", "closed", "open"]


def test_after_a_restart_calls_in_progress_are_lost_and_waiting_ones_are_not() -> None:
    rows = [
        row("CREATING", ticket=None, sent=NOW),
        row("CLOSING", next_try=NOW + 60),
        row("WAITING", next_try=1),
    ]
    assert [(type(e).__name__, e.uid) for e in recovered(rows, NOW)] == [("Unknown", "a")]  # type: ignore[union-attr]
    noted = row(notes=(Note(1, "repeat"), Note(2, "repeat", next_try=NOW + 5)))
    assert recovered([noted], NOW) == [NoteFailed("a", 1, 1, "outage", NOW)]


@pytest.mark.parametrize("state", ["CLOSING", "REOPENING", "RESETTING"])
def test_a_call_whose_response_is_lost_twice_waits(state: Any) -> None:
    """Fails if the call is made again at once each time: a service that never responds gets no pause."""
    once, calls = after(row(state, sent=NOW), Unknown("a", 1, NOW))
    assert (len(calls), once.next_try) == (1, 0.0)
    twice, calls = after(replace(once, sent=NOW), Unknown("a", 1, NOW))
    assert (calls, twice.next_try, twice.state) == ([], NOW + backoff(2), state)


def test_two_alerts_of_one_ticket_do_not_close_it_twice() -> None:
    rows = [row("CLOSING"), Alert("b", 1, "CLOSING", start=NOW, ticket=5)]
    _, calls = step(Book({r.key: r for r in rows}), TicketRead(5, "open", NOW), AlertSettings())
    assert [type(call).__name__ for call in calls] == ["CloseTicket"]


def test_an_occurrence_that_began_while_a_closing_was_refused_takes_the_ticket() -> None:
    found, calls = after(row("CLOSING", again=NOW + 60), Failed("a", 1, "refused", NOW, "403"))
    assert (found.generation, found.state, found.ticket) == (2, "REOPENING", 5)
    assert [type(call).__name__ for call in calls] == ["ReadTicket"]


def test_only_lists_in_a_row_without_an_alert_end_it() -> None:
    once, _ = after(row(), Missing("a", NOW, 0))
    back, _ = after(once, started(via="list"))
    assert after(back, Missing("a", NOW, 1))[0].state == "OPEN"
    assert after(once, Missing("a", NOW, 1))[0].state == "CLOSING"


def test_a_start_within_five_seconds_is_the_same_one_and_the_earlier_counts() -> None:
    found, calls = after(row(start=NOW + 4), started())
    assert (found.generation, found.start, calls) == (1, NOW, [])


def test_a_ticket_that_people_have_worked_on_is_left_open() -> None:
    settings = AlertSettings(on_reset="close_untouched")
    ended, calls = after(row(), Ended("a", NOW + 60, NOW, 1), settings)
    assert [type(call).__name__ for call in calls] == ["ReadTicket"]
    touched, calls = after(ended, TicketRead(5, "open", NOW, is_touched=True), settings)
    assert (touched.state, touched.left_open) == ("CLOSED", True)
    assert [call.note.text for call in calls] == ["ended"]
    untouched, calls = after(ended, TicketRead(5, "open", NOW), settings)
    assert calls == [CloseTicket(untouched, 5)]
