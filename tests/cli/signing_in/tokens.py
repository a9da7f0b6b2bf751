"""Tokens of a sign-in, in the sandbox's log and in files."""

from __future__ import annotations

from pathlib import Path

CALL = ("call", "get_device", "device_id=1")


def files_with(secret: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
