"""SIGKILL at every write point of clients, sites, types, fields and assets: nothing is made twice.

A real process works on both sandboxes over HTTP and is killed; the next one goes on. In the end HaloPSA has
what it has without kills, and one more run writes nothing.

A creation that the killed process did not know of is also found by the next plan, as long as lists show the
new asset with its stamp. If they do not, the outbox alone prevents a second asset: these tests fail without
the look-ups of `recover` and `create` in `Creations`.
"""

from __future__ import annotations

import multiprocessing
import random
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connector.sandbox.halopsa.data.assets import Assets
from connector.sync.state import State
from tests.sync.pair import Pair
from tests.torture.asset_process import work

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")

HOUR = 3600.0
Record = Callable[[str, Any], None]
MAPPING: dict[str, Any] = {
    "clients": {"take": "all", "create": True},
    "devices": {
        "create_types": True,
        "type_group": 3,
        "match": {"field": 117},
        "fields": {
            "117": "{{ device.system.serialNumber }}",
            "Rack no": "{{ device.id }}",
            "CFAssetTag": "T-{{ device.id }}",
        },
        "create_fields": {"Rack no": "text"},
        "link": "https://rmm.example/{{ device.id }}",
        "warranty": True,
    },
    "limits": {"reads": 2},
}
UPDATED = {
    **MAPPING,
    "devices": {**MAPPING["devices"], "link": "https://rmm.example/{{ device.id }}/overview"},
}
UNMATCHED = [{**mapping, "devices": {**mapping["devices"], "match": {}}} for mapping in (MAPPING, UPDATED)]
"""Mappings with which a device finds its asset by the stamp alone."""


class Life:
    """Both sandboxes, HaloPSA's which starts empty, and the processes between them.

    `created` are the points after which an asset had been created and the process did not know it yet. With
    `is_list_late`, the assets that a killed process has created are `unlisted` for an hour.
    """

    def __init__(self, pair: Pair, context: Any) -> None:
        self._pair, self._context = pair, context
        self.mappings = [MAPPING, UPDATED]
        self.kills = self.points = 0
        self.created: list[int] = []
        self.is_list_late = False
        self.unlisted: set[int] = set()
        self._now = 1_800_000_000.0

    def set_trap(self, name: str, value: str) -> None:
        self._pair.halo.set_trap(name, value)

    def live(self, *kill_at: int) -> dict[str, Any]:
        """Create, link and update everything, and die at these write points; return what HaloPSA has."""
        pair = self._pair
        pair.halo.reset()
        for file in pair.folder.glob("state.*"):
            file.unlink()
        self.points, left, self.created = 0, sorted(kill_at), []
        for mapping in self.mappings:
            pair.map(**mapping)
            self._run(left)
        self._now += HOUR
        assert self._once(0, full=True)[1:3] == (0, 0), "a last run has nothing to write"
        found = self._found()
        assert len(found["assets"]) == 10
        for noun in ("clients", "sites", "types", "fields", "stamps"):
            assert len(found[noun]) == len(set(found[noun])), f"{noun} were made twice: {found[noun]}"
        return found

    def _run(self, left: list[int]) -> None:
        """Run until a run ends without problems, killed where it is due."""
        for _ in range(len(left) + 4):
            known = self._assets()
            passed = self._once(max(left[0] - self.points, 1) if left else 0, full=False)
            if passed is None:
                self.kills += 1
                self.points = left.pop(0)
                if self.is_list_late:
                    self.unlisted = self._assets() - known
                continue
            self.created += (self.points + point for point in passed[3])
            self.points += passed[0]
            if passed[2] == 0:
                return
            self._now += HOUR  # what was sent and is not found is looked up again
            self.unlisted = set()
        raise AssertionError("it did not come to an end")

    def _once(self, kill_at: int, *, full: bool) -> Any:
        """Let a process do one run; None if it was killed."""
        ours, theirs = self._context.Pipe(duplex=False)
        arguments = (str(self._pair.folder), self._now, kill_at, full, theirs)
        process = self._context.Process(target=work, args=arguments)
        process.start()
        theirs.close()
        process.join(120)
        with ours:
            if process.exitcode == 0:
                return ours.recv()
        assert process.exitcode == -signal.SIGKILL
        return None

    def _assets(self) -> set[int]:
        return set(self._pair.halo.state.assets.ids())

    def _found(self) -> dict[str, Any]:
        """What HaloPSA has, by name, as ids depend on the kills; and that each device has one link."""
        pair, state = self._pair, self._pair.halo.state
        names = {id: client["name"] for id, client in state.clients.items()}
        assets = [(state.assets.values(id), pair.asset(id)) for id in state.assets.ids()]
        with State(pair.folder, write=False) as own:
            links = {link.source: link.target for link in own.each_link("asset")}
        assert len(set(links.values())) == len(links) == 10
        return {
            "clients": sorted(names.values()),
            "sites": sorted((names[site["client_id"]], site["name"]) for site in state.sites.values()),
            "types": sorted(kind["name"] for kind in state.asset_types.values()),
            "fields": sorted(field["name"] for field in state.fields.values()),
            "stamps": sorted(asset["ninjarmm_id"] for _, asset in assets if asset["ninjarmm_id"]),
            "assets": sorted(
                (
                    *(
                        names[values["client_id"]],
                        asset["inventory_number"],
                        asset[117],
                        asset.get("CFAssetTag"),
                    ),
                    *(asset["ninja_url"], str(asset.get("warranty_end"))),
                )
                for values, asset in assets
            ),
        }


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.torture.asset_process"])
    with Pair(tmp_path_factory.mktemp("sync"), assets=0, clients=0, tickets=0) as pair:
        yield Life(pair, context)


