"""Outputs that are begun, written and read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.common.redaction import Redactor
from connector.errors import RunError
from connector.files.envelope import Envelope
from connector.files.file_output import FileOutput, OutputSettings
from connector.files.output_formats import Format, OutputForm
from connector.files.work_folder import Start
from connector.http.messages import Request

RUN = {"action": "a", "templates": "t", "connection": "c", "input": "i", "settings": "s"}
META = {"action": "a", "status": 200, "code": None, "attempts": 1, "request_id": None}
POST = Request("POST", "/v2/thing", body={"a": 1}, effect="write", idempotent=False)


def envelope(row: int, result: Any = None, error: str | None = None, **meta: Any) -> Envelope:
    return Envelope(row, error, result, {**META, **meta})


def start(
    path: Path, how: Start = "new", format: Format = "jsonl", run: dict[str, str] | None = None
) -> FileOutput:
    return FileOutput(OutputSettings(path, OutputForm(format), run or RUN, how, Redactor()))


def written(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def rows(path: Path) -> list[int]:
    return [line["row"] for line in written(path)]


def refusal(path: Path, how: Start = "new", run: dict[str, str] | None = None) -> str:
    before = {p: p.read_bytes() for p in path.parent.rglob("*") if p.is_file()}
    with pytest.raises(RunError) as caught:
        start(path, how, run=run)
    assert {p: p.read_bytes() for p in path.parent.rglob("*") if p.is_file()} == before
    assert str(path) in str(caught.value)
    return str(caught.value)
