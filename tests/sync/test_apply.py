"""Applying plans over HTTP: lost responses, kills, refusals, limits, changed values, two runs at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from connector.common.clock import SystemClock
from connector.sync.apply import Applied, Applier
from connector.sync.folder import open_folder
from connector.sync.plan_items import Item
from connector.sync.run import Choice, Syncer
from connector.sync.schedule import is_full_due, parse_interval, parse_time_of_day
from connector.sync.sides import ActionTarget
from connector.sync.state import State
from tests.fakes import FakeClock
from tests.sync.pair import Pair

CREATING: dict[str, Any] = {
    "clients": {"take": "all", "create": True},
    "devices": {
        "create_types": True,
        "type_group": 3,
        "match": {"field": 117},
        "fields": {"117": "{{ device.system.serialNumber }}", "Rack no": "{{ device.id }}"},
        "create_fields": {"Rack no": "text"},
    },
}
LINKING: dict[str, Any] = {"clients": {"take": "all"}, "devices": {**CREATING["devices"]}}


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path, assets=0, clients=0, tickets=0) as made:
        made.map(**CREATING)
        yield made


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path) as made:
        made.map(**LINKING)
        yield made


def _everything(pair: Pair) -> dict[str, list[Any]]:
    """What HaloPSA has, by name; whatever was created twice is in it twice."""
    state = pair.halo.state
    return {
        "clients": sorted(client["name"] for client in state.clients.values()),
        "sites": sorted((site["client_id"], site["name"]) for site in state.sites.values()),
        "types": sorted(kind["name"] for kind in state.asset_types.values()),
        "fields": sorted(field["name"] for field in state.fields.values()),
        "assets": sorted(state.assets.values(id)["ninjarmm_id"] for id in state.assets.ids()),
    }


def _is_complete(pair: Pair) -> bool:
    found = _everything(pair)
    organizations, locations = pair.ninja.state.organizations, pair.ninja.state.locations
    return (
        found["assets"] == list(range(1, 11))
        and found["clients"] == sorted(o["name"] for o in organizations.values())
        and len(found["sites"]) == len(set(found["sites"])) == len(locations)
        and found["fields"].count("Rack no") == 1
        and len(found["types"]) == len(set(found["types"]))
    )


def test_what_was_created_is_found_if_every_response_is_lost(empty: Pair) -> None:
    """Fails without the look-up in `Creations._send`."""
    empty.halo.set_trap("answers", "reset")
    empty.sync("run")
    empty.halo.set_trap("answers", "sent")
    empty.run()
    empty.run("--full")
    assert _is_complete(empty), _everything(empty)


class _Killed(BaseException):
    pass


@pytest.mark.parametrize(
    "points", [(2, 14, 33), pytest.param((1, 5, 9, 20, 26, 40), marks=pytest.mark.slow)], ids=["some", "more"]
)
def test_a_kill_at_any_commit_makes_nothing_twice(
    empty: Pair, monkeypatch: pytest.MonkeyPatch, points: tuple[int, ...]
) -> None:
    """Fails without the outbox: what was sent before the kill is then not found, or created again."""
    commits = 0
    run, kill_at = State._run, 0

    def counted(self: State, statement: str, values: Any = ()) -> Any:
        nonlocal commits
        if statement.startswith(("UPDATE outbox SET outcome", "INSERT OR REPLACE INTO links")):
            commits += 1
            if commits == kill_at:
                raise _Killed
        return run(self, statement, values)

    monkeypatch.setattr(State, "_run", counted)
    for kill_at in points:
        empty.halo.reset()
        for file in empty.folder.glob("state.db*"):
            file.unlink()
        commits = 0
        folder = open_folder(empty.folder)
        source, target = empty.sides()

        def once(folder: Any = folder, source: Any = source, target: Any = target) -> int:
            clock = SystemClock()
            with folder.write_state(source, target, clock.now()) as state:
                syncer = Syncer(folder, source, target, state, clock, threading.Event())
                return syncer.run(Choice(), full=False, believe=False).recovered

        with pytest.raises(_Killed):
            once()
        # The ninth is the link of a site that HaloPSA created with its client: no request of ours was open.
        assert once() == (0 if kill_at == 9 else 1)
        assert _is_complete(empty), (kill_at, _everything(empty))


def test_a_creation_that_is_not_found_waits_before_it_is_sent_again(empty: Pair) -> None:
    """Fails without `LOOK_UP_S`."""
    clock = FakeClock()
    folder = open_folder(empty.folder)
    source, target = empty.sides()
    saves = 0
    save = target.save

    def lost(entity: str, id: int | None, values: Any, current: Any = None) -> int:
        nonlocal saves
        if entity == "client" and saves == 0:
            saves += 1
            empty.halo.set_trap("html", "page")  # neither the creation nor its look-up gets a response
        return save(entity, id, values, current)

    target.save = lost  # type: ignore[method-assign]
    with folder.write_state(source, target, clock.now()) as state:
        syncer = Syncer(folder, source, target, state, clock, threading.Event())
        run = syncer.run(Choice(frozenset(["client"])), full=False, believe=False)
        assert run.exit_code == 1
        empty.halo.set_trap("html", "no")
        run = syncer.run(Choice(frozenset(["client"])), full=False, believe=False)
        unknown = run.applied.count("unknown")
        clock.sleep(601)
        run = syncer.run(Choice(frozenset(["client"])), full=False, believe=False)
        assert run.exit_code == 0, run.as_json()
    assert unknown == 4
    names = _everything(empty)["clients"]
    assert len(names) == len(set(names)) == len(empty.ninja.state.organizations)


def test_children_of_what_was_refused_are_skipped_with_that_reason(
    empty: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails without `Resolver.failed`."""
    monkeypatch.setattr(ActionTarget, "existing", lambda self, noun: None)  # it may not list top levels
    empty.map(**{**CREATING, "clients": {"take": "all", "create": True, "top_level": 99}})
    done = empty.sync("run", "--json")
    assert done.code == 1
    assert done.json["outcomes"]["client"] == {"failed": len(empty.ninja.state.organizations)}
    assert set(done.json["outcomes"]["asset"]) == {"parent"}
    reasons = {row["reason"] for row in done.json["problems"] if row["entity"] == "asset"}
    assert all("organization" in reason and "top level does not exist" in reason for reason in reasons)
    assert empty.halo.state.clients == {}