def test_assets_survive_kills_at_some_write_points(life: Life, record_property: Record) -> None:
    """Kills at four of the write points; the long test below kills at all of them."""
    wanted = life.live()
    points = life.points
    assert life.live(points // 9, points // 4, points // 2, points - 9) == wanted
    assert life.kills == 4
    record_property("write points", points)


@pytest.fixture
def unmatched(life: Life) -> Iterator[Life]:
    """HaloPSA does not store the ids of devices, and nothing else leads from a device to its asset."""
    life.set_trap("external_ids", "ignored")
    life.mappings = UNMATCHED
    yield life
    life.set_trap("external_ids", "writable")
    life.mappings = [MAPPING, UPDATED]


def test_the_outbox_leads_to_an_asset_without_a_stamp(unmatched: Life) -> None:
    wanted = unmatched.live()
    first, *_, last = unmatched.created
    assert unmatched.live(first, last) == wanted


def test_an_asset_that_is_not_listed_yet_is_not_created_again(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run starts at once, and lists show the asset an hour later."""
    select = Assets.select

    def listed(assets: Assets, *key: Any) -> list[int]:
        return [number for number in select(assets, *key) if number not in life.unlisted]

    monkeypatch.setattr(Assets, "select", listed)
    monkeypatch.setattr(life, "is_list_late", True)
    wanted = life.live()
    assert life.live(life.created[0]) == wanted


@pytest.mark.slow
def test_the_outbox_leads_to_every_asset_without_a_stamp(unmatched: Life) -> None:
    wanted = unmatched.live()
    for point in unmatched.created.copy():
        assert unmatched.live(point) == wanted, point


@pytest.mark.slow
def test_assets_survive_kills_at_every_write_point(life: Life, record_property: Record) -> None:
    """At every write point once, and then at up to five of them until there were 200 kills."""
    wanted, draw, before = life.live(), random.Random(17), life.kills
    points = life.points
    for point in range(1, points + 1, 2):
        assert life.live(*(p for p in (point, point + 1) if p <= points)) == wanted, point
    while life.kills - before < 200:
        killed_at = draw.sample(range(1, points), 5)
        assert life.live(*killed_at) == wanted, killed_at
    record_property("write points", points)
    record_property("kills", life.kills - before)
