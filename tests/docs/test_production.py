"""The files that docs/production.md shows, and the Dockerfile, by the programs that read them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from connector.sync.mapping_file import load_mapping
from tests.conftest import ROOT
from tests.docs.pages import blocks, page

FILES = {block.file: block.text for block in blocks(page("docs/production.md")) if block.file}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")

_FIELD = r"(\*|\d+(-\d+)?)(/\d+)?"
_CRON = re.compile(rf"(?:{_FIELD}(?:,{_FIELD})*\s+){{5}}(?P<command>\S.*)")


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, with continued lines joined and comments left out."""
    lines = [line for line in DOCKERFILE.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in joined.splitlines()]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    program = tmp_path / "patch-night.sh"
    program.write_text(FILES["patch-night.sh"])
    program.chmod(0o755)
    for name in ("patch-night.service", "patch-night.timer"):
        shown = FILES[name].replace("/opt/ninjaone/jobs/patch-night.sh", str(program))
        (tmp_path / name).write_text(shown)
    units = [str(tmp_path / "patch-night.service"), str(tmp_path / "patch-night.timer")]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "patch-night" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_unit_of_a_sync(tmp_path: Path) -> None:
    (unit,) = [block for block in blocks(page("docs/sync.md")) if block.file == "acme-sync.service"]
    program = shutil.which("true") or "/bin/true"
    (tmp_path / "acme-sync.service").write_text(unit.text.replace("/opt/ninjaone/bin/ninjaone", program))
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / "acme-sync.service")]
    done = subprocess.run(command, capture_output=True, text=True)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "acme-sync" in line]
    assert (done.returncode, ours) == (0, [])


def test_the_mapping_of_a_sync_can_be_read(tmp_path: Path) -> None:
    parts = [block.text for block in blocks(page("docs/sync.md")) if block.language == "yaml"]
    (tmp_path / "mapping.yaml").write_text("".join(parts))
    alerts = load_mapping(tmp_path / "mapping.yaml").alerts
    assert alerts is not None
    assert (alerts.stamp, len(alerts.rules)) == ("CFNinjaAlert", 2)


def test_the_line_for_cron_has_five_fields_and_a_command() -> None:
    *variables, line = FILES["crontab.txt"].splitlines()
    assert all(re.fullmatch(r"[A-Z]+=\S+", variable) for variable in variables)
    found = _CRON.fullmatch(line)
    assert found
    assert "%" not in found["command"], "cron reads % as the end of a line"


def test_the_script_is_for_any_posix_shell(tmp_path: Path) -> None:
    script = tmp_path / "patch-night.sh"
    script.write_text(FILES["patch-night.sh"])
    assert FILES["patch-night.sh"].startswith("#!/bin/sh\n")
    for shell in filter(shutil.which, ("sh", "dash", "bash")):
        subprocess.run([shell, "-n", script], check=True)


def test_the_dockerfile_copies_what_exists_and_builds_the_package() -> None:
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in instructions()} <= known
    copied = [shlex.split(text)[:-1] for name, text in instructions() if name == "COPY"]
    names = [name.rstrip("/") for words in copied for name in words if not words[0].startswith("--from")]
    packaged = {"actions", "connector", "docs", "examples", "schemas"}
    assert set(names) == packaged | {"README.md", "pyproject.toml", "setup.cfg"}
    assert all((ROOT / name).exists() for name in names)
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert kept == set(names)


def test_the_image_runs_ninjaone_without_privileges() -> None:
    last = max(n for n, (name, _) in enumerate(instructions()) if name == "FROM")
    final = dict(instructions()[last:])
    assert final["USER"].split(":")[0] not in ("0", "root")
    assert final["ENTRYPOINT"] == '["ninjaone"]'
    folders = {word.split("=")[0] for word in shlex.split(final["ENV"])}
    assert {"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"} <= folders


def test_the_commands_of_the_image_are_a_shells() -> None:
    for name, text in instructions():
        if name == "RUN":
            subprocess.run(["sh", "-n", "-c", text], check=True)
