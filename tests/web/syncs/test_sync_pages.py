"""The pages of a sync over HTTP: their content, also for folders that cannot be read."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.catalog.catalog import Catalog
from connector.errors import RunError
from connector.sync.plan_file import plan_paths
from connector.sync.state import State
from connector.sync.state_lock import StateLock
from connector.sync.state_reports import note_error
from connector.web.syncs.folders import sync_folders
from tests.web.guest import Guest, open_site
from tests.web.syncs.shown import make_folder

HELD = "Summary of the alerts that are held back"
PAGES = ("", "/plan", "/unmatched", "/fields", "/alerts")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "acme & co", time.time())


@pytest.fixture
def guest(catalog: Catalog, folder: Path) -> Iterator[Guest]:
    with open_site(catalog, folder) as guest:
        yield guest


def page(guest: Guest, path: str = "", **query: str) -> str:
    response = guest.get(f"/sync/acme%20%26%20co{path}", **query)
    assert response.status_code == 200, response.text
    return re.sub(r"\s+", " ", response.text)


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_overview_says_why_the_last_attempt_failed(guest: Guest, folder: Path) -> None:
    assert "The last attempt to run failed" not in page(guest)
    note_error(folder, "HaloPSA: GET /api/Control: <html>", time.time())
    assert re.search(r"failed at .*: HaloPSA: GET /api/Control: &lt;html&gt;", page(guest))


def test_one_sync_is_opened_and_several_are_listed(
    catalog: Catalog, guest: Guest, folder: Path, tmp_path: Path
) -> None:
    response = guest.get("/sync")
    assert (response.status_code, response.headers["Location"]) == (302, "/sync/acme%20%26%20co")
    other = make_folder(tmp_path / "beta", time.time())
    with open_site(catalog, folder, other) as second:
        listed = second.get("/sync").text
    assert 'href="sync/acme%20%26%20co">acme &amp; co<' in listed
    assert 'href="sync/beta"' in listed
    assert guest.get("/sync/beta").status_code == 404


def test_without_a_sync_the_page_says_how_to_show_one(catalog: Catalog) -> None:
    with open_site(catalog) as guest:
        assert "ninjaone catalog serve --sync DIR" in guest.get("/sync").text
        assert ">Sync</a>" in guest.get("/").text


def test_a_folder_that_is_no_sync_and_two_of_one_name_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"there is no mapping\.yaml"):
        sync_folders([tmp_path])
    (tmp_path / "x").mkdir()
    with pytest.raises(RunError, match="another folder is also called acme"):
        sync_folders([folder, make_folder(tmp_path / "x" / folder.name, time.time())])


def test_the_overview_has_counts_errors_and_what_waits(guest: Guest) -> None:
    html = page(guest)
    message = text(html)
    assert "From NinjaOne ( rmm.yaml ) to HaloPSA ( psa.yaml )" in message
    for figure in ("Clients 1", "Sites 2", "Assets 5", "To decide 1", "Open tickets 2", "Waiting alerts 1",
                   "Refused alerts 1", "Deliveries to process 1", "Unknown outcomes 0"):  # fmt: skip
        assert figure in message
    assert "a-3 error 12 The PSA refuses ticket type 31 to this agent (403)" in message
    assert (
        "Not applied in run 2 Record Operation Outcome Reason asset 3 update failed refused: 403" in message
    )
    assert "3 organizations , 6 devices" in message
    assert "1 conflict , 1 done , 1 failed" in message
    assert "No process is working on this sync" in message


def test_the_overview_says_who_runs(guest: Guest, folder: Path) -> None:
    lock = StateLock(folder)
    lock.acquire(time.time())
    with State(folder, write=True, lock=False) as state:
        state.set_meta("progress", '{"done": 1200, "total": 5000, "a_minute": 130.2, "end": 1}')
    try:
        html = page(guest)
        assert "1,200 of 5,000 writes, 130 a minute, until about" in html
        assert f"Process {os.getpid()} has worked on this sync since" in html
        assert 'data-state="live"' in html
    finally:
        lock.release()
    assert 'data-state="still"' in page(guest)


def test_a_process_that_was_killed_does_not_run(guest: Guest, folder: Path) -> None:
    (folder / "state.lock.json").write_text(json.dumps({"process": 4312, "since": 1.0}))
    assert "No process is working on this sync" in page(guest)


def test_the_plan_shows_old_and_new_by_field(guest: Guest) -> None:
    html = page(guest, "/plan")
    assert "It has <strong>2</strong> writes" in html
    assert "update asset PC-1 1 → asset 7 Fields of PC-1 Field Old New 51 R1 R 99" in text(html)
    assert "<ins>&lt;b&gt;R&lt;/b&gt;</ins>" in html
    assert "<b>R</b>" not in html
    assert "2 clients are called &#34;Initech&#34;" in html


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["2", "3", "1", "2", "900", "901"]),
        ({"entity": "asset"}, ["1", "2", "900", "901"]),
        ({"op": "conflict"}, ["3", "2"]),
        ({"entity": "asset", "op": "create"}, ["901"]),
        ({"q": " pc-new"}, ["901"]),
        ({"q": "CLIENTS.CREATE"}, ["2", "900"]),
        ({"q": "nothing"}, []),
    ],
)
def test_a_filter_shows_what_matches(guest: Guest, query: dict[str, str], found: list[str]) -> None:
    items = page(guest, "/plan", **query).partition('<ul class="plan-items">')[2]
    assert re.findall(r"</strong> <code>(\w+)</code>", items) == found


def test_a_long_plan_has_pages(catalog: Catalog, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "long", time.time(), devices=6)
    path = plan_paths(folder)[0]
    lines = path.read_text().splitlines(keepends=True)
    item = json.loads(lines[1].rstrip().removesuffix(","))
    many = [json.dumps({**item, "rmm": 1000 + n, "name": f"Org {n}"}) for n in range(120)]
    path.write_text(lines[0] + ",\n".join(many) + "\n]}\n")
    with open_site(catalog, folder) as guest:
        first, last = (guest.get("/sync/long/plan", page=n).text for n in ("1", "3"))
        assert ("1 to 50" in first, 'id="next"' in first, 'id="back"' in first) == (True, True, False)
        assert ("101 to 120" in last, 'id="next"' in last, 'id="back"' in last) == (True, False, True)
        assert guest.get("/sync/long/plan", page="3", q="Org 1").text.count("<li class=") == 0


def test_a_run_after_the_plan_is_said(guest: Guest, folder: Path) -> None:
    assert "after this plan was made" not in page(guest, "/plan")
    with State(folder, write=True) as state:
        state.begin_run("alerts", time.time() + 1)
        assert "after this plan was made" not in page(guest, "/plan")
        state.begin_run("apply", time.time() + 1)
    assert "after this plan was made: some of it may have been applied already" in page(guest, "/plan")


def test_plans_that_cannot_be_applied_say_why(guest: Guest, folder: Path) -> None:
    assert "make a new one" not in page(guest, "/plan")
    mapping = folder / "mapping.yaml"
    mapping.write_text(mapping.read_text() + "# changed\n")
    assert "The mapping has changed since this plan was made" in page(guest, "/plan")
    path = plan_paths(folder)[0]
    head, _, rest = path.read_text().partition("\n")
    made = json.loads(head.removesuffix(', "items": [') + "}")["made"]
    path.write_text(head.replace(json.dumps(made), "1.0") + "\n" + rest)
    assert "older than a day" in page(guest, "/plan")


def test_a_broken_plan_or_mapping_or_state_is_said_and_the_rest_is_shown(guest: Guest, folder: Path) -> None:
    plan_paths(folder)[0].write_text("{}")
    assert "the file is not a plan" in page(guest, "/plan")
    (folder / "mapping.yaml").write_text("version: 1\nsource: a\n")
    assert "mapping.yaml" in page(guest)
    assert "Disk C: is full" not in page(guest, "/alerts")
    assert "Ticket 4711" in page(guest, "/alerts")
    (folder / "state.db").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    for path in ("", "/alerts"):
        assert "state.db" in page(guest, path)


def test_alerts_are_lines_with_links_to_ticket_and_device(guest: Guest) -> None:
    html = page(guest, "/alerts")
    assert '<a href="https://acme.halopsa.com/ticket?id=4711" rel="noreferrer">Ticket 4711</a>' in html
    assert (
        '<a href="https://eu.ninjarmm.com/#/deviceDashboard/1/overview" rel="noreferrer">Device 1</a>' in html
    )
    assert "CPU &lt;hot&gt;" in html
    described = re.findall(r'aria-label="(alert started [^"]*)"', html)
    words = [re.sub(r"[\d:. -]+(?=;|$)", "", line) for line in described]
    assert words == [
        "alert started",
        "alert started",
        "alert started; ticket opened",
        "alert started; ticket opened; alert ended; closed, as the alert ended",
    ]


def test_a_line_is_open_from_the_ticket_to_its_end(guest: Guest) -> None:
    """All lines have one axis, from the first start, two hours ago, to now."""
    found = re.findall(r'class="life-open" x1="([\d.]+)" x2="([\d.]+)"', page(guest, "/alerts"))
    held, disk, cpu = [(float(x1), float(x2)) for x1, x2 in found]
    assert held[1] == disk[1] == 592.0
    assert disk[0] == pytest.approx(8 + 584 * 100 / 7200, abs=2)
    assert cpu == pytest.approx((8 + 584 * 200 / 7200, 8 + 584 * 3700 / 7200), abs=8)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (
            "",
            [
                "Summary of the alerts that are held back",
                "Alert a-4",
                "Service stopped",
                "Disk C: is full",
                "CPU <hot>",
            ],
        ),
        ("open", ["Summary of the alerts that are held back", "Disk C: is full"]),
        ("waiting", ["Alert a-4"]),
        ("error", ["Service stopped"]),
        ("closed", ["CPU <hot>"]),
        ("none", []),
    ],
)
def test_alerts_are_filtered_by_state(guest: Guest, state: str, shown: list[str]) -> None:
    html = page(guest, "/alerts", state=state)
    titles = re.findall(r'<p class="what"><strong>(.*?)</strong>', html)
    assert [title.replace("&lt;", "<").replace("&gt;", ">") for title in titles] == shown
    assert guest.get("/sync/acme%20%26%20co/alerts", state="other").status_code == 404


def test_pages_need_the_session_and_write_nothing(guest: Guest, folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.suffix in (".yaml", ".json")}
    for path in PAGES:
        page(guest, path)
        assert Guest(guest.site)._client.get(f"/sync/acme%20%26%20co{path}").status_code == 403
    assert {path: path.read_bytes() for path in before} == before
    assert not (folder / "pins.yaml").exists()
