"""The flow of docs/node-red.md, by the real Node-RED. `make node-red` installs it."""

from __future__ import annotations

import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.conftest import ROOT
from tests.docs.console import Shell, check_block
from tests.docs.pages import blocks, page

PAGE = "docs/node-red.md"
PROGRAMS = ROOT / "build" / "node-red" / "node_modules" / ".bin"
BUSY = {"fault": "answer", "status": 429, "headers": {"Retry-After": "3600"}}
"""A fault after which the server gives up, because it would have to wait for too long."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (PROGRAMS / "node-red").exists(), reason="Node-RED is not installed: run make node-red"
    ),
]


@pytest.fixture
def shell(tmp_path: Path, sandbox: Sandbox) -> Iterator[Shell]:
    """A shell in which the page's commands run; Node-RED and the server are still running."""
    folder = tmp_path / "work"
    folder.mkdir()
    connection = "".join(f"{name}: {value}\n" for name, value in sandbox.connection.items())
    (folder / "sandbox.yaml").write_text(connection)
    shell = Shell(folder, tmp_path / "shell", int(sandbox.base_url.rpartition(":")[2]), PROGRAMS)
    for block in blocks(page(PAGE)):
        if block.file or Path(__file__).name in (block.not_run or ""):
            check_block(shell, PAGE, block)
    yield shell
    shell.close()


def post(shell: Shell, device: int) -> tuple[int, dict[str, Any]]:
    """What the flow responds with."""
    body = json.dumps({"device_id": device, "end": "2036-07-16T06:00:00Z"}).encode()
    url = f"http://127.0.0.1:{shell.port_of('1880')}/silence"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def keys(state: Path) -> int:
    """How many requests with a key the server has stored."""
    (store,) = state.rglob("repeats.db")
    with closing(sqlite3.connect(store)) as db:
        return int(db.execute("SELECT count(*) FROM requests").fetchone()[0])


def test_the_flow_repeats_a_busy_request_and_nothing_else(
    shell: Shell, sandbox: Sandbox, own_state: Path
) -> None:
    sent = [request["path"] for request in sandbox.log.requests()]
    assert sent == ["/v2/device/1/maintenance", "/v2/device/9999/maintenance"]
    sandbox.set_faults(queue=[BUSY])
    status, envelope = post(shell, 2)
    assert (status, envelope["error"]) == (200, None)
    status, envelope = post(shell, 9999)
    assert (status, envelope["meta"]["code"]) == (502, "not_found")
    sent = [request["path"] for request in sandbox.log.requests()][2:]
    assert sent == ["/v2/device/2/maintenance"] * 2 + ["/v2/device/9999/maintenance"]
    assert keys(own_state) == 4, "each message has one key, also if its request is repeated"
