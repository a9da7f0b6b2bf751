"""The formats of outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from connector.errors import RunError

Format = Literal["jsonl", "json", "csv", "xlsx", "table"]
FORMATS: tuple[Format, ...] = ("jsonl", "json", "csv", "xlsx", "table")
TABLES: tuple[Format, ...] = ("csv", "xlsx", "table")
"""The formats with columns. They lack some members of an envelope, so they cannot be read again."""

_EXTENSIONS: dict[str, Format] = {".json": "json", ".csv": "csv", ".xlsx": "xlsx"}


class OutputForm(NamedTuple):
    """How an output is written: its format, and for CSV whether it begins with a byte order mark.

    With `results`, it has only the results of the rows that succeeded.
    """

    format: Format = "jsonl"
    bom: bool = False
    results: bool = False

    @property
    def is_partial(self) -> bool:
        """Whether the complete output has the same format as the partial output."""
        return self.format == "jsonl" and not self.results

    @property
    def has_envelopes(self) -> bool:
        """Whether the complete output has all members of the envelopes."""
        return self.format not in TABLES and not self.results


def format_of(path: str, format: str | None) -> Format:
    """Return `format` if it is given, or else the format of the output's file extension. Raises RunError."""
    wanted = format or _EXTENSIONS.get(Path(path).suffix.lower(), "jsonl")
    if wanted not in FORMATS:
        raise RunError(f'unknown output format "{wanted}"; use {", ".join(FORMATS)}')
    return wanted


def extension_of(format: Format) -> str:
    """Return the usual file extension of a format, without its dot."""
    return "txt" if format == "table" else format


def check_bom(path: str, format: str | None) -> None:
    """Raise RunError if the output is not CSV, the only format with a byte order mark."""
    if format_of(path, format) != "csv":
        raise RunError(
            "--bom is an option of CSV output; use a name that ends in .csv, or --output-format csv"
        )
