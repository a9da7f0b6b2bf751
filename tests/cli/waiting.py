"""Runs that wait for the end of queued work."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines

SCRIPT = ("-t", "device_id={{ id }}", "-t", "type=SCRIPT", "-t", "script_id=1")


def connect(sandbox: Sandbox, folder: Path) -> str:
    (folder / "c.yaml").write_text(yaml.safe_dump(sandbox.connection))
    return "c.yaml"


def envelopes(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def online(sandbox: Sandbox, last: int = 23) -> list[int]:
    fleet = sandbox.state.fleet
    return [id for id in range(1, last + 1) if not fleet.facts(id).offline]


def requests(sandbox: Sandbox) -> Counter[str]:
    return Counter(r["path"] if r["method"] == "GET" else r["method"] for r in sandbox.log.requests())


def series_of(sandbox: Sandbox, device: int) -> list[int]:
    """The ids of the activities with which the work of a device ended, by the order of its start."""
    events = [a for a in sandbox.state.activities if a.get("deviceId") == device and "seriesUid" in a]
    ends = {a["seriesUid"]: a["id"] for a in events if a["statusCode"] == "COMPLETED"}
    return [ends[series] for series in dict.fromkeys(a["seriesUid"] for a in events) if series in ends]


def run_scripts(ninjaone: Ninjaone, sandbox: Sandbox, folder: Path, devices: list[int], *more: str) -> Any:
    write_lines(folder / "rows.jsonl", [{"id": id} for id in devices])
    return ninjaone(
        *(
            "run",
            "run_script",
            "-i",
            "rows.jsonl",
            *SCRIPT,
            "-c",
            connect(sandbox, folder),
            "-o",
            "out.jsonl",
        ),
        *("--delay-ms", 0, "--yes", *more),
    )
