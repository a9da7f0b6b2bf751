"""The recipes of docs/python-engines.md, by the real engines. `make recipes` installs them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.docs.console import Shell, check_block
from tests.docs.pages import blocks, page
from tests.hosts.programs import programs

PAGE = "docs/python-engines.md"
BUSY = {"fault": "answer", "status": 429, "headers": {"Retry-After": "3600"}}
"""A fault after which the client gives up, because it would have to wait for too long."""
RETRIED = {"Prefect": [None, BUSY], "Celery": [BUSY], "Dask": []}
"""The faults of the requests of each recipe; the recipe with a retry succeeds nevertheless."""


def of_recipe(engine: str) -> str:
    """The section of the page about an engine."""
    _, _, rest = page(PAGE).partition(f"\n## {engine}\n")
    return rest.partition("\n## ")[0]


@pytest.mark.slow
@pytest.mark.parametrize("engine", list(RETRIED))
def test_the_recipe_shows_what_it_prints(
    engine: str, wheel: Path, tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    monkeypatch.setenv("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "240")
    folder = tmp_path / "work"
    folder.mkdir()
    connection = "".join(f"{name}: {value}\n" for name, value in sandbox.connection.items())
    (folder / "sandbox.yaml").write_text(connection)
    port = int(sandbox.base_url.rpartition(":")[2])
    shell = Shell(folder, tmp_path / "shell", port, programs("recipes", wheel))
    sandbox.set_faults(queue=RETRIED[engine])
    try:
        for block in blocks(of_recipe(engine)):
            if block.file or Path(__file__).name in (block.not_run or ""):
                check_block(shell, PAGE, block)
    finally:
        shell.close()
    sent = Counter(request["path"] for request in sandbox.log.requests())
    assert sum(sent.values()) == {"Prefect": 4, "Celery": 2, "Dask": 3}[engine], sent
