"""The reference names every action and input, and the page in the repository is the current one."""

from __future__ import annotations

from connector.authoring.reference import write_reference
from connector.catalog.catalog import Catalog
from tests.conftest import ROOT


def test_the_page_in_the_repository_is_current(catalog: Catalog) -> None:
    assert (ROOT / "docs" / "actions.md").read_text(encoding="utf-8") == write_reference(
        catalog.actions("ninjaone")
    )


def test_every_action_and_input_is_there(catalog: Catalog) -> None:
    page = write_reference(catalog.actions("ninjaone"))
    for action in catalog.actions():
        assert f"\n### {action.name}\n" in page
        entry = page.split(f"\n### {action.name}\n")[1].split("\n### ")[0]
        for name in action.inputs:
            assert name == "delay_ms" or f"| `{name}`" in entry
        assert all(f"| `{name}`\\* |" in entry for name in action.required)


def test_a_cell_stays_one(catalog: Catalog) -> None:
    for line in write_reference(catalog.actions("ninjaone")).splitlines():
        if line.startswith("| `"):
            assert line.replace("\\|", "").count("|") == 4
