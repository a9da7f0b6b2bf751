"""Each id and name in a mapping that does not exist: found by `check`, `plan`, `run` and `apply`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connector.common.clock import SystemClock
from connector.sync.sides import ActionTarget
from tests.sync.alert_pair import ALERTS
from tests.sync.pair import Pair
from tests.sync.parity.conftest import DEVICES

ROW = {"organization": 1, "client": 11}
UNSEEN = "does not exist in HaloPSA, or the agent that signs in cannot see it"


def alerts(**ticket: Any) -> dict[str, Any]:
    return {"alerts": {**ALERTS, "ticket": {**ALERTS["ticket"], **ticket}}}


def rule(**ticket: Any) -> dict[str, Any]:
    rules = [{"if": "{{ true }}", "ticket": "none"}, {"if": "{{ true }}", "ticket": ticket}]
    return {"alerts": {**ALERTS, "rules": rules}}


SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "top level": ({"clients": {"take": "all", "top_level": 9}}, f"top level 9 {UNSEEN}"),
    "default site": ({"devices": {**DEVICES, "default_site": 9}}, f"devices.default_site: site 9 {UNSEEN}"),
    "asset group": (
        {"devices": {**DEVICES, "create_types": True, "type_group": 9}},
        f"devices.type_group: asset group 9 {UNSEEN}",
    ),
    "asset type": (
        {"devices": {**DEVICES, "types": {"MAC": "Servr"}}},
        f'devices.types.MAC: asset type Servr {UNSEEN} (did you mean "Server"?)',
    ),
    "ticket type": (alerts(type=9999), f"alerts.ticket.type: ticket type 9999 {UNSEEN}"),
    "ticket type of a rule": (rule(type=99), f"alerts.rules.1.ticket.type: ticket type 99 {UNSEEN}"),
    "priority": (alerts(priority=99), f"alerts.ticket.priority: priority 99 {UNSEEN}"),
    "priority of a rule": (rule(priority=99), f"alerts.rules.1.ticket.priority: priority 99 {UNSEEN}"),
    "closed status": (
        {"alerts": {**ALERTS, "closed_status": "Clozed"}},
        f'alerts.closed_status: ticket status Clozed {UNSEEN} (did you mean "Closed"?)',
    ),
    "reopen status": (
        {"alerts": {**ALERTS, "reopen_status": 77}},
        f"alerts.reopen_status: ticket status 77 {UNSEEN}",
    ),
    "outcome": ({"alerts": {**ALERTS, "note_outcome": 99}}, f"alerts.note_outcome: outcome 99 {UNSEEN}"),
    "user": ({"alerts": {**ALERTS, "default_user": 9999}}, f"alerts.default_user: user 9999 {UNSEEN}"),
    "stamp": (
        {"alerts": {**ALERTS, "stamp": "CFNinjaAlrt"}},
        f'custom field CFNinjaAlrt of tickets {UNSEEN} (did you mean "CFNinjaAlert"?)',
    ),
    "stamp of assets": (
        {"alerts": {**ALERTS, "stamp": "CFAssetTag"}},
        f"alerts.stamp: custom field CFAssetTag of tickets {UNSEEN}",
    ),
    "stamp of another type": (
        {"alerts": {**ALERTS, "stamp": "CFAlertKind"}},
        "alerts.stamp: CFAlertKind is a field of the type choice: a stamp requires a text field",
    ),
    "activity type": (
        {"alerts": {**ALERTS, "activity_type_to": "CF_xyz_99"}},
        f"alerts.activity_type_to: custom field CF_xyz_99 of tickets {UNSEEN}",
    ),
}
"""The settings that name a record of HaloPSA, and the message about one that does not exist."""
ROWS: dict[str, tuple[dict[str, Any], str]] = {
    "client": ({**ROW, "client": 999}, f"client 999 {UNSEEN}"),
    "organization": ({**ROW, "organization": 999}, "organization 999 does not exist"),
    "site": ({**ROW, "locations": {"1": 999}}, f"site 999 {UNSEEN}"),
    "location": ({**ROW, "locations": {"999": 201}}, "location 999 does not exist"),
    "user of a row": ({**ROW, "default_user": 999}, f"user 999 {UNSEEN}"),
    "user of another client": (
        {**ROW, "default_user": 3004},
        "user 3004 belongs to client 12, not to client 11",
    ),
    "skipped organization": ({}, "organization 999 does not exist"),
}
"""The entries of `clients.map` and `clients.skip`."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with Pair(tmp_path_factory.mktemp("ids"), devices=4, assets=4, tickets=0) as made:
        yield made