def test_a_second_run_is_told_who_runs(pair: Pair) -> None:
    pair.run()
    source, target = pair.sides()
    with open_folder(pair.folder).write_state(source, target, 1_800_000_000.0):
        done = pair.sync("run")
        assert done.code == 2
        assert "another sync (process" in done.err
        assert pair.sync("status", sends=False).code == 0
        assert pair.sync("plan").code == 0


def test_a_value_that_was_changed_since_the_plan_is_left_alone(pair: Pair) -> None:
    """Fails without the comparison with `change.old`."""
    pair.halo.agent.asset(5001, fields={117: "EX0000001", 44: "old"})
    devices = {**LINKING["devices"], "fields": {**LINKING["devices"]["fields"], "44": "16 GB"}}
    pair.map(clients={"take": "all"}, devices=devices)
    pair.sync("plan")
    (file,) = (pair.folder / "plans").glob("*.json")
    pair.halo.agent.asset(5001, fields={44: "by hand"})
    done = pair.sync("apply", "--plan", file)
    assert done.code == 1
    assert 'field 44 was "old" in the plan and "by hand" now' in done.out
    assert pair.asset(5001)[44] == "by hand"
    assert pair.asset(5001)["ninjarmm_id"] == 0
    assert pair.asset(5002)["ninjarmm_id"] == 2
    done = pair.sync("apply")
    assert pair.asset(5001)[44] == "16 GB"


def test_a_plan_is_for_its_mapping_and_its_account(pair: Pair) -> None:
    pair.sync("plan")
    (file,) = (pair.folder / "plans").glob("*.json")
    pair.map(clients={"take": "mapped"})
    done = pair.sync("apply", "--plan", file)
    assert done.code == 2
    assert "the mapping was changed since the plan was made" in done.err
    assert pair.sync("apply", "--plan", pair.folder / "mapping.yaml").code == 2


def test_limits_stop_before_the_first_write(empty: Pair) -> None:
    """Fails without `limits` in `Syncer`."""
    empty.map(**CREATING, limits={"creates": 9})
    plan = empty.sync("plan")
    assert "10 assets would be created; the limit is 9: use --beyond-limits" in plan.out
    (file,) = (empty.folder / "plans").glob("*.json")
    done = empty.sync("apply", "--plan", file)
    assert done.code == 3
    assert _everything(empty)["clients"] == []
    done = empty.sync("run")
    assert done.code == 3
    assert _everything(empty)["assets"] == []
    assert _everything(empty)["clients"] != []
    empty.run("--beyond-limits")
    assert _is_complete(empty)


def test_a_run_that_is_stopped_finishes_the_record_in_progress_and_goes_on(empty: Pair) -> None:
    folder = open_folder(empty.folder)
    source, target = empty.sides()
    stop, clock = threading.Event(), SystemClock()

    def between(applied: Applied) -> None:
        if applied.done == 5:
            stop.set()

    with folder.write_state(source, target, clock.now()) as state:
        syncer = Syncer(folder, source, target, state, clock, stop, between)
        run = syncer.run(Choice(), full=False, believe=False)
        assert (run.applied.done, run.applied.total > 20, run.exit_code) == (5, True, 3)
    empty.run()
    assert _is_complete(empty)


