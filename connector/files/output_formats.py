"""The formats of outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from connector.errors import RunError

Format = Literal["jsonl", "json", "csv"]
FORMATS: tuple[Format, ...] = ("jsonl", "json", "csv")


def format_of(path: str, format: str | None) -> Format:
    """Return the given format, or else the one of the output's file extension. Raises RunError."""
    wanted = format or {".json": "json", ".csv": "csv"}.get(Path(path).suffix.lower(), "jsonl")
    if wanted not in FORMATS:
        raise RunError(f'unknown output format "{wanted}"; use {", ".join(FORMATS)}')
    return wanted


def check_bom(path: str, format: str | None) -> None:
    """Raise RunError if the output is not CSV, the only format with a byte order mark."""
    if format_of(path, format) != "csv":
        raise RunError(
            "--bom is an option of CSV output; use a name that ends in .csv, or --output-format csv"
        )
