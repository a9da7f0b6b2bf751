"""Plans as files: what was planned is read back, line by line, and nothing else is taken for a plan."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from connector.errors import RunError
from connector.sync.plan_file import key_of, load_plan, new_plan_path, plan_paths, save_plan
from tests.sync.sides import NOW, Sync, asset, device


def saved(sync: Sync) -> Path:
    path = new_plan_path(sync.folder, NOW)
    with sync.plan() as plan:
        save_plan(path, plan, sync.source, sync.target)
    return path


def test_a_plan_is_read_back_as_it_was(sync: Sync) -> None:
    sync.source.dev = [device(1), device(2, location=3), device(3, organization=9)]
    sync.target.stock = {7: asset(7, serial="SN1")}
    path = saved(sync)
    with sync.plan() as plan:
        expected, header, writes = list(plan.items()), plan.header(), plan.writes
    read = load_plan(path)
    assert list(read.items()) == expected
    assert (read.made, read.mapping, read.writes) == (NOW, header["mapping"], writes)
    assert (read.counts, read.sources) == (header["counts"], header["sources"])
    assert (read.source.title, read.target.title, read.target.account) == ("The RMM", "The PSA", "acme")
    assert "asset:1" in [key_of(item) for item in expected]


def test_a_plan_is_json_whose_items_name_the_sides(sync: Sync) -> None:
    sync.source.dev = [device(1)]
    data = json.loads(saved(sync).read_text())
    (item,) = [item for item in data["items"] if item["entity"] == "asset"]
    assert (item["op"], item["rmm"], item["psa"]) == ("create", 1, None)
    assert {"field": 117, "old": None, "new": "SN1"} in item["changes"]


def test_a_plan_without_items_is_one(sync: Sync) -> None:
    sync.source.org, sync.source.loc = [], []
    path = saved(sync)
    assert json.loads(path.read_text())["items"] == []
    assert list(load_plan(path).items()) == []


def test_the_newest_plan_comes_first_and_none_is_overwritten(sync: Sync) -> None:
    first, second = saved(sync), saved(sync)
    os.utime(first, (1, 1))
    assert second.name == first.name.replace(".json", "-2.json")
    assert plan_paths(sync.folder) == [second, first]


@pytest.mark.skipif(os.name == "nt", reason="modes mean nothing here")
def test_a_plan_is_its_users_alone(sync: Sync) -> None:
    assert stat.S_IMODE(saved(sync).stat().st_mode) == 0o600


def test_a_plan_expires_after_a_day(sync: Sync) -> None:
    read = load_plan(saved(sync))
    assert (read.is_expired(NOW + 86_399), read.is_expired(NOW + 86_401)) == (False, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is not a plan"),
        ("[1]\n", "the file is not a plan"),
        ('{"version": 1}\n', "the file is not a plan"),
        ('{"version": 2, "items": [\n]}\n', "version 2 of the plan format is not supported"),
    ],
)
def test_other_files_are_not_plans(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(RunError, match=message):
        load_plan(path)


def test_a_plan_that_was_cut_off_is_not_applied_as_far_as_it_goes(sync: Sync) -> None:
    path = saved(sync)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    with pytest.raises(RunError, match="the plan file is incomplete"):
        list(load_plan(path).items())
    path.write_text("".join(lines[:-2]) + lines[-2][:20])
    with pytest.raises(RunError, match=f"{path.name}, line {len(lines) - 1}"):
        list(load_plan(path).items())
