"""What `sync run`, `apply` and `status` say about alerts that wait and records that are not written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.sync.folder import open_folder
from connector.sync.state import State
from tests.sync.alert_pair import ALERTS
from tests.sync.pair import Done, Pair
from tests.sync.parity.conftest import DEVICES


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path, tickets=0) as made:
        made.ninja.state.alerts.clear()
        made.map(clients={"take": "all"}, devices=DEVICES, alerts=ALERTS)
        made.run()
        yield made


def fire(pair: Pair, *devices: int) -> list[str]:
    return [pair.ninja.alerts.trigger(device, subject=f"alert {device}")["uid"] for device in devices]


def outcome(pair: Pair) -> str:
    return str(pair.sync("status", "--json", sends=False).json["last_run"]["outcome"])


def tickets(pair: Pair) -> int:
    return len(pair.halo.state.tickets)


def test_a_stamp_that_cannot_be_read_back_blocks_tickets_until_a_retry(pair: Pair) -> None:
    """Fails if the run says "ok", if it ends with 0, or if each run creates another ticket."""
    message = "no tickets are created: ticket 2001 was read back without the stamp written to its CFNinja"
    pair.halo.set_trap("stamps", "ignored")
    fire(pair, 1, 2, 3)
    for _ in range(3):
        done = pair.sync("run")
        assert done.code == 1
        assert done.out.startswith(f"run {outcome_of(done)} ended with problems: ")
        assert "alert     2 alerts creating, again at " in done.out
        assert message in done.out
        assert tickets(pair) == 1
    assert outcome(pair) == "problems"
    assert message in pair.sync("status", sends=False).out
    assert pair.sync("run", "--json").json["alert_problems"][0]["state"] == "CREATING"
    planned = pair.plan("--only", "alerts")
    assert [message in item["reason"] for item in planned.values()] == [True, True]
    assert [item["op"] for item in planned.values()] == ["conflict", "conflict"]
    pair.halo.set_trap("stamps", "writable")
    assert pair.sync("run", "--retry").code == 0
    assert (tickets(pair), outcome(pair)) == (3, "ok")


def outcome_of(done: Done) -> str:
    """Return the number of a run."""
    return done.out.split()[1]


def test_alerts_that_a_limit_holds_stop_with_code_3(pair: Pair) -> None:
    pair.map(clients={"take": "all"}, alerts=ALERTS, limits={"tickets_per_hour": 1})
    uids = fire(pair, 1, 2, 3)
    done = pair.sync("run", "--only", "alerts")
    assert (done.code, outcome(pair)) == (3, "limits")
    assert (
        f"stopped   tickets: 2 alerts held by a limit: sync run {pair.folder} --release creates" in done.out
    )
    items = {uid: ("--item", f"alert:{uid}") for uid in uids}
    codes = {uid: pair.sync("apply", *item).code for uid, item in items.items()}
    assert sorted(codes.values()) == [0, 3, 3]
    held = [uid for uid, code in codes.items() if code == 3]
    assert pair.sync("run", *items[held[0]], "--release").code == 0
    assert "1 held" in pair.sync("status", sends=False).out
    assert pair.sync("run", "--only", "alerts", "--release").code == 0


def test_an_alert_that_waits_for_another_attempt_is_a_problem_of_runs_with_alerts(pair: Pair) -> None:
    """Fails if a run says "ok" although a ticket is not closed, or if an apply fails for another alert."""
    ended, active = fire(pair, 1, 2)
    pair.run("--only", "alerts")
    pair.halo.set_trap("closing", "refused")
    pair.ninja.alerts.reset(ended)
    for code in (0, 1, 1):
        done = pair.sync("run", "--only", "alerts")
        assert (done.code, outcome(pair)) == (code, "problems" if code else "ok")
    assert f"alert     {ended} closing, again at " in done.out
    for choice in (
        ("--only", "clients,sites,devices"),
        ("--item", f"alert:{active}"),
    ):
        done = pair.sync("run", *choice)
        assert (done.code, outcome(pair), "closing, again" in done.out) == (0, "ok", False)
    assert pair.sync("apply", "--item", f"alert:{ended}").code == 1
    pair.halo.set_trap("closing", "accepted")
    assert pair.sync("run", "--item", f"alert:{active}", "--retry").code == 0
    assert "1 closing" in pair.sync("status", sends=False).out
    assert pair.sync("run", "--retry").code == 0
    assert "1 closing" not in pair.sync("status", sends=False).out


def test_a_chosen_record_that_is_not_written_has_a_reason(pair: Pair) -> None:
    pair.map(clients={"take": "all", "skip": [2]}, devices={**DEVICES, "take": "{{ device.id != 3 }}"})
    keys = ("device:3", "device:99", "device:1", "organization:2", "organization:1", "alert:no-such-uid")
    done = pair.sync("apply", "--item", *keys)
    assert done.code == 1  # one of them does not exist
    assert pair.sync("apply", "--item", "device:3", "device:1").code == 0
    lines = done.out.splitlines()
    assert 'skipped   device 3 "LAP-0003": devices.take is false' in lines
    assert "skipped   device 99: it is not in the plan" in lines
    assert "skipped   device 1: up to date: there is nothing to write" in lines
    assert "skipped   organization 1: up to date: there is nothing to write" in lines
    assert any(
        line.startswith("skipped   organization 2 ") and line.endswith("listed in clients.skip")
        for line in lines
    )
    found = pair.sync("apply", "--item", *keys[:-1], "--json").json["not_written"]
    assert {(row["entity"], row["source"]) for row in found} >= {("asset", 3), ("asset", "99")}
    pair.map(clients={"take": "all"}, alerts=ALERTS)
    assert (
        "skipped   alert no-such-uid: no such alert" in pair.sync("apply", "--item", "alert:no-such-uid").out
    )


def test_a_saved_plan_says_why_a_chosen_record_is_not_written(pair: Pair) -> None:
    pair.map(clients={"take": "all"}, devices={**DEVICES, "take": "{{ device.id != 3 }}"})
    assert pair.sync("plan").code == 0
    (plan,) = (pair.folder / "plans").iterdir()
    done = pair.sync("apply", "--plan", plan, "--item", "device:3", "device:99")
    assert done.code == 1
    assert 'skipped   device 3 "LAP-0003": devices.take is false' in done.out
    assert "skipped   device 99: it is not in the plan" in done.out
    done = pair.sync("apply", "--plan", plan, "--item", "device:1", "organization:1", "location:1")
    assert done.code == 0
    for record in ("device 1", "organization 1", "location 1"):
        assert f"skipped   {record}: up to date: there is nothing to write" in done.out


def test_a_plan_that_leaves_out_a_shorter_list_is_applied_without_it(pair: Pair) -> None:
    """Fails if an apply ends with "ok" although no devices were planned, or names them up to date."""
    state = State(pair.folder, write=True, now=1.0)
    with state:
        run = state.begin_run("run", 1.0)
        state.end_run(run, 1.0, "ok", {**state.last_counts(), "devices": 1000})
    assert pair.sync("plan").code == 0
    (plan,) = (pair.folder / "plans").iterdir()
    for choice in ((), ("--item", "device:1")):
        done = pair.sync("apply", "--plan", plan, *choice)
        assert (done.code, outcome(pair)) == (3, "limits")
        assert "devices, but 1,000 last time" in done.out
        assert "up to date" not in done.out
    for command in (("apply", "--plan", plan, "--item", "organization:1"), ("run", "--only", "clients")):
        assert pair.sync(*command).code == 0, command


def test_a_run_with_conflicts_says_where_they_are_listed(pair: Pair) -> None:
    (pair.folder / "pins.yaml").write_text("organizations:\n  1: 999\n")
    done = pair.sync("run")
    assert done.code == 1
    assert f"conflict  1 record: sync plan {pair.folder} shows how to resolve" in done.out
    assert f"reasons   of 6 skipped: sync status {pair.folder} --unmatched" in done.out
    assert f"→ sync unpin {pair.folder} organization 1" in pair.sync("plan").out


def test_a_run_that_a_limit_stops_is_no_full_read(pair: Pair) -> None:
    """Fails if the assets that were left out wait until the next day's full read."""
    (pair.folder / "state.db").unlink()
    pair.map(clients={"take": "all"}, devices={**DEVICES, "create_types": True, "type_group": 3})
    for asset in list(pair.halo.state.assets.ids()):
        pair.halo.state.assets.remove(asset)
    pair.map(clients={"take": "all"}, devices=DEVICES, limits={"creates": 9})
    assert pair.sync("run").code == 3
    assert pair.sync("status", "--json", sends=False).json["last_full_read"] is None
    assert pair.sync("run", "--beyond-limits").code == 0
    assert pair.sync("status", "--json", sends=False).json["last_full_read"]


