"""A sync with each way in which instances of HaloPSA differ: it ends in the same state, or says why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sync.pair import Pair

MAPPING: dict[str, Any] = {
    "clients": {"take": "all", "create": True},
    "devices": {
        "types": {"WINDOWS_SERVER": "Server", "WINDOWS_WORKSTATION": "Workstation"},
        "create_types": True,
        "type_group": 3,
        "match": {"field": 117},
        "fields": {
            "117": "{{ device.system.serialNumber }}",
            "44": {"value": "{{ device.memory.capacity // 2**30 }} GB", "when": "empty"},
            "CFAssetTag": "T{{ device.id }}",
            "Shelf": "{{ device.id }}",
        },
        "create_fields": {"Shelf": "text"},
        "user": {"value": "operator"},
        "warranty": True,
        "software": True,
        "link": "https://acme.example/{{ device.id }}",
    },
}
SAME = [
    ("sub_arrays", "merge"),
    ("answer", "all"),
    ("answer", "list"),
    ("external_ids", "ignored"),
    ("list_customfields", "yes"),
    ("asset_fields", "flag_and_type"),
    ("type_fields", "added"),
    ("page_cap", "ignored"),
    ("times", "zoned"),
    ("warning", "yes"),
    ("bodies", "both"),
    ("html", "page_once"),
    ("unfiltered", "served"),
]


ODD = " Rück «3» <b>&amp;</b> \\ \u2028 1e3 "
"""A value of fields that are not mapped."""
WRITTEN = {"CFAssetTag", "Shelf", "ninja_url", "ninjarmm_id", "site_id", "users", "software"} | {
    "warranty_start",
    "warranty_end",
}
"""What the mapping writes to assets that have a value for field 44."""


def _with_odd_values(pair: Pair) -> None:
    """Set fields that the mapping does not name, for each asset."""
    assets = pair.halo.state.assets
    for id in assets.ids():
        present = {field: ODD for field in (51, 53) if field in assets.fields(id)}
        pair.halo.agent.asset(id, fields=present, notes=f"{ODD}\r\n")
        assets.changes(id).custom["CFLeaseEnd"] = "2031-02-28T00:00:00"


def _unmapped(pair: Pair, asset: dict[Any, Any]) -> dict[Any, Any]:
    names = {id: field["name"] for id, field in pair.halo.state.fields.items()}
    shown = {key: value for key, value in asset.items() if value != "" and key != "dlastupdate"}
    return {key: value for key, value in shown.items() if names.get(key, key) not in WRITTEN}


@pytest.mark.parametrize(("trap", "value"), SAME)
def test_a_sync_ends_in_the_same_state(tmp_path: Path, trap: str, value: str) -> None:
    """Fails if an update sends only the mapped fields, or only the mapped custom fields."""
    with Pair(tmp_path, traps={trap: value}) as pair:
        pair.map(**MAPPING)
        _with_odd_values(pair)
        before = {id: pair.asset(id) for id in pair.halo.state.assets.ids()}
        done = pair.sync("run")
        if trap == "html":  # the first request did not get its list: nothing was done, and said
            done = pair.sync("run")
        assert done.code == 0, done
        start = len(pair.halo.log.requests())
        assert pair.sync("run", "--full").code == 0
        assert pair.writes(start) == []
        for device in range(1, 11):
            asset = pair.asset(5000 + device)
            assert asset["CFAssetTag"] == f"T{device}"
            assert asset["ninja_url"] == f"https://acme.example/{device}"
            assert len(asset["software"]) == 3
            assert _unmapped(pair, asset) == _unmapped(pair, before[5000 + device])
            assert (asset["CFLeaseEnd"], asset["notes"]) == ("2031-02-28T00:00:00", f"{ODD}\r\n")
        others = [id for id in before if id > 5010]
        assert {id: pair.asset(id) for id in others} == {id: before[id] for id in others}


def test_an_agent_who_does_not_see_all_fields_empties_none(tmp_path: Path) -> None:
    with Pair(tmp_path, traps={"agent_sees": "some_fields"}) as pair:
        pair.map(**MAPPING)
        before = {id: pair.halo.state.assets.fields(id) for id in pair.halo.state.assets.ids()}
        done = pair.sync("run")
        assert done.code == 1, done
        assert {id: pair.halo.state.assets.fields(id) for id in before} == before


def test_an_agent_who_sees_one_client_writes_no_other(tmp_path: Path) -> None:
    with Pair(tmp_path, traps={"agent_sees": "one_client"}) as pair:
        devices = {**MAPPING["devices"], "create_fields": {}}
        devices["fields"] = {key: value for key, value in devices["fields"].items() if key != "Shelf"}
        pair.map(clients={"take": "all"}, devices=devices)
        assert pair.sync("run").code == 0
        stamped = [id for id in pair.halo.state.assets.ids() if pair.asset(id)["ninjarmm_id"]]
        assert stamped
        assert {pair.halo.state.assets.client_of(id) for id in stamped} == {11}