def test_a_list_that_breaks_off_plans_nothing(pair: Pair) -> None:
    pair.run()
    pair.halo.set_trap("html", "page")
    before = len(pair.halo.log.requests())
    done = pair.sync("run")
    assert done.code == 3
    assert pair.writes(before) == []
    pair.halo.set_trap("html", "no")
    links = pair.sync("status", "--json", sends=False).json
    assert links["missing"] == 0


def test_a_read_only_connection_plans_and_writes_nothing(pair: Pair) -> None:
    connection = json.loads((pair.folder / "halo.yaml").read_text())
    (pair.folder / "halo.yaml").write_text(json.dumps({**connection, "read_only": True}))
    assert pair.sync("plan").code == 0
    done = pair.sync("run")
    assert done.code == 2
    assert "read-only" in done.err


@pytest.mark.parametrize("command", ["run", "apply", "serve"])
def test_writing_beside_the_own_integration_must_be_requested(pair: Pair, command: str) -> None:
    pair.map(clients={"take": "all"}, alerts={"ticket": {"type": 25, "summary": "x"}})
    pair.halo.set_trap("integration", "on")
    before = len(pair.halo.log.requests())
    done = pair.sync(command)
    assert (done.code, pair.writes(before)) == (2, [])
    message = "HaloPSA's own NinjaOne integrator imports devices: turn it off, or use --beside-halo"
    assert message in done.err


def test_a_plan_names_the_other_integration_and_is_applied_beside_it(pair: Pair) -> None:
    pair.halo.set_trap("integration", "on")
    done = pair.sync("plan")
    assert "imports devices: turn it off, or apply with --beside-halo" in done.err
    file = done.out.rsplit(". ", 1)[1].strip()
    assert json.loads(Path(file).read_text())["writers"] == [
        "HaloPSA's own NinjaOne integrator imports devices"
    ]
    assert pair.sync("apply", "--plan", file).code == 2
    assert pair.sync("apply", "--plan", file, "--beside-halo").code == 0
    assert pair.sync("run", "--beside-halo").code == 0


def test_plan_ends_with_10_if_something_is_to_be_done(pair: Pair) -> None:
    assert pair.sync("plan", "--exit-code").code == 10
    pair.run()
    assert pair.sync("plan", "--exit-code").code == 0


def test_rebuild_proposes_the_links_of_a_lost_state(pair: Pair) -> None:
    pair.run()
    refused = pair.sync("rebuild")
    assert refused.code == 2
    assert "so it is not lost" in refused.err
    links = pair.sync("status", "--json", "--links", sends=False).json["links"]
    for file in pair.folder.glob("state.db*"):
        file.unlink()
    done = pair.sync("rebuild")
    assert done.code == 0, done
    file = done.out.split("--plan ")[1].strip()
    before = len(pair.halo.log.requests())
    assert pair.sync("apply", "--plan", file).code == 0
    assert pair.writes(before) == []
    found = pair.sync("status", "--json", "--links", sends=False).json["links"]
    assert [(x["entity"], x["source"], x["target"]) for x in found] == [
        (x["entity"], x["source"], x["target"]) for x in links
    ]


def test_intervals_and_times_of_day() -> None:
    assert [parse_interval(text) for text in ("30s", "10m", "2h")] == [30, 600, 7200]
    assert parse_time_of_day("02:00") == (2, 0)
    for wrong in ("10", "0m", "m", "1d"):
        with pytest.raises(ValueError, match="interval"):
            parse_interval(wrong)
    with pytest.raises(ValueError, match="time of day"):
        parse_time_of_day("24:00")
    now = 1_800_000_000.0
    assert is_full_due(None, (2, 0), now)
    assert is_full_due(now - 86_400, (2, 0), now)
    assert not is_full_due(now, (2, 0), now)
    assert is_full_due(now + 3600, (2, 0), now)  # the clock was wrong


def test_links_that_need_no_write_are_committed_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails if each link is a transaction, or if none is committed before the next request."""
    commits, seen = 0, list[int]()
    run = State._run

    def counted(self: State, statement: str, values: Any = ()) -> Any:
        nonlocal commits
        commits += statement == "COMMIT"
        return run(self, statement, values)

    monkeypatch.setattr(State, "_run", counted)
    links = [Item("link", "asset", id, 5000 + id, "stamp", name="PC", hash="h") for id in range(1, 1201)]
    links.insert(700, Item("create", "type", "NAS", method="new", name="NAS"))
    with State(tmp_path, write=True) as state:

        class OnlyTypes:
            def save(self, entity: str, id: int | None, values: Any) -> int:
                assert not state.is_in_transaction
                seen.append(len(state.links("asset")))
                return 9

        clock, target = FakeClock(), cast(Any, OnlyTypes())
        applier = Applier(state, target, clock, 1, threading.Event(), {})
        assert applier.apply(links, 1).counts == {"asset": {"same": 1200}, "type": {"done": 1}}
        assert seen == [700]
        assert len(state.links("asset")) == 1200
    assert commits <= 8
