"""SIGKILL at any instant: nothing is lost, nothing is sent twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from connector.json_schema import validator
from connector.resources import schema
from connector.sandbox.server import Sandbox
from tests.fakes import write_lines

ROWS = 40


def command(folder: Path, *more: str) -> list[str]:
    job = [sys.executable, "-m", "connector", "run", str(folder / "job.yaml")]
    return [*job, *more]


def write_job(folder: Path, sandbox: Sandbox, concurrency: int = 1) -> None:
    """Organizations with custom fields: a write that must not be repeated, then one that may be."""
    settings = "".join(f"{name}: {value}\n" for name, value in sandbox.connection.items())
    (folder / "connection.yaml").write_text(settings)
    (folder / "job.yaml").write_text(
        "action: create_organization\nconnection: connection.yaml\ninput: rows.jsonl\noutput: out.jsonl\n"
        f"delay_ms: 0\nconcurrency: {concurrency}\n"
        "templates:\n  name: 'Client {{ n }}'\n  fields: '{\"siteCode\": \"S{{ n }}\"}'\n"
    )
    write_lines(folder / "rows.jsonl", [{"n": n} for n in range(1, ROWS + 1)])


def kill_after(process: subprocess.Popen[bytes], sandbox: Sandbox, requests: int, seconds: float) -> bool:
    """Kill the process a moment after the sandbox has that many requests; tell whether it still ran."""
    while len(sandbox.log.requests()) < requests and process.poll() is None:
        time.sleep(0.001)
    time.sleep(seconds)
    assert process.poll() in (None, 0, 1)
    running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return running


def check(folder: Path, sandbox: Sandbox, in_flight: int) -> Counter[str | None]:
    """Compare the envelopes with the sandbox's own list of what it received and carried out."""
    envelopes: list[dict[str, Any]] = [
        json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [e["row"] for e in envelopes] == list(range(1, ROWS + 1))
    posts = [r for r in sandbox.log.requests() if r["method"] == "POST"]
    received = Counter(r["body"]["name"] for r in posts)
    assert max(received.values()) == 1, "a write was sent twice"
    carried_out = {r["body"]["name"] for r in posts if r["executed"]}
    for envelope in envelopes:
        name = f"Client {envelope['row']}"
        if envelope["has_error"]:
            assert envelope["meta"]["code"] == "outcome_unknown", envelope["error"]
            assert envelope["meta"]["repeatable"] is False
        else:
            assert name in carried_out
            assert envelope["result"]["name"] == name
    codes = Counter(e["meta"]["code"] for e in envelopes)
    assert codes["outcome_unknown"] <= in_flight
    return codes


def kill_and_resume(folder: Path, kills: int, seed: int, concurrency: int) -> Counter[str | None]:
    """Kill one run several times at random instants, resume it each time, and check what came of it."""
    draw = random.Random(seed)
    with Sandbox(latency_ms=3) as sandbox:
        write_job(folder, sandbox, concurrency)
        killed = 0
        more: tuple[str, ...] = ()
        for _ in range(kills):
            process = subprocess.Popen(command(folder, *more), stderr=subprocess.DEVNULL, env=os.environ)
            before = len(sandbox.log.requests())
            killed += kill_after(process, sandbox, before + draw.randint(1, 8), draw.uniform(0, 0.008))
            # A process that is killed before its journal stands leaves nothing that could be resumed.
            more = ("--resume",) if (folder / "out.jsonl.run" / "journal.jsonl").exists() else ()
        if not (folder / "out.jsonl").exists():
            done = subprocess.run(command(folder, *more), capture_output=True, text=True)
            assert done.returncode in (0, 1), done.stderr
        assert killed
        assert not (folder / "out.jsonl.run").exists()
        return check(folder, sandbox, killed * concurrency)


@pytest.mark.parametrize(("seed", "concurrency"), [(1, 1), (2, 1), (3, 4)])
def test_a_killed_run_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path, seed: int, concurrency: int
) -> None:
    kill_and_resume(tmp_path, 4, seed, concurrency)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 115))
def test_many_kills(tmp_path: Path, seed: int) -> None:
    kill_and_resume(tmp_path, 6, seed, concurrency=(1, 3, 8)[seed % 3])


def test_a_row_in_flight_is_reported_and_not_sent_again(tmp_path: Path) -> None:
    """The request has arrived, its answer has not: the one moment in which nobody can know."""
    with Sandbox(latency_ms=400) as sandbox:
        write_job(tmp_path, sandbox)
        process = subprocess.Popen(command(tmp_path), stderr=subprocess.DEVNULL, env=os.environ)
        journal = tmp_path / "out.jsonl.run" / "journal.jsonl"
        while not (journal.exists() and b'"sent"' in journal.read_bytes()):
            time.sleep(0.002)
        time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        lines = validator(schema("journal.schema.json"))
        for line in journal.read_text().splitlines():
            lines.validate(json.loads(line))
        write_lines(tmp_path / "short.jsonl", [])
        changed = subprocess.run(
            command(tmp_path, "-i", "short.jsonl", "--resume"), capture_output=True, text=True
        )
        assert changed.returncode == 2, changed.stderr
        done = subprocess.Popen(command(tmp_path, "--resume"), stderr=subprocess.DEVNULL, env=os.environ)
        out = tmp_path / "out.jsonl.run" / "envelopes.jsonl"
        while not out.read_bytes().endswith(b"\n"):
            time.sleep(0.002)
        first = json.loads(out.read_text().splitlines()[0])
        done.send_signal(signal.SIGKILL)
        done.wait()
        assert first["row"] == 1
        assert first["meta"]["code"] == "outcome_unknown"
        assert "look before you send it again" in first["error"]
        posts = [r for r in sandbox.log.requests() if r["method"] == "POST"]
        assert [r["body"]["name"] for r in posts].count("Client 1") == 1
