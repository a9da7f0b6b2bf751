"""The limits of plans: reads that are not believed, and plans that are not applied."""

from __future__ import annotations

from connector.sync.records import Client, Organization
from tests.sync.sides import Sync, device


def test_too_many_creations_may_not_be_applied(sync: Sync) -> None:
    sync.mapping += "limits: {creates: 2}\n"
    sync.source.dev = [device(n) for n in range(1, 4)]
    with sync.plan() as plan:
        assert [stop.entity for stop in plan.limits] == ["asset"]
        assert (
            plan.limits[0].reason
            == "3 assets would be created; the limit is 2: use --beyond-limits, or raise the limit"
        )
    assert {i.entity for i in sync.run()} == {"client", "site"}


def test_the_share_of_updates_counts_from_50_on(sync: Sync) -> None:
    sync.source.dev = [device(n) for n in range(1, 101)]
    sync.run()
    sync.source.dev = [device(n, serial=f"new{n}" if n <= 50 else f"SN{n}") for n in range(1, 101)]
    with sync.plan() as plan:
        assert plan.limits == []
    sync.source.dev[50] = device(51, serial="new")
    with sync.plan() as plan:
        assert plan.limits[0].reason.startswith("51 of 100 assets would be updated, the limit is 30 %")


def test_a_list_that_shrank_stops_its_entity_alone(sync: Sync) -> None:
    sync.source.dev = [device(n) for n in range(1, 61)]
    sync.run()
    kept, sync.source.dev = sync.source.dev, []
    with sync.plan() as plan:
        assert [stop.reason for stop in plan.stops] == [
            "The RMM lists 0 devices, but 60 last time: nothing was planned; "
            "use --full if the shorter list is correct"
        ]
        assert list(plan.items()) == []
    with sync.plan(believe=True) as plan:
        assert plan.stops == []
    sync.source.dev = kept[:41]
    with sync.plan() as plan:
        assert plan.stops == []


def test_an_agent_that_sees_too_little_stops_the_plan(sync: Sync) -> None:
    sync.source.org = [Organization(n, f"O{n}") for n in range(1, 21)]
    sync.target.client = {n + 100: Client(n + 100, f"o{n}") for n in range(1, 21)}
    sync.run()
    sync.target.client = {id: c for id, c in sync.target.client.items() if id <= 113}
    with sync.plan() as plan:
        assert plan.stops[0].reason.startswith("The PSA lists 13 of 20 linked clients")
        assert list(plan.items()) == []


def test_assets_that_cannot_be_seen_stop_the_assets(sync: Sync) -> None:
    sync.source.dev = [device(n) for n in range(1, 21)]
    sync.run()
    sync.target.stock = {id: a for id, a in sync.target.stock.items() if id <= 13}
    with sync.plan(full=True) as plan:
        assert [stop.entity for stop in plan.stops] == ["asset"]
        assert list(plan.items()) == []


def test_nothing_of_a_list_that_shrank_is_in_the_plan(sync: Sync) -> None:
    sync.source.dev = [device(n) for n in range(1, 61)]
    sync.run()
    sync.source.dev = [device(n, serial="new") for n in range(1, 31)]
    with sync.plan() as plan:
        assert list(plan.items()) == []
        assert plan.writes == 0
    with sync.plan(believe=True) as plan:
        assert len(list(plan.items())) == 30
