"""What the page of a plan starts: only what was confirmed, as a process of the command, on both sandboxes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.common.user_folders import work_folder
from connector.sync.plan_file import plan_paths
from connector.web.access import CSRF_HEADER
from connector.web.syncs.commands import SyncCommands
from tests.sync.pair import Pair
from tests.sync.parity.conftest import DEVICES
from tests.web.guest import Guest, open_site, until
from tests.web.syncs.shown import make_folder


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    (tmp_path / "acme").mkdir()
    with Pair(tmp_path / "acme", devices=5) as made:
        made.map(clients={"take": "all"}, devices=DEVICES)
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "acme", time.time())


def page(guest: Guest) -> str:
    return re.sub(r"\s+", " ", guest.get("/sync/acme/plan").text)


def ended(guest: Guest) -> str:
    """Wait for the end of the command, and give the page."""
    return str(until(lambda: (html := page(guest)) and 'data-state="still"' in html and html))


def linked(pair: Pair) -> set[int]:
    links = pair.sync("status", "--json", "--links", sends=False).json["links"]
    return {link["source"] for link in links if link["entity"] == "asset"}


def apply(guest: Guest, plan: str, confirmed: str = "", **form: Any) -> Any:
    confirmation = {"confirmed": confirmed} if confirmed else {}
    return guest.post("/sync/acme/plan/apply", {"plan": plan, "choice": "all", **confirmation, **form})


def test_g28_ticked_items_are_applied_then_the_rest_and_a_new_plan_has_no_writes(
    catalog: Catalog, pair: Pair
) -> None:
    pair.run("--only", "clients,sites")
    pair.sync("plan", "--full")
    (path,) = plan_paths(pair.folder)
    with open_site(catalog, pair.folder) as guest:
        before = len(pair.halo.log.requests())
        ticks = {"choice": "ticked", "item": ["asset:1", "asset:2"]}
        for response in ("", "1", "3", "yes"):
            asked = apply(guest, path.stem, response, **ticks).get_json()
            assert (asked["rows"], "2 ticked items of this plan" in asked["ask"]) == (2, True)
        assert "Type <strong>2</strong>, the number of writes" in asked["ask"]
        assert len(pair.halo.log.requests()) == before
        done = apply(guest, path.stem, "2", **ticks).get_json()
        assert done == {"location": f"/sync/acme/plan?plan={path.stem}"}
        html = ended(guest)
        assert f"Applying the plan {path.stem}" in html
        assert "finished</span>" in html
        assert "2 done" in html
        written = [request["path"] for request in pair.writes(before) if request["path"] != "/auth/token"]
        assert (linked(pair), written) == ({1, 2}, ["/api/Asset", "/api/Asset"])

        apply(guest, path.stem, "5")
        assert "finished</span>" in ended(guest)
        assert linked(pair) == {1, 2, 3, 4, 5}

        assert guest.post("/sync/acme/plan/make", {"full": "1"}).get_json() == {"location": "/sync/acme/plan"}
        html = ended(guest)
        assert len(plan_paths(pair.folder)) == 2
        assert "It has <strong>0</strong> writes" in html
        assert "Nothing to do" in html
        assert "Show the newest plan" in html


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would have been started, instead of starting it."""
    commands: list[list[str]] = []

    def start(self: SyncCommands, sync: Any, kind: str, plan: str, options: list[str], once: str) -> None:
        commands.append([kind, *options])

    monkeypatch.setattr(SyncCommands, "start", start)
    return commands


def test_all_is_applied_once_the_number_of_writes_is_typed(
    catalog: Catalog, folder: Path, started: list[list[str]]
) -> None:
    path = plan_paths(folder)[0]
    with open_site(catalog, folder) as guest:
        asked = apply(guest, path.stem).get_json()
        assert "Applying this plan sends 2 writes to HaloPSA" in asked["ask"]
        assert started == []
        apply(guest, path.stem, "2")
    assert started == [["apply", "--plan", str(path)]]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([], "No items are ticked: tick the items to apply"),
        (["asset:1", "asset:77"], "does not have all of the ticked items"),
        (["asset:900"], "does not have all"),
        (["asset:2"], "does not have all"),
        (["asset:1", "--yes"], "does not have all"),
        ([f"asset:{n}" for n in range(1001)], "At most 1,000 items"),
    ],
)
def test_only_items_of_the_plan_that_can_be_applied_are_taken(
    catalog: Catalog, folder: Path, started: list[list[str]], keys: list[str], message: str
) -> None:
    with open_site(catalog, folder) as guest:
        response = apply(guest, plan_paths(folder)[0].stem, str(len(keys)), choice="ticked", item=keys)
    assert (response.status_code, message in response.get_json()["error"], started) == (400, True, [])


