"""Job files, as a user writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

EVERYTHING: dict[str, Any] = {
    "action": "update_device",
    "connection": "{{ tenant }}/of.yaml",
    "allow_connections": ["acme", "../globex.yaml"],
    "templates": {
        "device_id": "{{ id }}",
        "tags": ["{{ a }}"],
        "note": {"template": "{{ n }}", "empty": "send"},
        "owner": None,
        "count": 5,
    },
    "match_fields": True,
    "empty": "send",
    "input": "rows.csv",
    "input_format": "csv",
    "delimiter": ";",
    "encoding": "cp1252",
    "sheet": "Devices",
    "records": "data.items",
    "output": "out/envelopes.json",
    "output_format": "json",
    "bom": True,
    "results": True,
    "errors": "failed.jsonl",
    "output_exists": "number",
    "summary": "summary.json",
    "notify": {
        "url": "${CHAT}",
        "command": "true",
        "template": "slack",
        "when": "always",
        "ping_url": "p.txt",
    },
    "vars": {"customer": "Acme", "count": 3},
    "delay_ms": "auto",
    "min_delay_ms": 1.5,
    "concurrency": 8,
    "on_error": "stop",
    "max_errors": 0,
    "max_rows": 20,
    "expect_rows": "10-20",
    "wait": "30m",
    "fsync": True,
    "state": "postgresql://user@host/state",
    "timezone": "Europe/Berlin",
    "times": "iso",
    "with_names": ["organization", "location"],
    "rows": "each",
    "keep_row": True,
    "distinct": "{{ tenant }}",
    "uploads": "files",
    "files": "downloads",
    "reveal_secrets": True,
    "read_only": True,
    "audit": "audit.jsonl",
}
FIRST: dict[str, Any] = {"name": "first", "action": "list_devices"}
ABOVE: dict[str, Any] = {
    "steps": [FIRST],
    "connection": "{{ tenant }}",
    "allow_connections": ["acme"],
    "input": "rows.csv",
    "input_format": "csv",
    "delimiter": ";",
    "encoding": "cp1252",
    "sheet": "Devices",
    "records": "data.items",
    "output": "out",
    "output_exists": "overwrite",
    "summary": "summary.json",
    "notify": {
        "url": "${CHAT}",
        "command": "true",
        "template": "slack",
        "when": "always",
        "ping_url": "p.txt",
    },
    "vars": {"customer": "Acme"},
    "delay_ms": "auto",
    "min_delay_ms": 5,
    "concurrency": 4,
    "on_error": "stop",
    "max_errors": 9,
    "max_rows": 20,
    "expect_rows": 14,
    "wait": True,
    "fsync": True,
    "state": "postgresql://user@host/state",
    "timezone": "Europe/Berlin",
    "times": "iso",
    "empty": "send",
    "with_names": ["organization", "location"],
    "uploads": "files",
    "files": "downloads",
    "reveal_secrets": True,
    "read_only": True,
    "audit": "audit.jsonl",
}


def write(folder: Path, data: Any) -> Path:
    path = folder / "job.yaml"
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data, sort_keys=False), "utf-8")
    return path
