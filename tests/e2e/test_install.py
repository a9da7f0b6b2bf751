"""The built wheel and an editable install, each in an environment of its own, outside the checkout.

Needs the packages that `make wheels` has put aside (the `make test` target does), and no network.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.catalog.catalog import Catalog
from tests.environments import copy_sources, environment, offline_pip, run

WHERE = """
import json
from connector.catalog.catalog import Catalog
from connector.invocation.handlers import find_handler
action = Catalog().action("create_organization")
print(json.dumps([str(action.file), str(action.handler), find_handler(action).__name__]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("editable", [pytest.param(False, id="wheel"), pytest.param(True, id="editable")])
def test_installed_outside_the_checkout_it_runs_the_demo(tmp_path: Path, wheel: Path, editable: bool) -> None:
    bin, checkout = environment(tmp_path / "environment"), copy_sources(tmp_path)
    if editable:
        offline_pip(bin / "python", "install", "--editable", checkout, cwd=tmp_path)
        expected = checkout / "actions"
    else:
        offline_pip(bin / "python", "install", wheel, cwd=tmp_path)
        expected = tmp_path / "environment"
    file, handler, function = json.loads(run(bin / "python", "-c", WHERE, cwd=tmp_path))
    assert Path(file).is_relative_to(expected)
    assert Path(handler).is_relative_to(expected)
    assert function == "handle"
    message = run(bin / "ninjaone", "demo", cwd=tmp_path)
    assert "create_organization: 6 rows, 2 succeeded, 4 failed" in message
    assert (tmp_path / "demo-output" / "devices.csv").exists()
    assert f": {len(Catalog().names)} actions, " in run(
        bin / "ninjaone", "catalog", "export", "catalogue", cwd=tmp_path
    )
    assert "0 problems" in run(bin / "ninjaone", "catalog", "check", cwd=tmp_path)
    listed = {line.split()[0] for line in run(bin / "ninjaone", "docs", cwd=tmp_path).splitlines() if line}
    assert {p.stem for p in (checkout / "docs").glob("*.md")} <= listed
    page = (checkout / "docs" / "security.md").read_text(encoding="utf-8")
    assert run(bin / "ninjaone", "docs", "security", cwd=tmp_path) == page
    run(bin / "ninjaone", "examples", "copy", "mine", cwd=tmp_path)
    given = (p.relative_to(checkout / "examples") for p in (checkout / "examples").rglob("*.*"))
    examples = {path for path in given if path.suffix != ".pyc"}
    copied = {p.relative_to(tmp_path / "mine") for p in (tmp_path / "mine").rglob("*.*")}
    assert copied == examples - {Path("__init__.py")}
