"""The jobs in `examples/halopsa`, run against the sandbox, whose state shows their effects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.connections.connection import make_connection
from connector.runs.job_file import load_jobs
from connector.runs.job_run import run_all
from connector.runs.prepared import prepare_all
from connector.sandbox.halopsa.server import HaloSandbox
from tests.conftest import ROOT
from tests.halopsa.sandboxes import CATALOG, SERVICE

Counts = dict[str, tuple[int, int]]
Workflow = Callable[[str], Counts]


@pytest.fixture
def box() -> Iterator[HaloSandbox]:
    with HaloSandbox() as running:
        yield running


@pytest.fixture
def workflow(box: HaloSandbox, tmp_path: Path) -> Workflow:
    """Run a job, and return the numbers of successful and failed rows of each step."""
    settings = {name: value for name, value in box.connection.items() if name != "service"}
    connection = make_connection(SERVICE, settings, "the sandbox")

    def run(name: str) -> Counts:
        given = {"output": str(tmp_path / "out"), "delay_ms": 0}
        jobs = load_jobs(ROOT / "examples" / "halopsa" / f"{name}.yaml", given)
        ended = {}
        for step, summary in run_all(prepare_all(jobs, CATALOG), "restart", connection=connection):
            assert summary is not None
            ended[str(step.job.step)] = (summary.succeeded, summary.failed)
        return ended

    return run


def results(folder: Path, step: str) -> list[Any]:
    lines = (folder / "out" / f"{step}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["result"] for line in lines]


def test_tickets_from_csv(workflow: Workflow, box: HaloSandbox, tmp_path: Path) -> None:
    assert workflow("tickets-from-csv") == {"found": (3, 0), "ticket": (2, 0)}
    starter, backup = (box.state.tickets[made["id"]] for made in results(tmp_path, "ticket"))
    assert (starter["summary"], starter["client_id"], starter["priority_id"]) == (
        "New starter on Monday",
        11,
        3,
    )
    assert (backup["client_id"], backup["priority_id"], backup["category_1"]) == (12, 2, "Software")


def test_close_with_note(workflow: Workflow, box: HaloSandbox) -> None:
    assert workflow("close-with-note") == {"note": (2, 0), "closed": (2, 0)}
    assert [box.state.tickets[number]["hasbeenclosed"] for number in (2001, 2002, 2003)] == [True, True, None]
    notes = {a["ticket_id"]: a for a in box.state.actions.values() if a["outcome_id"] == 1}
    assert notes[2001]["note_html"] == "Drum replaced. 200 pages tested &amp; fine."
    (sent,) = [
        one["body"][0] for one in box.log.requests() if one["body"] and "Firmware" in str(one["body"])
    ][:1]
    assert (sent["timetaken"], notes[2002]["hiddenfromuser"]) == (0.75, False)
    # Once more: the notes are added again, and the tickets stay closed as they are.
    closed = [box.state.tickets[number]["dateclosed"] for number in (2001, 2002)]
    assert workflow("close-with-note")["closed"] == (2, 0)
    assert [box.state.tickets[number]["dateclosed"] for number in (2001, 2002)] == closed


def test_a_ticket_that_stays_open_is_a_failed_row(workflow: Workflow, box: HaloSandbox) -> None:
    box.set_trap("closing", "refused")
    assert workflow("close-with-note") == {"note": (2, 0), "closed": (0, 2)}


def test_asset_field(workflow: Workflow, box: HaloSandbox) -> None:
    before = [dict(box.state.assets.fields(number)) for number in (5002, 5003)]
    assert workflow("asset-field") == {"asset": (3, 0), "updated": (2, 0)}
    for number, fields, memory in zip((5002, 5003), before, ("32 GB", "64 GB"), strict=True):
        after = {field: value for field, value in box.state.assets.fields(number).items() if value}
        assert after == {**fields, 44: memory, 51: "Desk 16"}


def test_clients_and_sites(workflow: Workflow, box: HaloSandbox) -> None:
    state = box.state
    clients, sites = len(state.clients), len(state.sites)
    first = workflow("clients-and-sites")
    assert (first["created"], first["site"]) == ((1, 0), (1, 0))
    assert (len(state.clients), len(state.sites)) == (clients + 1, sites + 2)
    named = {client["name"]: number for number, client in state.clients.items()}
    assert [site["name"] for site in state.sites_of(named["Willow Veterinary"])] == ["Main Street"]
    assert "North Branch" in [site["name"] for site in state.sites_of(11)]
    again = workflow("clients-and-sites")
    assert (again["created"], again["site"]) == ((0, 0), (0, 0))
    assert (len(state.clients), len(state.sites)) == (clients + 1, sites + 2)
