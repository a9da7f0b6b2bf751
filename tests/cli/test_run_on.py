"""`run --on`: each option has the same effect as on one machine, or is refused before anything is sent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("temporalio", reason="the package temporalio is not installed")

from connector.cli.main import build_parser
from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.conftest import ROOT
from tests.fakes import write_lines
from tests.loopback import free_port

pytestmark = pytest.mark.in_process

STATE = "postgresql://127.0.0.1:9/nowhere"
JOB = """\
connection: connection.yaml
input: rows.jsonl
output: out
wait: 5m
steps:
  - {name: found, action: get_device, templates: {device_id: "{{ device_id }}"}}
  - name: again
    action: reboot_device
    input: {step: found}
    templates: {device_id: "{{ device_id }}", mode: NORMAL}
"""


def test_the_page_says_what_each_option_does() -> None:
    page = (ROOT / "docs/scaling.md").read_text(encoding="utf-8")
    table = page.partition("What the options of `run` do with `--on`:")[2].partition("\n## ")[0]
    named = re.findall(r"`(--[a-z-]+)`", "\n".join(row.split(" | ")[0] for row in table.splitlines()))
    commands = build_parser(["run"])._subparsers
    assert commands
    (choices,) = (action.choices for action in commands._group_actions)
    options = {action.option_strings[-1] for action in choices["run"]._actions if action.option_strings}
    assert sorted(named) == sorted(options - {"--help"})


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("run", "update_device", "-o", "-"), "a run on Temporal requires an output file; use --output FILE"),
        (("run", "reboot_device", "-o", "out.jsonl", "--wait"), "--wait cannot be used with --on"),
        (("run", "job.yaml"), "again (reboot_device): --wait cannot be used with --on"),
        (("run", "update_device", "-o", "out.jsonl"), "a run on Temporal requires state that workers share"),
        (("rerun", "first.jsonl"), "a run on Temporal requires state that workers share"),
    ],
)
def test_what_workers_cannot_do_is_refused_before_anything_is_sent(
    ninjaone: Ninjaone,
    sandbox: Sandbox,
    connection_file: Path,
    tmp_path: Path,
    command: tuple[str, ...],
    message: str,
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"device_id": 1, "mode": "NORMAL"}, {"device_id": 999}])
    (tmp_path / "job.yaml").write_text(JOB)
    if command[0] == "rerun":
        sent = ("run", "update_device", "-i", "rows.jsonl", "-t", "display_name=PC", "-o", "first.jsonl")
        first = ninjaone(*sent, "-t", "device_id={{ device_id }}", "-c", "connection.yaml", "--delay-ms", "0")
        assert first.returncode == 1, first.stderr
    else:
        command += ("--yes",)
    if command[1] != "job.yaml" and command[0] == "run":
        command += ("-i", "rows.jsonl", "-c", "connection.yaml", "--match-fields")
    before = [*sandbox.log.requests(), *sandbox.log.signins()]
    state = STATE if "job.yaml" in command else ""
    refused = ninjaone(*command, "--on", f"temporal://127.0.0.1:{free_port()}", NINJAONE_STATE=state)
    assert (refused.returncode, message in refused.stderr) == (2, True), refused.stderr
    assert [*sandbox.log.requests(), *sandbox.log.signins()] == before
    assert not list(tmp_path.glob("out*"))
