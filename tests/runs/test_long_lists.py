"""Runs over rows whose result is a long list, as one envelope each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from connector.catalog.service import Service
from connector.errors import RunStoppedError
from connector.files import envelope_lines, long_list
from connector.files.envelope import Envelope
from connector.files.readers import InputRow
from connector.http.messages import Response
from connector.runs.batch import run_batch
from tests.declared import declare, invoker
from tests.fakes import FakeClock, FakeTransport, make_client, reply, write_lines
from tests.files.outputs import start, written
from tests.loopback import Server, Talk

PAGES = 3


def page_of(method: str, target: str, body: Any) -> Response:
    """Answer with a page of 50 items after the one that was asked for; row 4 is refused on its last page."""
    asked = {name: int(values[0]) for name, values in parse_qs(target.partition("?")[2]).items()}
    first = asked.get("anchorNaturalId", asked["row"] * 1000)
    if asked["row"] == 4 and first % 1000 >= 50 * (PAGES - 1):
        return reply(b"", 403)
    count = 50 if first % 1000 < 50 * PAGES else 0
    return reply([{"naturalId": first + n + 1, "created": 1.0} for n in range(count)])


@pytest.mark.parametrize("concurrency", [1, 3])
def test_each_row_has_its_list_in_order(
    service: Service, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, concurrency: int
) -> None:
    monkeypatch.setattr(long_list, "LONG", 2000)
    monkeypatch.setattr(envelope_lines, "LONG", 2000)
    action = declare(tmp_path, paging="anchor_natural_id", inputs={"row": "query.row"})
    transport = FakeTransport([page_of] * 100)
    output = start(tmp_path / "out.jsonl")
    run = invoker(action, make_client(service, transport, clock), lists=output.folder, keep_row=True)
    heard: list[Envelope] = []
    rows = (InputRow(n, {"row": n}, origin=n + 100 if n == 2 else 0) for n in range(1, 9))
    summary = run_batch(rows, run, output, clock, (heard.append,), concurrency=concurrency, in_blocks=True)
    assert (summary.succeeded, summary.failed) == (7, 1)
    found = written(tmp_path / "out.jsonl")
    assert [e["row"] for e in found] == [e.row for e in heard] == list(range(1, 9))
    for envelope in found:
        row = envelope["row"]
        ids = [item["naturalId"] for item in envelope["result"] or ()]
        assert ids == ([] if row == 4 else list(range(row * 1000 + 1, row * 1000 + 50 * PAGES + 1)))
        assert envelope["input"] == {"row": row}
        assert envelope["meta"].get("input_row") == (102 if row == 2 else None)
    assert not output.folder.exists()


def test_a_folder_that_is_gone_stops_the_run(
    service: Service, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_list, "LONG", 2000)
    action = declare(tmp_path, paging="anchor_natural_id", inputs={"row": "query.row"})
    client = make_client(service, FakeTransport([page_of] * 100), clock)
    output = start(tmp_path / "out.jsonl")
    run = invoker(action, client, lists=tmp_path / "gone")
    with pytest.raises(RunStoppedError, match="gone: a temporary file cannot be written"):
        run_batch(iter([InputRow(1, {"row": 1})]), run, output, clock, in_blocks=True)
    output.close()


ITEM = {"notes": ["a note" * 20] * 20, "volumes": [{"name": "C:", "freeSpace": 1.5}] * 10}
"""An item of about 3 KB as JSON, and several times as much in memory."""
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Runs a command and prints its peak memory, which is at least that of its parent: this small process."""
COUNT, PAGE = 20_000, 1_000


def long_answers(talk: Talk) -> None:
    """Answer as the API does: a token, and pages of devices."""
    while request := talk.read():
        after = int(parse_qs(request.target.partition("?")[2]).get("after", ["0"])[0])
        page = [{"id": n, **ITEM} for n in range(after + 1, min(after + PAGE, COUNT) + 1)]
        is_token = request.line.startswith("POST")
        token = {"access_token": "a-token-of-this-test", "token_type": "Bearer", "expires_in": 3600}
        talk.answer(json.dumps(token if is_token else page).encode())


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the unit of ru_maxrss is that of Linux")
@pytest.mark.parametrize("form", [["jsonl"], ["json"], ["jsonl", "results"], ["csv", "results"]])
def test_memory_does_not_grow_with_the_list(tmp_path: Path, form: list[str]) -> None:
    """In memory, the list would take more than 200 MB."""
    format, results = form[0], form[1:]
    with Server((long_answers,)) as server:
        connection = {"base_url": server.base_url, "client_id": "a", "client_secret": "a-secret-of-it"}
        (tmp_path / "connection.yaml").write_text(json.dumps(connection))
        write_lines(tmp_path / "rows.jsonl", [{}])
        job: dict[str, Any] = {
            "action": "list_devices_detailed",
            "connection": "connection.yaml",
            "input": "rows.jsonl",
        }
        job |= {"output": f"out.{format}", "delay_ms": 0, **dict.fromkeys(results, True)}
        (tmp_path / "job.yaml").write_text(json.dumps(job))
        command = [sys.executable, "-c", PEAK, sys.executable, "-m", "connector", "run", "job.yaml"]
        environment = {**os.environ, "HOME": str(tmp_path)}
        ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    text = (tmp_path / f"out.{format}").read_bytes()
    assert len(text) > 40_000_000
    assert text.count(b"a note") == 400 * COUNT
    assert int(ended.stdout) <= 80 * 1024
