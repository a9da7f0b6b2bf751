"""Unmatched records and conflicts over HTTP: what is shown of them, and writing pins."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from connector.catalog.catalog import Catalog
from connector.sync.pins import Pins, load_pins
from connector.sync.plan_file import plan_paths
from connector.sync.plan_items import Item
from connector.web.access import CSRF_HEADER
from connector.web.syncs.unmatched import make_unmatched
from tests.web.guest import Guest, open_site
from tests.web.syncs.shown import make_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "acme", time.time())


@pytest.fixture
def guest(catalog: Catalog, folder: Path) -> Iterator[Guest]:
    with open_site(catalog, folder) as guest:
        yield guest


def shown(guest: Guest) -> str:
    response = guest.get("/sync/acme/unmatched")
    assert response.status_code == 200, response.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text))


def test_conflicts_have_candidates_and_why(guest: Guest) -> None:
    message = shown(guest)
    assert "organization Initech 3 2 clients are called &#34;Initech&#34;" in message
    assert "It is client 18 Initech It is client 19 INITECH Another client id" in message
    assert "It is asset 8 PC-OLD It is asset 9 PC-2 Another asset id" in message
    assert (
        "Organizations without a client 1 organization Globex &amp; &lt;Sons&gt; 2 no client has the "
        in message
    )
    assert "s name, and clients.create is off" in message


def test_a_pin_is_written_and_taken_back(guest: Guest, folder: Path) -> None:
    response = guest.post("/sync/acme/pin", {"noun": "organization", "source": "3", "target": "19"})
    assert response.get_json() == {"location": "/sync/acme/unmatched"}
    guest.post("/sync/acme/pin", {"noun": "device", "source": "2", "target": " 9 "})
    assert load_pins(folder / "pins.yaml") == Pins(organization={3: 19}, device={2: 9})
    message = shown(guest)
    assert "organization Initech 3 pinned to 19" in message
    assert "Pins apply from the next plan on." in message
    assert "organization 3 client 19 Unpin device 2 asset 9 Unpin" in message
    guest.post("/sync/acme/unpin", {"noun": "organization", "source": "3"})
    assert load_pins(folder / "pins.yaml") == Pins(device={2: 9})


def test_a_pin_that_is_the_conflict_is_not_called_newer_than_the_plan() -> None:
    """Fails if the page says that a wrong pin applies from the next plan on, or offers it again."""

    class Plan:
        def items(self) -> Iterator[Item]:
            yield Item("conflict", "asset", 7, None, "pin", (), (9999,), "it does not exist", unfit=(9999,))

    old = make_unmatched(cast(Any, Plan()), Pins(device={7: 9999}))
    assert (old.newly_pinned, old.conflicts[0].candidates) == (False, [])
    assert make_unmatched(cast(Any, Plan()), Pins(device={7: 9})).newly_pinned


@pytest.mark.parametrize(
    ("path", "form", "message"),
    [
        ("pin", {"noun": "device", "source": "2", "target": "x"}, '"x" is not an id'),
        ("pin", {"noun": "device", "source": "2", "target": "0"}, '"0" is not an id'),
        ("pin", {"noun": "device", "source": "2", "target": "9" * 30}, "is not an id"),
        ("pin", {"noun": "ticket", "source": "2", "target": "9"}, '"ticket" cannot be pinned'),
        ("pin", {"noun": "device", "source": "3", "target": "9"}, "asset 9 is pinned to device 2"),
        ("unpin", {"noun": "device", "source": "3"}, "device 3 is not pinned"),
    ],
)
def test_what_is_no_pin_is_refused_and_the_file_stays(
    guest: Guest, folder: Path, path: str, form: dict[str, str], message: str
) -> None:
    guest.post("/sync/acme/pin", {"noun": "device", "source": "2", "target": "9"})
    response = guest.post(f"/sync/acme/{path}", form)
    assert (response.status_code, message in response.get_json()["error"]) == (400, True)
    assert load_pins(folder / "pins.yaml") == Pins(device={2: 9})


def test_a_pin_needs_the_token_of_our_pages(guest: Guest, folder: Path) -> None:
    form = {"noun": "device", "source": "2", "target": "9"}
    for headers in ({CSRF_HEADER: "other"}, {"Origin": "http://127.0.0.1:9"}):
        assert guest.post("/sync/acme/pin", form, headers=headers).status_code == 403
    assert guest.get("/sync/acme/pin").status_code == 405
    assert guest.post("/sync/other/pin", form).status_code == 404
    assert not (folder / "pins.yaml").exists()


def test_pins_that_were_edited_wrongly_are_said_and_not_overwritten(guest: Guest, folder: Path) -> None:
    (folder / "pins.yaml").write_text("devices: {2: nine}\n")
    assert "pins.yaml, line 1" in shown(guest)
    response = guest.post("/sync/acme/pin", {"noun": "device", "source": "3", "target": "9"})
    assert response.status_code == 400
    assert (folder / "pins.yaml").read_text() == "devices: {2: nine}\n"


def test_without_a_plan_the_page_says_how_to_make_one(guest: Guest, folder: Path) -> None:
    plan_paths(folder)[0].unlink()
    assert "ninjaone sync plan" in shown(guest)
