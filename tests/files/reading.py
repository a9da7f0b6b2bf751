"""Read rows from files, for the tests of the readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connector.files.readers import InputRow, RowSource


def write(folder: Path, content: bytes | str, name: str = "rows") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, format: str | None = None) -> list[InputRow]:
    """Read an input's rows, of which there are as many as are counted."""
    rows = list(RowSource(str(path), format).rows())
    assert RowSource(str(path), format).count() == len(rows)
    return rows


def data(path: Path, format: str | None = None) -> list[dict[str, Any]]:
    rows = read(path, format)
    assert [row.error for row in rows] == [""] * len(rows)
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    return [row.data for row in rows]


def outline(path: Path, format: str | None = None) -> list[Any]:
    """The rows' data, and in place of what is broken its error without the path."""
    rows = read(path, format)
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert all(not row.data for row in rows if row.error)
    return [row.error.removeprefix(str(path)) or row.data for row in rows]


def lines(count: int) -> Iterator[bytes]:
    for n in range(count):
        yield b'{"n": %d, "x": "0123456789"}' % n
