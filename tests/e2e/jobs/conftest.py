"""A folder with a connection to a sandbox, and what the sandbox was asked to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import in_process as in_process
from tests.cli.conftest import ninjaone as ninjaone
from tests.cli.conftest import process as process

WriteJob = Callable[..., None]


@pytest.fixture
def write_job(connection_file: Path, tmp_path: Path) -> WriteJob:
    """Write job.yaml, with the test's connection and without a delay."""

    def write(**settings: Any) -> None:
        job = {"connection": connection_file.name, "delay_ms": 0, **settings}
        (tmp_path / "job.yaml").write_text(yaml.safe_dump(job, sort_keys=False))

    return write


def step(
    name: str,
    action: str,
    templates: Mapping[str, Any] | None = None,
    *,
    of: str = "",
    only: str = "",
    **more: Any,
) -> dict[str, Any]:
    """Return a step of a job. Its rows are those of the step `of`, or those of them that match `only`."""
    given = {"input": {"step": of, **({"only": only} if only else {})}} if of else {}
    return {"name": name, "action": action, **given, **more, "templates": dict(templates or {})}


def changes(sandbox: Sandbox, since: int = 0) -> Counter[str]:
    """The executed requests that changed something, each as `METHOD PATH`, and how often they were sent."""
    return Counter(f"{r['method']} {r['path']}" for r in sent(sandbox, since) if r["executed"])


def sent(sandbox: Sandbox, since: int = 0) -> list[Mapping[str, Any]]:
    """All requests for changes, also those that were refused."""
    return [r for r in sandbox.log.requests(since) if r["method"] != "GET"]


def once(requests: Iterable[str]) -> Counter[str]:
    """Each of these requests, sent once."""
    return Counter(dict.fromkeys(requests, 1))
