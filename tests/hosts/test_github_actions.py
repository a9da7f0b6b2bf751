"""The workflow of docs/github-actions.md: its steps by the shell, and the file by GitHub's schema."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.sandbox.ninjaone.server import Sandbox
from tests.docs.pages import Block, blocks, page
from tests.environments import WHEELS, environment
from tests.hosts.programs import PATIENCE_S, programs, run_host

PAGE = "docs/github-actions.md"
WORKFLOW = ".github/workflows/names.yml"

pytestmark = pytest.mark.slow


def write_repository(folder: Path) -> dict[str, Any]:
    """Write the files that the page shows, and return the workflow."""
    shown: dict[str, Block] = {block.file: block for block in blocks(page(PAGE)) if block.file}
    for name, block in shown.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(block.text)
    return dict(yaml.safe_load(shown[WORKFLOW].text))


def test_the_steps_run_as_they_are_written(wheel: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    workflow = write_repository(tmp_path)
    (job,) = workflow["jobs"].values()
    settings = {"NINJAONE_BASE_URL": sandbox.base_url, "NINJAONE_CLIENT_ID": sandbox.client_id}
    settings["NINJAONE_CLIENT_SECRET"] = sandbox.client_secret
    python = environment(tmp_path / "python", pip=True)
    runner = {
        "PATH": os.pathsep.join((str(python), os.environ["PATH"])),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "step-summary.md"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": f"{WHEELS} {wheel.parent}",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    failed, printed = False, {}
    for step in job["steps"]:
        if "run" not in step or (step.get("if") == "failure()") is not failed:
            continue
        variables = {**job.get("env", {}), **step.get("env", {})}
        for name, expression in variables.items():
            variables[name] = settings[re.fullmatch(r"\$\{\{ (?:vars|secrets)\.(\w+) \}\}", expression)[1]]  # type: ignore[index]
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=tmp_path,
            env={**os.environ, **runner, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
        )
        failed, printed[step["name"]] = failed or done.returncode != 0, done.stdout
        assert done.returncode == (1 if step["name"] == "Run the job" else 0), done.stdout
    assert list(printed) == ["Install", "Run the job", "Show what to correct"]
    assert "2 rows, 1 succeeded, 1 failed" in printed["Run the job"]
    envelopes = [json.loads(line) for line in (tmp_path / "names.jsonl").read_text().splitlines()]
    assert [envelope["meta"]["code"] for envelope in envelopes] == [None, "not_found"]
    assert json.loads((tmp_path / "summary.json").read_text())["exit_code"] == 1
    assert "2,9999,No such device,PATCH" in (tmp_path / "step-summary.md").read_text()
    assert sandbox.client_secret not in "".join(printed.values())


def test_the_workflow_is_valid_by_githubs_schema(wheel: Path, tmp_path: Path) -> None:
    write_repository(tmp_path)
    check = (programs("recipes", wheel) / "check-jsonschema", "--builtin-schema", "vendor.github-workflows")
    assert "ok" in run_host(*check, WORKFLOW, cwd=tmp_path)
    broken = (tmp_path / WORKFLOW).read_text().replace("runs-on", "runs_on")
    (tmp_path / "broken.yml").write_text(broken)
    assert "runs_on" in run_host(*check, "broken.yml", cwd=tmp_path, fails=True)
