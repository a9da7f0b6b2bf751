"""Plans of many assets: what lists do not show is read when it is applied, and not for each plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.sync.records import AssetType
from connector.sync.state import Link
from tests.sync.pair import Pair
from tests.sync.sides import Sync, asset, changes, device

SERIAL = "{{ device.system.serialNumber }}"
LINK = "https://rmm.example/{{ device.id }}"
DEVICES: dict[str, Any] = {
    "match": {"field": 117},
    "fields": {
        "117": SERIAL,
        "44": "64 GB",
        "CFAssetTag": "T-{{ device.id }}",
        "CFLeaseEnd": {"value": "2030-01-01", "when": "empty"},
    },
    "user": {"value": "{{ 'operator' if device.id != 3 else 'nobody' }}"},
    "warranty": True,
    "link": LINK,
}
KEPT = "2026-05-05T00:00:00"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path) as made:
        prepare(made)
        yield made


def prepare(pair: Pair) -> None:
    """Set a part of the mapped fields of two assets."""
    pair.halo.state.assets.change(5001).custom.update({"CFAssetTag": "T-1", "CFLeaseEnd": KEPT})
    pair.halo.agent.asset(5002, ninja_url="https://rmm.example/2")
    pair.halo.state.assets.change(5008).users = [3002, 3001]  # 3001 is "operator"


def map_reads(pair: Pair, reads: int, devices: dict[str, Any] = DEVICES) -> None:
    limits = {"reads": reads, "updates_percent": 100}
    pair.map(clients={"take": "all"}, devices=devices, limits=limits)


def single_reads(pair: Pair, since: int) -> int:
    """How often one asset was read."""
    requests = pair.halo.log.requests()[since:]
    return sum(r["method"] == "GET" and "/Asset/" in r["path"] for r in requests)


def asset_writes(pair: Pair, since: int) -> list[Any]:
    return [request for request in pair.writes(since) if "/Asset" in request["path"]]


def assets(pair: Pair) -> dict[int, Any]:
    found = {id: pair.asset(id) for id in pair.halo.state.assets.ids()}
    return {id: {key: value for key, value in of.items() if key != "dlastupdate"} for id, of in found.items()}


def test_a_plan_beyond_its_reads_ends_in_the_same_assets(pair: Pair) -> None:
    """Fails if unread changes are left out, or overwrite what `empty` keeps, or are not compared first."""
    map_reads(pair, 500)
    pair.run()
    wanted, written = assets(pair), [r["body"] for r in pair.writes()]
    assert wanted[5001]["CFLeaseEnd"] == KEPT
    pair.halo.reset()
    prepare(pair)
    for file in pair.folder.glob("state.db*"):
        file.unlink()
    map_reads(pair, 0)
    since = len(pair.halo.log.requests())
    items = pair.plan()
    assert single_reads(pair, since) == 0
    assert any("unread" in change for item in items.values() for change in item["changes"])
    since = len(pair.halo.log.requests())
    pair.run()
    assert assets(pair) == wanted
    assert [r["body"] for r in pair.writes(since)] == written
    since = len(pair.halo.log.requests())
    pair.run()
    assert (single_reads(pair, since), pair.writes(since)) == (0, [])
    pair.run("--full")
    assert (single_reads(pair, since), pair.writes(since)) == (0, [])


def test_a_changed_mapping_lists_the_assets_once_instead_of_reading_each(pair: Pair) -> None:
    map_reads(pair, 500)
    pair.run()
    map_reads(pair, 3, {**DEVICES, "link": LINK + "/overview"})
    since = len(pair.halo.log.requests())
    done = pair.sync("plan")
    assert single_reads(pair, since) == 3
    assert "compared  7 assets when applied, because lists lack some mapped fields" in done.out
    since = len(pair.halo.log.requests())
    pair.run()
    assert len(pair.writes(since)) == 10
    assert assets(pair)[5005]["ninja_url"] == "https://rmm.example/5/overview"


def test_what_is_compared_later_is_said(pair: Pair) -> None:
    devices = {"match": {"field": 117}, "fields": {"117": SERIAL}}
    map_reads(pair, 0, devices)
    pair.run()
    map_reads(pair, 4, {**devices, "link": LINK})
    done = pair.sync("plan")
    assert "compared  6 assets when applied" in done.out
    assert "writes: 3 to 9. " in done.out


def test_an_asset_that_moved_since_the_plan_is_not_written(pair: Pair) -> None:
    """Fails without the comparison of the client in `Applier._change`."""
    map_reads(pair, 0)
    pair.sync("plan")
    (file,) = (pair.folder / "plans").glob("*.json")
    other = next(id for id in pair.halo.state.clients if id != pair.asset(5001)["client_id"])
    site = pair.halo.state.clients[other]["main_site_id"]
    pair.halo.agent.asset(5001, client_id=other, site_id=site)
    since = len(pair.halo.log.requests())
    done = pair.sync("apply", "--plan", file)
    assert done.code == 1
    assert f"to client {other} after the plan was made: make a new plan" in done.out
    assert len(asset_writes(pair, since)) == 9


def test_fields_that_the_agent_does_not_see_are_not_emptied_when_applied(pair: Pair) -> None:
    """Fails without the check in the handler of HaloPSA's `update_asset`."""
    pair.halo.set_trap("asset_fields", "flag")
    map_reads(pair, 0)
    pair.sync("plan")
    (file,) = (pair.folder / "plans").glob("*.json")
    pair.halo.set_trap("agent_sees", "some_fields")
    since = len(pair.halo.log.requests())
    done = pair.sync("apply", "--plan", file)
    assert "an update would empty" in done.out
    assert asset_writes(pair, since) == []


def listed(sync: Sync, **row: Any) -> None:
    """Make the one asset a row of a list, linked to a device."""
    sync.target.stock = {901: asset(901, is_whole=False, **row)}
    sync.state.save_link(Link("asset", 1, 901, "stamp"))


def test_new_values_that_are_written_on_creation_alone_need_no_read(sync: Sync) -> None:
    """Fails if the hash of a device has the values of `when: new`."""
    sync.mapping = sync.mapping.replace('}}"}\n', '}}", 51: {value: "{{ device.seen }}", when: new}}\n')
    sync.source.dev = [device(1, seen=1)]
    sync.run()
    sync.source.dev = [device(1, seen=2)]
    sync.target.asked.clear()
    assert sync.run() == []
    assert sync.target.asked["asset"] == 0


def test_hidden_fields_are_checked_only_where_the_list_shows_fields(sync: Sync) -> None:
    types = (AssetType(1, "Server", fields=frozenset({117, 44})),)
    sync.target.declared = replace(sync.target.declared, types=types)
    sync.mapping += "limits: {reads: 0}\n"
    sync.source.dev = [device(1)]
    listed(sync, stamp=1)
    item = sync.item("asset", 1, full=True)
    assert changes(item) == {117: (None, "SN1")}
    assert item is not None
    assert item.is_unread
    listed(sync, stamp=1, serial="old", shown=frozenset({117}))
    item = sync.item("asset", 1, full=True)
    assert item is not None
    assert "the agent can read 1" in item.reason
