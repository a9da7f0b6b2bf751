"""What a call imports: only what it uses, because imports take most of its time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connector.cli.main import main
from connector.common import strict_yaml
from connector.sandbox.ninjaone.server import Sandbox

UNUSED = (
    *("jinja2", "pickle", "jsonschema", "requests", "ssl", "email", "sqlite3", "csv"),
    *("decimal", "encodings.idna", "unicodedata"),
    *(f"connector.files.{name}" for name in ("readers", "output", "file_output", "work_folder")),
    *(f"connector.files.{name}" for name in ("journal", "stream_output", "list_envelope", "long_list")),
    *(f"connector.runs.{name}" for name in ("run", "records", "job_file", "summary", "tenant_accounts")),
    *(f"connector.runs.{name}" for name in ("expected_rows", "selection")),
    *("connector.catalog.own_actions", "connector.client.audit", "connector.client.refresh_grant"),
    "connector.connections.refresh_tokens",
)
MAX_MODULES = 113
"""The maximum number of own modules in a call; each takes 0.1 ms, and its classes more."""
MAX_DATACLASSES = 18
"""The maximum number of dataclasses in a call; each takes 0.3 ms, and up to 2 ms with many fields."""

COUNTING = """
import json, sys
from connector.cli.main import main

exit_code = main(sys.argv[1:])
named = [value for module in [*sys.modules.values()] for value in [*vars(module).values()]]
classes = {value for value in named if isinstance(value, type) and "__dataclass_fields__" in vars(value)}
print(json.dumps([[*sys.modules], [cls.__name__ for cls in classes]]), file=sys.stderr)
sys.exit(exit_code)
"""
"""Runs a command, and prints the names of the modules and dataclasses that it has loaded."""


def test_a_call_loads_no_module_that_it_does_not_use(sandbox: Sandbox, tmp_path: Path) -> None:
    connection = tmp_path / "connection.yaml"
    connection.write_text("".join(f"{key}: {value}\n" for key, value in sandbox.connection.items()))
    arguments = ("call", "get_device", "device_id=1", "--delay-ms", "0", "-c", str(connection))
    done = subprocess.run(
        [sys.executable, "-c", COUNTING, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded, dataclasses = json.loads(done.stderr)
    assert set(UNUSED) & set(loaded) == set()
    assert len([name for name in loaded if name.partition(".")[0] == "connector"]) <= MAX_MODULES
    assert len(dataclasses) <= MAX_DATACLASSES, dataclasses


def test_a_call_reads_the_declaration_of_its_action_once(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def load(path: Path, **options: Any) -> Any:
        read.append(path)
        return strict_yaml_load(path, **options)

    strict_yaml_load = strict_yaml.load
    monkeypatch.setattr(strict_yaml, "load", load)
    connection = tmp_path / "connection.yaml"
    connection.write_text("".join(f"{key}: {value}\n" for key, value in sandbox.connection.items()))
    assert main(["call", "get_device", "device_id=1", "--delay-ms", "0", "-c", str(connection)]) == 0
    assert [path.name for path in read].count("get_device.yaml") == 1
