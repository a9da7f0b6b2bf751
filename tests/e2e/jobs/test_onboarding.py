"""Clients are onboarded from a workbook with a wrong row, which is corrected and goes through all steps."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.e2e.jobs.conftest import WriteJob, sent, step

pytestmark = pytest.mark.in_process

COLUMNS = ("Client", "Site", "Address", "Plan", "Until")
UNTIL = date(2027, 12, 31)
RIGHT = [
    ("Hazel Bakery", "Mill", "1 Mill Lane", "Gold", UNTIL),
    ("Hazel Bakery", "Shop", "2 High Street", "Gold", UNTIL),
    ("Larch Pharmacy", "Office", "3 Court Road", "Silver", UNTIL),
    ("Larch Pharmacy", "Store", "4 Court Road", "Silver", UNTIL),
    ("Alder Dental", "Annex", "5 Long Row", "Bronze", UNTIL),
]
OWN = {"organization_id": "{{ organization.id }}"}
FIELDS = '{"supportPlan": "{{ Plan }}", "contractEnd": "{{ Until }}"}'
SITE = {**OWN, "name": "{{ Site }}", "address": "{{ Address }}", "if_missing": True}
INSTALLER = {**OWN, "location_id": "{{ site.id }}", "installer_type": "WINDOWS_MSI"}
STEPS = [
    step(
        *("organization", "create_organization", {"name": "{{ Client }}", "if_missing": True}),
        distinct="{{ Client }}",
    ),
    step(
        *("contract", "update_organization_custom_fields", {**OWN, "fields": FIELDS}),
        of="organization",
        distinct="{{ organization.id }}",
    ),
    step("site", "create_location", SITE, of="contract"),
    step("installer", "generate_installer", INSTALLER, of="site"),
]


def write_sheet(path: Path, rows: list[tuple[Any, ...]]) -> None:
    book = Workbook()
    for row in (COLUMNS, *rows):
        book.active.append(row)
    book.save(path)


def correct(path: Path, column: str, value: str) -> list[Any]:
    """Correct a column of all rows of a workbook; return their numbers and steps."""
    book = load_workbook(path)
    header, *rows = book.active.iter_rows()
    names = [cell.value for cell in header]
    assert names == ["row", "step", *COLUMNS, "error"]
    for row in rows:
        row[names.index(column)].value = value
    book.save(path)
    return [(row[0].value, row[1].value) for row in rows]


@pytest.mark.parametrize(
    ("column", "wrong", "failed"),
    [
        ("Client", None, [(3, "organization"), (4, "organization")]),
        ("Plan", "Platinum", [(3, "contract"), (4, "contract")]),
    ],
)
def test_a_wrong_row_is_repaired_through_all_steps(
    ninjaone: Ninjaone,
    write_job: WriteJob,
    sandbox: Sandbox,
    tmp_path: Path,
    column: str,
    wrong: str | None,
    failed: list[Any],
) -> None:
    """Two sites of a client have the wrong value, in a table with one row for each site."""
    at = COLUMNS.index(column)
    rows = [(*row[:at], wrong, *row[at + 1 :]) if row[0] == "Larch Pharmacy" else row for row in RIGHT]
    write_sheet(tmp_path / "clients.xlsx", rows)
    write_job(input="clients.xlsx", output="out", steps=STEPS)
    before = {organization["name"] for organization in sandbox.state.organizations.values()}
    assert "Alder Dental" in before

    done = ninjaone("run", "job.yaml")
    assert done.returncode == 1, done.stderr
    assert "2 failed rows to fix first: ninjaone failed out -o FILE" in done.stderr
    written = ninjaone("failed", "out", "-o", "fix.xlsx")
    assert written.returncode == 0, written.stderr
    right = next(row for row in RIGHT if row[0] == "Larch Pharmacy")[at]
    assert correct(tmp_path / "fix.xlsx", column, right) == failed
    done = ninjaone("rerun", "out", "--input", "fix.xlsx")
    assert done.returncode == 0, done.stderr
    assert "no rows to rerun" in ninjaone("rerun", "out").stderr

    by_name = {its["name"]: its for its in sandbox.state.organizations.values()}
    assert by_name.keys() == {*before, "Hazel Bakery", "Larch Pharmacy"}
    names = {its["id"]: name for name, its in by_name.items()}
    sites = [(names[its["organizationId"]], its["name"]) for its in sandbox.state.locations.values()]
    assert {(row[0], row[1]) for row in RIGHT} <= set(sites)
    assert len(sites) == len(set(sites))
    posts = Counter((r["path"], r["body"]["name"]) for r in sent(sandbox) if r["method"] == "POST")
    assert set(posts.values()) == {1}
    assert len(posts) == 2 + 5  # a client exists already
    contracts = [r["path"] for r in sent(sandbox) if r["method"] == "PATCH"]
    ids = {by_name[name]["id"] for name in ("Hazel Bakery", "Larch Pharmacy", "Alder Dental")}
    assert sorted(contracts) == sorted(f"/v2/organization/{id}/custom-fields" for id in ids)
    installers = [r["path"] for r in sandbox.log.requests() if "/installer/" in r["path"]]
    assert len(installers) == len(set(installers)) == 5
