"""What a call imports: only what it uses, because imports take most of its time."""

from __future__ import annotations

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
    *(f"connector.files.{name}" for name in ("readers", "output", "journal", "stream_output")),
    *(f"connector.runs.{name}" for name in ("run", "records", "job_file", "summary", "tenant_accounts")),
)


def test_a_call_loads_no_module_that_it_does_not_use(sandbox: Sandbox, tmp_path: Path) -> None:
    connection = tmp_path / "connection.yaml"
    connection.write_text("".join(f"{key}: {value}\n" for key, value in sandbox.connection.items()))
    code = (
        "import sys; from connector.cli.main import main; exit_code = main(sys.argv[1:]); "
        f"print(*{{*{UNUSED}}} & {{*sys.modules}}, file=sys.stderr); sys.exit(exit_code)"
    )
    arguments = ("call", "get_device", "device_id=1", "--delay-ms", "0", "-c", str(connection))
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.split()) == (0, [])


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
