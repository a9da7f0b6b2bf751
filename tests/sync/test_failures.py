"""The messages and exit codes of failures, by the command line against both sandboxes (SYNC §12)."""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.cli.main import main
from connector.common.clock import SystemClock
from connector.errors import RunInterruptedError
from connector.sync.folder import open_folder
from connector.sync.interleaved import Interleaved
from connector.sync.records import ListError
from connector.sync.run import Choice, Syncer
from connector.sync.sides import ActionTarget
from connector.sync.state import State
from tests.sync.alert_pair import ALERTS
from tests.sync.pair import Pair
from tests.sync.parity.conftest import DEVICES, SERIAL

MAP = {"clients": {"take": "all"}, "devices": DEVICES}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path, tickets=0) as made:
        made.map(**MAP)
        yield made


def fails(pair: Pair, code: int, message: str, command: str, *arguments: object) -> None:
    """Run a command that must fail without a write, with this code and message."""
    before = len(pair.halo.log.requests())
    done = pair.sync(command, *arguments)
    assert (done.code, message in done.out + done.err) == (code, True), done
    assert pair.writes(before) == []
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["check", "plan", "run", "apply"])
@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"devicez": {}}, 'mapping.yaml, line 5: devicez: unknown key "devicez"'),
        ({"devices": {**DEVICES, "type": "{{ device. }}"}}, "devices.type: template, line 1: "),
        ({"devices": {**DEVICES, "fields": {"117": SERIAL, "999": "x"}}}, "the field 999 does not exist"),
        ({"devices": {**DEVICES, "fields": {"117": SERIAL, "CFNo": "x"}}}, "the field CFNo does not exist"),
        ({"devices": {**DEVICES, "match": {"field": 51}}}, "the field 51 is not in devices.fields"),
        ({"limits": {"creates": -1}}, "line 6: limits.creates: "),
    ],
)
def test_a_wrong_mapping(pair: Pair, command: str, part: dict[str, Any], message: str) -> None:
    pair.map(**part)
    fails(pair, 2, message, command)
    assert not (pair.folder / "plans").exists()


def test_a_stop_while_a_plan_is_made_ends_it_before_the_next_request(pair: Pair) -> None:
    """Fails if thousands of assets are read after a signal, until the service manager kills the process."""
    source, target = pair.sides()
    stop, sent = threading.Event(), 0

    def between() -> None:
        nonlocal sent
        records.append(1)
        if len(records) == 20:
            stop.set()
            sent = source.calls.requests + target.calls.requests

    records: list[int] = []
    sides: list[Any] = [Interleaved(side, between) for side in (source, target)]
    with open_folder(pair.folder).write_state(source, target, 1.0) as state:
        syncer = Syncer(open_folder(pair.folder), *sides, state, SystemClock(stop), stop)
        with pytest.raises(RunInterruptedError):
            syncer.run(Choice(), full=True, believe=False)
        assert 0 < sent <= source.calls.requests + target.calls.requests <= sent + 1
        assert state.runs()[0]["outcome"] == "stopped"


@pytest.mark.parametrize("delay", ["nan", "inf", "-1", "x"])
def test_an_interval_that_is_no_time_is_refused(tmp_path: Path, delay: str) -> None:
    """Fails if a run waits forever, or sends requests without an interval."""
    with pytest.raises(SystemExit), contextlib.redirect_stderr(io.StringIO()) as said:
        main(["sync", "run", str(tmp_path), "--delay-ms", delay])
    assert f'"{delay}" is not a non-negative number of milliseconds' in said.getvalue()


def test_a_run_that_fails_has_an_end(pair: Pair) -> None:
    """Fails if such a run stays unfinished: pages then call it interrupted."""
    pair.map(devices={**DEVICES, "fields": {"117": SERIAL, "999": "x"}})
    assert pair.sync("run").code == 2
    last = pair.sync("status", "--json", sends=False).json["last_run"]
    assert last["outcome"] == "failed"
    assert last["ended"] is not None
    pair.map(**MAP)
    pair.run()


@pytest.mark.parametrize("command", ["check", "plan", "run"])
def test_a_doubled_key(pair: Pair, command: str) -> None:
    pair.map_text("clients: {take: all}\ndevices:\n  fields:\n    117: a\n    117: b\n")
    fails(pair, 2, 'mapping.yaml, line 8: the key "117" is repeated', command)


