"""Independent programs find no fault in the documents of `ninjaone serve`, nor in what it answers.

`make openapi` installs openapi-spec-validator, Spectral and schemathesis in folders of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.callers.keys import Keys
from connector.sandbox.ninjaone.server import Sandbox
from tests.conftest import ROOT
from tests.serve.web import ALL, Serving, serving

ST = ROOT / "build" / "openapi" / "bin" / "st"
SPECTRAL = ROOT / "build" / "spectral" / "node_modules" / ".bin" / "spectral"
VALIDATORS = {
    "openapi.json": "OpenAPIV31SpecValidator",
    "openapi-3.0.json": "OpenAPIV30SpecValidator",
    "swagger.json": "OpenAPIV2SpecValidator",
    "power-automate.json": "OpenAPIV2SpecValidator",
}
SECONDS = 110
"""How long schemathesis makes requests; within this time it meets every operation several times."""

pytestmark = pytest.mark.slow
needs_schemathesis = pytest.mark.skipif(
    not ST.exists(), reason="schemathesis is not installed: run make openapi"
)
needs_spectral = pytest.mark.skipif(
    not SPECTRAL.exists(), reason="Spectral is not installed: run make openapi"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Serving, str]]:
    """A server over a sandbox with folders for files, and a key for everything."""
    with Sandbox() as sandbox:
        path = tmp_path / "acme.yaml"
        path.write_text("".join(f"{name}: {value}\n" for name, value in sandbox.connection.items()))
        key = Keys().add("all", ALL, "2026-11-29")
        folders = ("--uploads", str(tmp_path / "uploads"), "--files", str(tmp_path / "files"))
        for folder in folders[1::2]:
            Path(folder).mkdir()
        with serving("--connection", str(path), *folders) as running:
            yield running, key


def document(server: tuple[Serving, str], name: str, folder: Path) -> Path:
    running, key = server
    response = requests.get(f"{running.address}/{name}", headers={"X-API-Key": key}, timeout=60)
    path = folder / name
    path.write_bytes(response.content)
    return path


def run(*command: object, **environment: str) -> str:
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=SECONDS + 120,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout


@needs_schemathesis
def test_openapi_spec_validator_finds_no_error(server: tuple[Serving, str], tmp_path: Path) -> None:
    for name, validator in VALIDATORS.items():
        code = (
            f"import json, sys, openapi_spec_validator as v; "
            f"errors = list(v.{validator}(json.load(open(sys.argv[1]))).iter_errors()); "
            f"print(*[error.message[:300] for error in errors], sep='\\n'); sys.exit(bool(errors))"
        )
        run(ST.with_name("python"), "-c", code, document(server, name, tmp_path))


@needs_spectral
def test_spectral_finds_neither_error_nor_warning(server: tuple[Serving, str], tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text('extends: ["spectral:oas"]\n')
    for name in VALIDATORS:
        path = document(server, name, tmp_path)
        run(SPECTRAL, "lint", "--fail-severity", "warn", "--ruleset", rules, path)


HOOKS = """
import schemathesis

@schemathesis.hook
def filter_case(context, case):
    # A header that is unknown is no fault of a request.
    return not any(name.lower().startswith("x-schemathesis") for name in case.headers or {})
"""


def without_options(document: Any) -> Any:
    """Return the document with the confirmation as the only parameter.

    Random requests repeat an Idempotency-Key for another body, and `status=mirror` shows what the API
    refuses.
    """
    for path, methods in document["paths"].items():
        operation = methods["post"]
        parameters = [one for one in operation["parameters"] if one["$ref"].endswith("/confirm")]
        document["paths"][path] = {"post": {**operation, "parameters": parameters}}
    others = {path for path in document["paths"] if path.startswith("/actions/halopsa.")}
    paths = {path: methods for path, methods in document["paths"].items() if path not in others}
    return {**document, "paths": paths, "security": []}


@needs_schemathesis
def test_schemathesis_finds_nothing(server: tuple[Serving, str], tmp_path: Path) -> None:
    running, key = server
    path = document(server, "openapi.json", tmp_path)
    path.write_text(json.dumps(without_options(json.loads(path.read_text()))))
    (tmp_path / "st_hooks.py").write_text(HOOKS)
    printed = run(
        *(ST, "run", path, "--url", running.address, "-H", f"X-API-Key: {key}", "--no-color", "--no-shrink"),
        *("--phases", "examples,coverage,fuzzing", "-n", "3", "--max-time", SECONDS, "--seed", "1"),
        SCHEMATHESIS_HOOKS="st_hooks",
        PYTHONPATH=str(tmp_path),
    )
    assert "No issues found" in printed