def test_what_a_plan_has_no_match_for_is_listed_before_the_first_run(pair: Pair) -> None:
    """Fails if `status --unmatched`, which a plan recommends, knows only runs."""
    (pair.folder / "state.db").unlink()
    (pair.folder / "pins.yaml").write_text("organizations:\n  1: 999\n")
    pair.map(clients={"take": "all", "skip": [2]}, devices=DEVICES)
    assert pair.sync("plan").code == 0
    text = pair.sync("status", "--unmatched", sends=False).out
    assert "skip      organization 2: the organization is listed in clients.skip" in text
    assert "conflict  organization 1: client 999 in the pin does not exist, or the agent" in text
    assert f"→ sync unpin {pair.folder} organization 1" in text
    mapping = (pair.folder / "mapping.yaml").read_text()
    pair.map(clients={"take": "all"}, alerts={**ALERTS, "stamp": "CFNo"})
    assert pair.sync("run").code == 2  # before its first record
    (pair.folder / "mapping.yaml").write_text(mapping)
    assert (
        pair.sync("status", "--unmatched", sends=False).out.partition("skip")[2] == text.partition("skip")[2]
    )
    (pair.folder / "pins.yaml").unlink()
    pair.map(clients={"take": "all"}, devices=DEVICES)
    pair.run()
    assert pair.sync("status", "--json", "--unmatched", sends=False).json["unmatched"] == []


def test_status_says_why_the_last_attempt_failed_until_a_run_is_made(pair: Pair) -> None:
    """Fails if a service that has not responded all night shows as the last run, which was ok."""

    def failed() -> str:
        lines = pair.sync("status", sends=False).out.splitlines()
        return next((line for line in lines if line.startswith("failed")), "")

    assert failed() == ""
    pair.halo.set_trap("html", "page")
    assert pair.sync("run").code == 3
    assert "HaloPSA: GET /api/Control: the API answered 200: sent an HTML page" in failed()
    pair.halo.set_trap("html", "no")
    pair.map(clients={"take": "all"}, alerts={**ALERTS, "stamp": "CFNo"})
    assert pair.sync("run").code == 2
    assert "alerts.stamp: custom field CFNo of tickets does not exist" in failed()
    pair.map(clients={"take": "all"}, alerts=ALERTS)
    source, target = pair.sides()
    with open_folder(pair.folder).write_state(source, target, 1_800_000_000.0):
        assert failed()
    pair.run()
    assert failed() == ""
    assert pair.sync("status", "--json", sends=False).json["last_error"] is None