@pytest.mark.parametrize("command", ["check", "plan"])
def test_an_id_that_does_not_exist(pair: Pair, command: str) -> None:
    pair.map_text("clients:\n  map:\n    - {organization: 1, client: 17}\n")
    message = (
        "mapping.yaml, line 6: client 17 does not exist in HaloPSA, or the agent that signs in cannot see it"
    )
    fails(pair, 2, message, command)


def test_a_value_that_its_field_cannot_hold_is_found_by_check_and_plan(pair: Pair) -> None:
    pair.map(**{**MAP, "devices": {**DEVICES, "fields": {"117": SERIAL, "53": "{{ device.systemName }}"}}})
    assert "field 53: the values of 10 of 10 devices cannot be written" in pair.sync("check").out
    assert "error     field 53: 10 devices" in pair.sync("plan").out
    done = pair.run()
    assert 'note      device 1 "' in done.out
    assert "field 53: " in done.out
    assert "assets   10 done" in done.out  # all else is written


@pytest.mark.parametrize("command", ["run", "apply"])
def test_too_many_creations(tmp_path: Path, command: str) -> None:
    with Pair(tmp_path, assets=0) as pair:
        pair.map(**MAP, limits={"creates": 9})
        pair.halo.log.requests()
        done = pair.sync(command, "--only", "devices")
        assert done.code == 3
        message = "10 assets would be created; the limit is 9: use --beyond-limits, or raise the limit"
        assert f"stopped   assets: {message}" in done.out
        assert [*pair.halo.state.assets.ids()] == []


def test_a_list_that_became_much_shorter(tmp_path: Path) -> None:
    with Pair(tmp_path, devices=24) as pair:
        pair.map(**MAP, alerts=ALERTS)
        pair.run()
        before = len(pair.sync("status", "--json", "--links", sends=False).json["links"]) - 12
        for device in range(1, before + 1):
            pair.ninja.state.fleet.remove(device)
        message = f"NinjaOne lists 0 devices, but {before} last time: nothing was planned; use --full"
        fails(pair, 3, message, "run", "--only", "devices")
        assert message in pair.sync("plan").out
        assert pair.sync("run", "--full").code == 0


