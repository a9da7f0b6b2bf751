"""`ninjaone sync demo` as a process: what it prints, what it leaves in its folder, and its page.

They fail where the state does not keep what was sent: without `Creations.recover`, no record is found after
the kill; without the look-up of `AlertDriver.start`, a second ticket is created.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from connector.sync.state import State
from connector.sync.state_alerts import AlertRows
from tests.cli.conftest import Ninjaone


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "connector", "sync", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=os.environ, timeout=120)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(place: Path) -> subprocess.CompletedProcess[str]:
    done = run(place, "demo")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stdout + done.stderr
    return done


@pytest.fixture
def folder(place: Path, demo: object) -> Path:
    return place / "demo-output" / "sync"


def lines(demo: subprocess.CompletedProcess[str]) -> Sequence[str]:
    return demo.stdout.splitlines()


def test_no_asset_and_no_ticket_is_made_twice(demo: subprocess.CompletedProcess[str]) -> None:
    start = lines(demo).index("--- The contents of both sandboxes now")
    found = [re.split(r" {2,}", line.strip()) for line in lines(demo)[start + 1 :] if line.startswith("  ")]
    assert found == [
        ["writes while planning", "0"],
        ["writes of the third run", "0"],
        ["devices in the list", "57"],
        ["devices with exactly one asset", "57"],
        ["tickets of three alerts", "3"],
        ["tickets still open", "1"],
        ["alerts still active", "2"],
        ["value that was entered by hand", "hand-made"],
    ]


def test_two_processes_are_killed_and_what_they_created_is_found(
    demo: subprocess.CompletedProcess[str],
) -> None:
    killed = [line.split(",")[0] for line in lines(demo) if line.startswith("killed")]
    assert killed == ["killed: HaloPSA has created asset 5047", "killed: HaloPSA has created ticket 2002"]
    announced = [
        lines(demo)[number - 2] for number, line in enumerate(lines(demo)) if line.startswith("killed")
    ]
    assert [line.partition("kill the process ")[2] for line in announced] == [
        "with SIGKILL while it creates the second asset.",
        "while it creates the second one:",
    ]
    assert "  1 record of an earlier run found and linked" in lines(demo)
    runs = [line for line in lines(demo) if line.startswith("run ")]
    assert runs == ["run 2 ok: 11 writes", "run 3 ok: 0 writes", "run 5 ok", "run 6 ok", "run 7 ok"]
    assert "The demo did not give the expected results." not in lines(demo)


def test_the_folder_has_one_asset_a_device_and_one_ticket_an_alert(folder: Path) -> None:
    with State(folder, write=False) as state:
        links = [link.target for link in state.each_link("asset")]
        alerts = AlertRows(state).newest((), 10)
    assert (len(links), len(set(links)), None in links) == (57, 57, False)
    assert sorted((row.ticket or 0, row.state) for row in alerts) == [
        (0, "SUPPRESSED"),
        (2001, "CLOSED"),
        (2002, "CLOSED"),
        (2003, "OPEN"),
    ]


def test_the_page_has_each_item_of_the_plan_and_needs_nothing_else(folder: Path) -> None:
    html = (folder / "demo.html").read_text("utf-8")
    (plan,) = (json.loads(path.read_text("utf-8")) for path in (folder / "plans").glob("*.json"))
    assert html.count('<li class="op-') == len(plan["items"]) == 72
    assert 'data-op="conflict" data-entity="client"' in html
    assert "Candidates: <code>5012</code> A00012, <code>5045</code> A00045" in html
    assert "<del>OLD-MAINBOARD</del>" in html
    assert "Büro &lt;Süd&gt; &amp; Lager" in html
    assert html.count('class="life-line"') == 4
    assert re.findall(r"""(?:src|href)=["'](?!#|data:,)|url\(|@import|https?:""", html) == []


@pytest.mark.slow
def test_the_folder_can_be_looked_at_and_the_demo_runs_in_it_again(place: Path, folder: Path) -> None:
    status = run(place, "status", "demo-output/sync", "--json")
    assert json.loads(status.stdout)["linked"] == {"client": 5, "site": 9, "asset": 57}
    again = run(place, "demo", "--short")
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(list((folder / "plans").glob("*.json"))) == 1


def test_a_folder_of_something_else_is_left_alone(ninjaone: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text("version: 1\n")
    done = ninjaone("sync", "demo", "--output", tmp_path)
    assert done.returncode == 2
    assert "contains other files; use --output for another folder" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mapping.yaml"]
