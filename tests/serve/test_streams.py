"""Long streams over real HTTP: flat memory, and what happens when the caller hangs up."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import wait_until
from tests.serve.web import LINES, serving
from tests.torture.test_memory import peak_mb

ROWS = 10_000
GROWTH_MB = 12
"""The responses of all rows take several times as much."""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="no /proc there")
@pytest.mark.parametrize("key", ["", "k"], ids=["without a key", "with an Idempotency-Key"])
def test_the_memory_does_not_grow_with_the_rows(key: str, acme: Path, shared_sandbox: Sandbox) -> None:
    body = b"".join(b'{"device_id": %d}\n' % (1 + n % 20) for n in range(ROWS))
    headers = {"Content-Type": LINES, **({"Idempotency-Key": key} if key else {})}
    with serving("--connection", str(acme)) as server:
        url = f"{server.address}/actions/get_device"
        at_first, number = 0.0, 0
        with requests.post(url, data=body, headers=headers, stream=True, timeout=300) as response:
            for number, line in enumerate(response.iter_lines(), start=1):
                envelope = json.loads(line)
                assert (envelope["row"], envelope["has_error"]) == (number, False)
                if number == 500:
                    at_first = peak_mb(server.process.pid)
        assert number == ROWS
        assert peak_mb(server.process.pid) <= at_first + GROWTH_MB
    assert len(shared_sandbox.log.requests()) == ROWS


def test_a_caller_that_hangs_up_settles_the_row_in_progress(acme: Path, shared_sandbox: Sandbox) -> None:
    """The row is finished, its envelope is kept, and the retry continues after it."""
    names = [f"hung up {n}" for n in range(50)]
    body = "".join(json.dumps({"name": name}) + "\n" for name in names).encode()
    headers = {"Content-Type": LINES, "Idempotency-Key": "hung-up"}
    with serving("--connection", str(acme)) as server:
        at = urlsplit(server.address)
        shared_sandbox.set_faults(queue=[None, "hold"])
        with socket.create_connection((at.hostname or "", at.port or 0)) as connection:
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            start = "POST /actions/create_tag HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            start += f"Content-Length: {len(body)}\r\n{head}\r\n"
            connection.sendall(start.encode() + body)
            wait_until(lambda: len(shared_sandbox.log.requests()) == 2)
        shared_sandbox.set_faults(queue=[])
        url = f"{server.address}/actions/create_tag"

        def repeated() -> requests.Response:
            return requests.post(url, data=body, headers=headers, timeout=60)

        found = repeated()
        while found.status_code == 409:  # the first one has not noticed yet
            found = repeated()
    assert [json.loads(line)["error"] for line in found.text.splitlines()] == [None] * 50
    sent = [entry["body"]["name"] for entry in shared_sandbox.log.requests()]
    assert sent == names