def test_throttling_says_how_long_it_waits(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    waited = 0.0

    def sleep(self: SystemClock, seconds: float) -> None:
        nonlocal waited
        if seconds > 1:
            waited += seconds
            pair.halo.set_trap("rate_limit", "none")

    for name in ("now", "monotonic"):
        real = getattr(SystemClock, name)
        monkeypatch.setattr(SystemClock, name, staticmethod(lambda real=real: real() + waited))
    monkeypatch.setattr(SystemClock, "sleep", sleep)
    pair.halo.set_trap("rate_limit", "5/5")
    done = pair.run()
    assert 290 < waited < 400
    assert "HaloPSA reports too many requests: continuing at " in done.err
    assert ", in 300 s" in done.err


@pytest.mark.parametrize("command", ["run", "apply"])
def test_two_at_once(pair: Pair, command: str) -> None:
    source, target = pair.sides()
    with open_folder(pair.folder).write_state(source, target, 1_800_000_000.0):
        fails(pair, 2, "another sync (process ", command)


def test_an_agent_that_does_not_see_all_fields(pair: Pair) -> None:
    pair.map(**{**MAP, "devices": {**DEVICES, "fields": {"117": SERIAL, "44": "x"}}})
    pair.halo.set_trap("agent_sees", "some_fields")
    message = "fields, of which the agent can read"
    assert "asset type Server: the agent cannot read the fields 52" in pair.sync("check").out
    before = {id: pair.asset(id)[44] for id in pair.halo.state.assets.ids()}
    done = pair.run()
    assert 'note      device 1 "SRV-0001": asset 5001: its type has' in done.out
    assert message in done.out
    assert {id: pair.asset(id)[44] for id in pair.halo.state.assets.ids()} == before
    pair.run()
    assert message in pair.sync("status", "--unmatched", sends=False).out


def test_a_refused_note_says_why(pair: Pair) -> None:
    pair.map(clients={"take": "all"}, alerts={**ALERTS, "note_outcome": 7, "default_user": 3002})
    pair.run()
    uid = pair.ninja.alerts.trigger(1, subject="disk")["uid"]
    pair.run()
    pair.halo.set_trap("notes", "forbidden")
    pair.map(clients={"take": "all"}, alerts={**ALERTS, "note_outcome": 7, "on_reset": "note"})
    pair.ninja.alerts.reset(uid)
    pair.sync("run")
    done = pair.sync("run")
    assert "HaloPSA refuses the outcome 7 to this agent" in done.err
    assert [t["summary"] for t in pair.halo.state.tickets.values()][-1] == "Note on ticket 2001"


def test_registering_webhooks_asks(pair: Pair) -> None:
    pair.map(clients={"take": "all"}, alerts=ALERTS)
    words = ("register", pair.folder, "--url", "https://hooks.example.com")
    done = pair.sync_words("webhook", *words)
    assert done.code == 2
    assert "NinjaOne has" in done.out
    assert "confirmation requires a terminal; use --yes" in done.err


@pytest.mark.parametrize("command", ["plan", "run", "rebuild"])
def test_the_state_of_another_tenant(pair: Pair, command: str) -> None:
    pair.run()
    halo = json.loads((pair.folder / "halo.yaml").read_text())
    halo["base_url"] = halo["base_url"].replace("127.0.0.1", "localhost")
    (pair.folder / "halo.yaml").write_text(json.dumps(halo))
    fails(pair, 2, "state.db belongs to the tenant 127.0.0.1:", command)


@pytest.mark.parametrize("command", ["plan", "run", "status"])
def test_the_state_of_a_newer_version(pair: Pair, command: str) -> None:
    pair.run()
    with sqlite3.connect(pair.folder / "state.db") as db:
        db.execute("PRAGMA user_version=9")
    db.close()
    done = pair.sync(command, sends=command != "status")
    assert done.code == 2
    assert "was written by a newer version (format 9" in done.err


def test_a_list_that_broke_off(pair: Pair) -> None:
    pair.run()
    status = pair.sync("status", "--json", sends=False).json
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ActionTarget, "clients", broken_off)
        fails(pair, 1, "HaloPSA: the list broke off: nothing was planned", "run")
    found = pair.sync("status", "--json", sends=False).json
    assert (found["missing"], found["last_full_read"]) == (0, status["last_full_read"])
    assert found["last_run"]["outcome"] == "failed"
    pair.run()


def broken_off(self: ActionTarget) -> Any:
    raise ListError("HaloPSA: the list broke off")


def test_alerts_go_on_while_a_list_of_records_breaks_off(pair: Pair) -> None:
    """Fails if a run ends at the list."""
    pair.map(clients={"take": "all"}, alerts=ALERTS)
    pair.run()
    pair.ninja.alerts.trigger(1, subject="disk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ActionTarget, "clients", broken_off)
        done = pair.sync("run")
    assert (done.code, "1 open" in done.out) == (1, True), done
    assert [ticket["summary"] for ticket in pair.halo.state.tickets.values()] == ["disk"]


def test_a_service_that_fails_ends_the_run(pair: Pair) -> None:
    pair.run()
    pair.halo.set_trap("html", "page")
    fails(pair, 3, "HaloPSA: ", "run")
    pair.halo.set_trap("html", "no")
    pair.run()


def test_a_full_disk(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    run = State._run

    def full(self: State, statement: str, values: Any = ()) -> Any:
        if statement.startswith("UPDATE outbox SET outcome"):
            monkeypatch.undo()
            self._db.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")
        return run(self, statement, values)

    pair.map(
        clients={"take": "all", "create": True}, devices={**DEVICES, "create_types": True, "type_group": 3}
    )
    pair.halo.state.assets.remove(5001)
    monkeypatch.setattr(State, "_run", full)
    done = pair.sync("run")
    monkeypatch.undo()
    assert done.code != 0
    pair.sync("run")
    stamps = [pair.asset(id)["ninjarmm_id"] for id in pair.halo.state.assets.ids()]
    assert stamps.count(1) == 1


def test_a_clock_that_goes_back_an_hour(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.run()
    now = SystemClock.now
    monkeypatch.setattr(SystemClock, "now", staticmethod(lambda: now() - 3600))
    before = len(pair.halo.log.requests())
    pair.run()
    assert [r for r in pair.writes(before) if r["path"] != "/auth/token"] == []
