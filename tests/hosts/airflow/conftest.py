"""Installations of Airflow, made by `make airflow`, each with a sandbox, a home and the wheels of today."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from connector.sandbox.ninjaone.server import Sandbox
from tests.conftest import ROOT
from tests.environments import offline_pip, run
from tests.install import STAMP

HERE = Path(__file__).parent
PROVIDER = ROOT / "integrations" / "airflow"
PATIENCE_S = 1200
VERSIONS = [path.stem for path in sorted((ROOT / "requirements" / "airflow").glob("*.txt"))]
MARK = "RESULT "


@dataclass(frozen=True)
class Airflow:
    """An installed Airflow, with a database of its own."""

    programs: Path
    environment: dict[str, str]
    home: Path
    work: Path
    sandbox: Sandbox

    def start(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.programs / program, *arguments],
            cwd=HERE,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, program: str, *arguments: str) -> str:
        with self.start(program, *arguments) as process:
            printed, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, printed
        return printed

    def drive(self, *arguments: str) -> tuple[dict[str, Any], str]:
        """Run DAGs with drive.py; return their result, and what was printed before it."""
        before, mark, result = self.run("python", "drive.py", *arguments).rpartition(MARK)
        assert mark, result
        return json.loads(result.splitlines()[0]), before

    def created(self, prefix: str = "") -> list[str]:
        """The names of the organizations that the sandbox was asked to create."""
        names = [r["body"]["name"] for r in self.sandbox.log.requests() if r["method"] == "POST"]
        return [name for name in names if name.startswith(prefix)]


@pytest.fixture(scope="session")
def provider_wheel(shared_folder: Path) -> Path:
    """The wheel of the provider, built of a copy of its sources."""
    folder = shared_folder / "airflow-provider"
    with FileLock(f"{folder}.lock"):
        if not (folder / "dist").exists():
            for path in (*PROVIDER.glob("*.*"), *PROVIDER.glob("*/*.*")):
                copy = folder / path.relative_to(PROVIDER)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
            offline_pip(Path(sys.executable), "wheel", "--no-deps", "-w", folder / "dist", folder, cwd=folder)
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module", params=VERSIONS)
def airflow(
    request: pytest.FixtureRequest,
    wheel: Path,
    provider_wheel: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Airflow]:
    """An Airflow with both wheels, and with connections to a sandbox; its database is migrated."""
    programs = ROOT / "build" / f"airflow-{request.param}" / "bin"
    if not (programs.parent / STAMP).exists():
        pytest.skip(f"Airflow {request.param} is not installed: run `make airflow`")
    home, work = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("work")
    python = programs / "python"
    offline_pip(python, "install", "--no-deps", "--force-reinstall", wheel, provider_wheel, cwd=home)
    run(sys.executable, "-m", "pip", "--python", python, "check", cwd=home)
    with Sandbox() as sandbox:
        installed = Airflow(programs, environment(programs, home, work, sandbox), home, work, sandbox)
        installed.run("airflow", "db", "migrate")
        yield installed


def environment(programs: Path, home: Path, work: Path, sandbox: Sandbox) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("LANG", "HOME", "TMPDIR") if name in os.environ}
    account = {"conn_type": "ninjaone", "host": sandbox.base_url, "login": sandbox.client_id}
    account["password"] = sandbox.client_secret
    folders = {f"XDG_{name}_HOME": str(home / name) for name in ("CACHE", "STATE", "CONFIG", "DATA")}
    return {
        **kept,
        **folders,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(HERE / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW_CONN_NINJAONE_DEFAULT": json.dumps({**account, "extra": {"delay_ms": 0}}),
        "AIRFLOW_CONN_NINJAONE_SLOW": json.dumps({**account, "extra": {"delay_ms": 150}}),
        "AIRFLOW_CONN_NINJAONE_WRONG": json.dumps({**account, "password": "wrong-secret"}),
        "SANDBOX": sandbox.base_url,
        "FOLDER": str(work),
    }