def test_a_read_only_target_refuses(catalog: Catalog, tmp_path: Path, started: list[list[str]]) -> None:
    folder = make_folder(tmp_path / "acme", time.time(), read_only=True)
    with open_site(catalog, folder) as guest:
        response = apply(guest, plan_paths(folder)[0].stem, "2")
        assert "psa.yaml (acme.halopsa.com) is read-only" in response.get_json()["error"]
        assert 'class="tag">read-only<' in page(guest)
        guest.post("/sync/acme/plan/make")
    assert started == [["plan"]]


def test_a_plan_that_does_not_fit_any_more_is_not_applied(
    catalog: Catalog, folder: Path, started: list[list[str]]
) -> None:
    path = plan_paths(folder)[0]
    with open_site(catalog, folder) as guest:
        mapping = (folder / "mapping.yaml").read_text()
        (folder / "mapping.yaml").write_text(mapping + "# other\n")
        assert "mapping has changed" in apply(guest, path.stem, "2").get_json()["error"]
        (folder / "mapping.yaml").write_text(mapping)
        head, _, rest = path.read_text().partition("\n")
        path.write_text(
            head.replace('"limits": []', '"limits": [{"entity": "asset", "reason": "too many"}]')
            + "\n"
            + rest
        )
        assert "too many" in apply(guest, path.stem, "2").get_json()["error"]
        assert "even beyond the limits" in page(guest)
        assert started == []
        apply(guest, path.stem, "2", beyond="1")
        assert apply(guest, "20200101-0000", "2").status_code == 404
    assert started == [["apply", "--plan", str(path), "--beyond-limits"]]


def test_a_plan_beside_another_integration_is_applied_only_if_that_is_ticked(
    catalog: Catalog, folder: Path, started: list[list[str]]
) -> None:
    path = plan_paths(folder)[0]
    with open_site(catalog, folder) as guest:
        assert "even beside it" not in page(guest)
        head, _, rest = path.read_text().partition("\n")
        assert '"writers": []' in head
        path.write_text(head.replace('"writers": []', '"writers": ["The PSA imports devices"]') + "\n" + rest)
        assert "The PSA imports devices: both would write the same records." in page(guest)
        refused = apply(guest, path.stem, "2")
        assert (refused.status_code, "turn it off, or tick" in refused.get_json()["error"]) == (400, True)
        assert started == []
        apply(guest, path.stem, "2", beside="1")
    assert started == [["apply", "--plan", str(path), "--beside-halo"]]


def test_a_post_needs_the_token_of_our_pages(
    catalog: Catalog, folder: Path, started: list[list[str]]
) -> None:
    with open_site(catalog, folder) as guest:
        for path in ("make", "apply", "stop"):
            for headers in ({CSRF_HEADER: "other"}, {"Origin": "http://127.0.0.1:9"}):
                response = guest.post(f"/sync/acme/plan/{path}", {"confirmed": "2"}, headers=headers)
                assert response.status_code == 403
    assert started == []


def test_a_command_that_cannot_run_says_why_and_another_waits_for_it(
    catalog: Catalog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection of the source has no secret."""
    with open_site(catalog, folder) as guest:
        guest.post("/sync/acme/plan/make", {"once": "a"})
        second = guest.post("/sync/acme/plan/make", {"once": "b"})
        assert second.status_code == 200 or "is still running" in second.get_json()["error"]
        html = ended(guest)
        assert "not started</span>" in html
        assert 'class="notice error"' in html
        assert "rmm.yaml" in html
        assert guest.post("/sync/acme/plan/make", {"once": "a"}).status_code == 200
        assert 'data-state="still"' in page(guest)
    logs = list(work_folder().glob("*-sync-plan-*/log.txt"))
    assert logs
    if os.name != "nt":
        assert {path.stat().st_mode & 0o777 for path in logs} == {0o600}


def test_stop_tells_the_process(catalog: Catalog, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = ["-c", "import time; time.sleep(600)"]
    popen = subprocess.Popen

    def sleeping(command: list[str], **more: Any) -> Any:
        return popen([command[0], *sleeper], **more)

    monkeypatch.setattr(subprocess, "Popen", sleeping)
    with open_site(catalog, folder) as guest:
        guest.post("/sync/acme/plan/make")
        assert 'data-state="live"' in page(guest)
        assert "is still running" in guest.post("/sync/acme/plan/make").get_json()["error"]
        guest.post("/sync/acme/plan/stop")
        assert "ended with exit code" in ended(guest)


def test_no_secret_is_on_a_command_line_or_on_a_page(
    catalog: Catalog, pair: Pair, started: list[list[str]]
) -> None:
    pair.sync("plan")
    path = plan_paths(pair.folder)[0]
    with open_site(catalog, pair.folder) as guest:
        apply(guest, path.stem, "5")
        texts = [page(guest), guest.get("/sync/acme").text, guest.get("/sync").text, json.dumps(started)]
    for text in texts:
        for secret in (pair.ninja.client_secret, pair.halo.client_secret, pair.ninja.client_id):
            assert secret not in text
