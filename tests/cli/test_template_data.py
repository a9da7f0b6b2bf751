"""The data of a row is never a template, whatever it contains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.conftest import Ninjaone
from tests.fakes import write_lines

pytestmark = pytest.mark.in_process


LOOKS = [
    "{{ 7 * 7 }}",
    "{% for x in range(9) %}x{% endfor %}",
    "{# gone #}kept",
    '"}, "evil": {"a": "{{ 7 * 7 }}',
    "{{ ''.__class__ }}",
    "%s %(a)s {0} {a.__class__}",
    "{% raw %}{{ x }}{% endraw %}",
    "\\u007b\\u007b 7 * 7 }}",
]


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    rows = [
        {"device": 1, "text": text, text: "name", "list": [text], "object": {text: text}} for text in LOOKS
    ]
    write_lines(tmp_path / "rows.jsonl", rows)
    return rows


def test_row_data_stays_data_in_every_kind_of_template_and_in_the_next_step(
    ninjaone: Ninjaone, sandbox: Sandbox, connection_file: Path, tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    (tmp_path / "job.yaml").write_text(
        """\
connection: connection.yaml
input: rows.jsonl
output: out
delay_ms: 0
steps:
  - name: named
    action: update_device
    templates: {device_id: "{{ device }}", display_name: "{{ text }}"}
  - name: written
    action: update_device
    input: {step: named, only: "{{ text in object and list[0] == text and row[text] == 'name' }}"}
    templates: {device_id: "{{ device }}", display_name: "a {{ list[0] }} {{ object[text] }}"}
  - name: read
    action: get_device
    input: {step: written}
    templates: {device_id: "{% if text %}{{ device }}{% endif %}"}
    keep_row: true
"""
    )
    done = ninjaone("run", "job.yaml")
    assert done.returncode == 0, done.stderr
    bodies = [r["body"] for r in sandbox.log.requests() if r["method"] == "PATCH"]
    names = [(json.loads(body) if isinstance(body, str) else body)["displayName"] for body in bodies]
    assert names == [*LOOKS, *(f"a {text} {text}" for text in LOOKS)]
    kept = [json.loads(line)["input"] for line in (tmp_path / "out" / "read.jsonl").read_text().splitlines()]
    assert [{name: row[name] for name in given} for row, given in zip(kept, rows, strict=True)] == rows
    assert [row["text"] for row in kept] == LOOKS


def test_row_data_stays_data_in_documents(
    ninjaone: Ninjaone, tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    templates = {
        "device_id": "{{ device }}",
        "fields": '{"a": "{{ text }}", "b": {{ list }}, "c": {{ object }}, "{{ text }}": "<{{ text }}>"}',
    }
    (tmp_path / "templates.yaml").write_text(json.dumps(templates))
    done = ninjaone(
        "preview",
        "update_device_custom_fields",
        "--templates",
        "templates.yaml",
        "--input",
        "rows.jsonl",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    for line, text in zip(done.stdout.splitlines(), LOOKS, strict=True):
        assert json.loads(line)["body"] == {"a": text, "b": [text], "c": {text: text}, text: f"<{text}>"}


def test_a_template_that_goes_too_far_is_a_fault_of_the_run_or_an_error_of_the_row(
    ninjaone: Ninjaone, sandbox: Sandbox, connection_file: Path, tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    asked = ("run", "update_device", "--connection", "connection.yaml", "--input", "rows.jsonl")
    given = ("--template", "device_id={{ device }}", "--delay-ms", "0", "--output", "out.jsonl")
    done = ninjaone(*asked, *given, "--template", "display_name={{ 'a' * 10**10 }}")
    assert done.returncode == 2
    assert (
        "display_name: template, line 1: the template exceeds a limit: it creates a text of more than"
        in done.stderr
    )
    assert not (tmp_path / "out.jsonl").exists()
    done = ninjaone(*asked, *given, "--template", "display_name={{ text * 10**10 }}")
    assert done.returncode == 1
    envelopes = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {e["meta"]["code"] for e in envelopes} == {"template_error"}
    assert len(envelopes) == len(LOOKS)
    assert sandbox.log.requests() == []
