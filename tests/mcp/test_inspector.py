"""The protocol's own inspector calls the tools of the real command. `make inspector` installs it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.conftest import ROOT
from tests.mcp.test_stdio import COMMAND

PROGRAMS = ROOT / "build" / "inspector" / "node_modules" / ".bin"
NODE, INSPECTOR = PROGRAMS / "node", PROGRAMS / "mcp-inspector"
PATIENCE_S = 120.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not INSPECTOR.exists(), reason="the inspector is not installed: run make inspector"),
]


def inspect(connection_file: Path, method: str, *arguments: str) -> Any:
    """Return the result that the inspector prints."""
    command = [str(NODE), str(INSPECTOR), "--cli", *COMMAND, "--connection", str(connection_file)]
    folders = [f"{name}={value}" for name, value in os.environ.items() if name.startswith("XDG_")]
    options = [option for folder in folders for option in ("-e", folder)]
    options += ["--connect-timeout", str(int(PATIENCE_S * 1000))]  # a busy machine needs it
    done = subprocess.run(
        [*command[:3], *options, *command[3:], "--method", method, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    return json.loads(done.stdout)


def test_it_lists_the_tools(connection_file: Path) -> None:
    tools = inspect(connection_file, "tools/list")["tools"]
    hints = {tool["name"]: tool["annotations"]["readOnlyHint"] for tool in tools}
    assert len(hints) == 5
    assert [name for name, reads in hints.items() if not reads] == ["call_action"]


def test_it_calls_tools_and_cannot_confirm(connection_file: Path, sandbox: Sandbox) -> None:
    read = ("--tool-name", "call_read_action", "--tool-arg", "action=get_device")
    found = inspect(connection_file, "tools/call", *read, "--tool-arg", 'inputs={"device_id": 1}')
    assert found["structuredContent"]["result"]["id"] == 1
    reboot = ("--tool-name", "call_action", "--tool-arg", "action=reboot_device")
    inputs = 'inputs={"device_id": 1, "mode": "NORMAL"}'
    refused = inspect(connection_file, "tools/call", *reboot, "--tool-arg", inputs)
    assert refused["isError"] is True
    assert "Nothing was sent" in refused["structuredContent"]["error"]
    assert [request["method"] for request in sandbox.log.requests()] == ["GET"]
