"""Conversion of envelopes from JSON Lines to a JSON array or CSV, from stream to stream."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import IO, BinaryIO

from connector.common import json_text
from connector.common.json_text import Json


def convert(partial: IO[bytes], format: str, file: BinaryIO, *, bom: bool = False) -> None:
    """Write envelopes in another format: `json`, or `csv` with a byte order mark if `bom` is set."""
    if bom and format == "csv":
        file.write(codecs.BOM_UTF8)
    writers: dict[str, Callable[[IO[bytes], BinaryIO], None]] = {"json": _write_json, "csv": _write_csv}
    writers[format](partial, file)


def _write_json(partial: IO[bytes], file: BinaryIO) -> None:
    separator = b"[\n"
    partial.seek(0)
    for line in partial:
        file.write(separator + line.rstrip(b"\n"))
        separator = b",\n"
    file.write(b"\n]\n" if separator != b"[\n" else b"[]\n")


def _write_csv(partial: IO[bytes], file: BinaryIO) -> None:
    """Write `row, has_error, error`, then the results' fields in the order of their first appearance."""
    fields: dict[str, None] = {}
    for envelope in _envelopes(partial):
        fields |= dict.fromkeys(_cells(envelope))
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.DictWriter(text, ["row", "has_error", "error", *fields], restval="")
        writer.writeheader()
        for envelope in _envelopes(partial):
            fixed = {name: _cell(envelope[name]) for name in ("row", "has_error", "error")}
            writer.writerow({**fixed, **_cells(envelope)})
    finally:
        text.detach()


def _envelopes(partial: IO[bytes]) -> Iterator[dict[str, Json]]:
    partial.seek(0)
    for line in partial:
        yield json_text.loads(line.decode())


def _cells(envelope: Mapping[str, Json]) -> dict[str, str]:
    """Return an envelope's other cells, keyed by column; `result` has a result that is not an object."""
    result = envelope["result"]
    members = result if isinstance(result, dict) else {} if result is None else {"result": result}
    cells = {_column(name): _cell(value) for name, value in members.items()}
    return {**cells, "input": _cell(envelope["input"])} if "input" in envelope else cells


def _column(member: str) -> str:
    """Return the name of a result's column, which is neither one of ours nor shared by two members."""
    is_ours = member in ("row", "has_error", "error", "input") or member.startswith("result.")
    return f"result.{member}" if is_ours else member


def _cell(value: Json) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json_text.number_text(value)
    return text.encode("utf-8", "backslashreplace").decode()