def mapped(pair: Pair, kind: str) -> tuple[str, int]:
    """Write a mapping with a wrong id; return the message about it and its line."""
    if kind in SETTINGS:
        part, message = SETTINGS[kind]
        pair.map(**{"clients": {"take": "all"}, **part})
    else:
        row, message = ROWS[kind]
        pair.map(clients={"map": [row]} if row else {"skip": [999]})
    lines = (pair.folder / "mapping.yaml").read_text().splitlines()
    value = message.split(" of tickets")[0].split(" does not")[0].split(" is a")[0].split(" belongs")[0]
    (line,) = [n for n, text in enumerate(lines, 1) if value.split()[-1] in text]
    return message, line


@pytest.mark.parametrize("kind", [*SETTINGS, *ROWS])
def test_check_and_plan_find_it_with_file_and_line_before_any_write(shared: Pair, kind: str) -> None:
    message, line = mapped(shared, kind)
    place = f"{shared.folder / 'mapping.yaml'}, line {line}: "
    before = len(shared.halo.log.requests())
    checked = shared.sync("check")
    errors = [text for text in checked.out.splitlines() if text.startswith("error")]
    assert (checked.code, len(errors)) == (2, 1), checked
    assert place in errors[0]
    assert errors[0].endswith(message)
    planned = shared.sync("plan")
    assert (planned.code, planned.out, len(planned.err.splitlines())) == (2, "", 1)
    assert planned.err.startswith(f"ninjaone: {place}")
    assert planned.err.endswith(f"{message}\n")
    assert shared.writes(before) == []


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_run_does_not_begin_with_it(shared: Pair, kind: str) -> None:
    message, line = mapped(shared, kind)
    before = len(shared.halo.log.requests())
    done = shared.sync("run", *(["--only", "alerts"] if "alerts" in SETTINGS[kind][0] else []))
    assert (done.code, done.out) == (2, "")
    assert f"mapping.yaml, line {line}: " in done.err
    assert done.err.endswith(f"{message}\n")
    assert shared.writes(before) == []
    assert shared.sync("status", "--json", sends=False).json["last_run"]["outcome"] == "failed"


@pytest.mark.parametrize("command", ["apply", "serve"])
def test_nothing_else_begins_with_it(shared: Pair, command: str) -> None:
    message, line = mapped(shared, "stamp")
    done = shared.sync(command, *(["--port", "0"] if command == "serve" else []))
    assert (done.code, done.out) == (2, "")
    assert f"line {line}: alerts.stamp: {message}" in done.err
    assert "receiving on" not in done.err


def test_several_are_reported_at_once_in_the_order_of_lines(shared: Pair) -> None:
    shared.map(clients={"map": [{**ROW, "client": 999}]}, **alerts(type=99, priority=98))
    assert [text.split(", line ")[1].split(":")[0] for text in shared.sync("plan").err.splitlines()] == [
        "9",
        "15",
        "18",
    ]


@pytest.mark.parametrize("listed", [None, []])
def test_what_the_agent_may_not_read_is_not_checked(
    shared: Pair, monkeypatch: pytest.MonkeyPatch, listed: list[Any] | None
) -> None:
    """A warning of `check`; plans and runs go on. Some lists are empty without the permission."""
    monkeypatch.setattr(ActionTarget, "existing", lambda self, noun: listed)
    monkeypatch.setattr(ActionTarget, "ticket_fields", lambda self: listed)
    shared.map(clients={"take": "all"}, alerts=ALERTS)
    checked = shared.sync("check")
    assert checked.code == 0, checked
    assert "the agent has no permission to read the ticket types, so their ids are not checked" in checked.out
    assert "to read the custom fields of tickets, so their ids are not checked" in checked.out
    assert "every id that can be read exists" in checked.out
    assert shared.sync("plan").code == 0


def test_a_run_checks_a_mapping_when_it_changed_and_once_a_day(shared: Pair) -> None:
    def reads() -> int:
        before = len(shared.halo.log.requests())
        assert shared.sync("run").code == 0
        return sum(r["path"] == "/api/TicketType" for r in shared.halo.log.requests()[before:])

    shared.map(clients={"take": "all"}, alerts={**ALERTS, "wait_s": 7})
    assert [reads(), reads()] == [1, 0]
    now = SystemClock.now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "now", staticmethod(lambda: now() + 90_000))
        assert reads() == 1
    shared.map(clients={"take": "all"}, alerts={**ALERTS, "wait_s": 8})
    assert reads() == 1


def test_a_pin_to_something_that_does_not_exist_is_a_warning(shared: Pair) -> None:
    shared.map(clients={"take": "all"})
    (shared.folder / "pins.yaml").write_text("organizations:\n  1: 11\n  2: 999\nlocations:\n  999: 201\n")
    try:
        checked = shared.sync("check")
    finally:
        (shared.folder / "pins.yaml").unlink()
    warnings = [text for text in checked.out.splitlines() if text.startswith("warning")]
    assert checked.code == 0
    assert [text.partition("pins.yaml, ")[2] for text in warnings] == [
        "line 3: client 999 does not exist, or cannot be seen",
        "line 5: location 999 does not exist, or cannot be seen",
    ]
