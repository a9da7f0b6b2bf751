"""Reruns of whole jobs that pages start, resume, and show as one run with their steps."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.catalog.catalog import Catalog
from connector.runs.output_names import absolute, id_of
from connector.runs.records import forget
from connector.sandbox.ninjaone.server import Sandbox
from connector.web.consent import question_of_steps
from tests.cli.conftest import Ninjaone
from tests.cli.conftest import in_process as in_process
from tests.cli.conftest import ninjaone as ninjaone
from tests.cli.conftest import process as process
from tests.cli.test_rerun_job import STEPS, codes, made
from tests.cli.test_rerun_job import onboarding as onboarding
from tests.cli.test_rerun_job_safety import killed
from tests.web.guest import Guest, open_site, until
from tests.web.runs.test_job_view import text_of

pytestmark = pytest.mark.in_process


@pytest.fixture
def guest(catalog: Catalog) -> Iterator[Guest]:
    with open_site(catalog) as guest:
        yield guest


def id_of_step(folder: Path, step: str) -> str:
    return id_of(absolute(folder / f"{step}.jsonl"))


def confirm(guest: Guest, path: str, rows: int) -> str:
    """Confirm a rerun of so many rows; return the id of the run that starts."""
    asked = guest.post(path, {"once": path}).get_json()["ask"]
    assert f"This runs {rows} row" in asked
    assert "Rerun of the job out, on 127.0.0.1:" in asked
    response = guest.post(path, {"once": path, "confirmed": str(rows)})
    assert response.status_code == 200, response.text
    return str(response.get_json()["location"].rpartition("/")[2])


def ended(guest: Guest, folder: Path) -> str:
    """Wait for the last step of a rerun; return its page."""
    last = id_of_step(folder, STEPS[-1])
    until(lambda: guest.get(f"/runs/{last}").status_code == 200)
    return guest.wait(last)


def test_a_whole_job_is_rerun_from_the_page_of_a_step(
    guest: Guest, onboarding: Path, sandbox: Sandbox
) -> None:
    folder = onboarding / "out"
    page = guest.get(f"/runs/{id_of_step(folder, 'check')}").text
    assert "Rerun 3 failed rows through all steps" in page
    assert "Rerun 3 failed rows of the job out" in guest.get("/runs").text
    before = len(made(sandbox, executed=False))
    path = f"/runs/{id_of_step(folder, 'check')}/rerun-job"
    assert "Create New Organization: " in guest.post(path, {"once": "x"}).get_json()["ask"]
    assert guest.post(path, {"once": "x", "confirmed": "2"}).get_json()["ask"]
    assert len(made(sandbox, executed=False)) == before
    assert confirm(guest, path, 3) == id_of_step(folder / "rerun", "organization")
    assert confirm_again(guest, path) == id_of_step(folder / "rerun", "organization")

    page = ended(guest, folder / "rerun")
    shown = text_of(page)
    assert "Job out/rerun finished organization finished site finished check finished" in shown
    assert "through all steps" not in shown
    assert codes(folder / "rerun", *STEPS) == [[None], [None, None], [None, None, None]]
    assert len(made(sandbox, executed=False)) == before + 3
    assert set(Counter(made(sandbox)).values()) == {1}
    listed = text_of(guest.get("/runs").text)
    assert listed.index("Job out/rerun finished 3 steps") < listed.index("Job out finished, 4 failed 3 steps")
    nothing = guest.post(path, {"once": "y", "confirmed": "3"})
    assert nothing.status_code == 400
    assert "No failed rows of this job can be rerun" in nothing.get_json()["error"]


def confirm_again(guest: Guest, path: str) -> str:
    """A second click of the same button starts nothing."""
    response = guest.post(path, {"once": path, "confirmed": "3"})
    return str((response.get_json().get("location") or "").rpartition("/")[2]) or "refused"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("of", ["rerun", "job"])
def test_a_killed_rerun_of_a_job_is_resumed(
    guest: Guest, onboarding: Path, sandbox: Sandbox, of: str
) -> None:
    """By the button of the interrupted step, and by that of the job."""
    folder = onboarding / "out"
    killed(onboarding, sandbox, 2)
    interrupted = id_of_step(folder / "rerun", "site")
    page = until(lambda: 'id="resume"' in (page := guest.get(f"/runs/{interrupted}").text) and page)
    assert "Job out/rerun interrupted, can be resumed" in text_of(page)
    before = made(sandbox, executed=False)
    resumed = f"/runs/{interrupted}/resume"
    path = resumed if of == "rerun" else f"/runs/{id_of_step(folder, 'check')}/rerun-job"
    assert confirm(guest, path, 3) == interrupted
    assert "finished" in ended(guest, folder / "rerun")
    assert codes(folder / "rerun", *STEPS) == [[None], ["outcome_unknown", None], [None, None]]
    assert made(sandbox, executed=False)[len(before) :] == ["Globex Town of Globex"]


def test_a_job_without_records_is_not_rerun(guest: Guest, onboarding: Path, ninjaone: Ninjaone) -> None:
    check = id_of_step(onboarding / "out", "check")
    forget(onboarding / "out/site.jsonl")
    response = guest.post(f"/runs/{check}/rerun-job", {"once": "x"})
    assert response.status_code == 400
    assert "rerun it with its job file" in response.get_json()["error"]


def test_what_a_rerun_of_a_job_asks(catalog: Catalog) -> None:
    """A destructive step requires the number of rows, and a write a confirmation, except in the sandbox."""

    def asked(*names: str, is_real: bool) -> bool | None:
        actions = [(action := catalog.action(name), catalog.service(action.service)) for name in names]
        found = question_of_steps("out", actions, 3, "acme", is_real=is_real)
        return found and found.destructive

    assert asked("list_devices", "reboot_device", is_real=False) is True
    assert asked("list_devices", "update_device", is_real=True) is False
    assert asked("list_devices", "update_device", is_real=False) is None
    assert asked("list_devices", is_real=True) is None
