"""The reference names every action and input, and the page in the repository is the current one."""

from __future__ import annotations

import pytest

from connector.authoring.reference import write_reference
from connector.catalog.catalog import Catalog
from tests.conftest import ROOT
from tests.kept_catalog import CATALOG


@pytest.mark.parametrize("service", CATALOG.services)
def test_the_page_in_the_repository_is_current(catalog: Catalog, service: str) -> None:
    file = "actions.md" if service == "ninjaone" else f"actions-{service}.md"
    page = write_reference(catalog.actions(service), catalog.service(service))
    assert (ROOT / "docs" / file).read_text(encoding="utf-8") == page
    title = "Action reference" if service == "ninjaone" else f"{catalog.service(service).title} action"
    assert page.startswith(f"# {title}")


def test_every_action_and_input_is_there(catalog: Catalog) -> None:
    page = write_reference(catalog.actions())
    for action in catalog.actions():
        assert f"\n### {action.name}\n" in page
        entry = page.split(f"\n### {action.name}\n")[1].split("\n### ")[0]
        for name in action.inputs:
            assert f"| `{name}`" in entry
        assert all(f"| `{name}`\\* |" in entry for name in action.required)


def test_a_cell_stays_one(catalog: Catalog) -> None:
    for line in write_reference(catalog.actions("ninjaone")).splitlines():
        if line.startswith("| `"):
            assert line.replace("\\|", "").count("|") == 4
