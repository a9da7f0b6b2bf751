"""Rows that were pasted into a page or uploaded: their format, their number, and the first rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from connector.common.user_folders import write_whole
from connector.errors import RunError
from connector.files.read_options import Format
from connector.files.readers import InputRow, RowSource
from connector.files.recognize import is_workbook

FORMAT_NAMES: dict[Format, str] = {
    "jsonl": "JSON Lines",
    "json": "JSON array",
    "csv": "CSV",
    "tsv": "TSV",
    "xlsx": "Excel",
}
_SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".xlsx": "xlsx",
}
_LOOKED_AT = 1 << 16


@dataclass(frozen=True)
class PastedRows:
    """A file of rows that was sent from a page."""

    path: Path
    format: Format

    @property
    def format_to_read(self) -> Format | None:
        """The format with which the file is read.

        None for JSON Lines, so that objects may have several lines.
        """
        return None if self.format == "jsonl" else self.format

    def first(self, number: int) -> list[InputRow]:
        """Return the first rows.

        Error messages do not contain the path of the temporary file. Raises RunError.
        """
        try:
            rows = list(islice(self._source().rows(), number))
        except RunError as fault:
            raise RunError(self._without_path(str(fault))) from None
        return [InputRow(r.number, r.data, self._without_path(r.error), r.code) for r in rows]

    def count(self) -> int:
        """Return the number of rows. Raises RunError."""
        try:
            return self._source().count() or 0
        except RunError as fault:
            raise RunError(self._without_path(str(fault))) from None

    def _source(self) -> RowSource:
        return RowSource(str(self.path), self.format_to_read)

    def _without_path(self, text: str) -> str:
        return text.removeprefix(f"{self.path}, ").removeprefix(f"{self.path}: ")


def save_rows(content: bytes, name: str, folder: Path) -> PastedRows:
    """Save rows in a folder, in a file with the extension of their format; replace rows saved earlier."""
    format = recognized(content, name)
    packed = ".gz" if content[:2] == b"\x1f\x8b" else ""
    path = folder / f"rows.{format}{packed}"
    write_whole(path, content)
    for other in folder.glob("rows.*"):
        if other != path:
            other.unlink(missing_ok=True)
    return PastedRows(path, format)


def saved_rows(folder: Path) -> PastedRows | None:
    """Return the rows that were saved in a folder, or None if there are none."""
    for path in folder.glob("rows.*"):
        return PastedRows(path, _SUFFIXES[path.suffixes[0]])
    return None


def recognized(content: bytes, name: str = "") -> Format:
    """Return the format of rows, from the file's extension or else from its first characters.

    A table that was copied from a spreadsheet is TSV.
    """
    suffixes = [suffix.lower() for suffix in Path(name).suffixes if suffix.lower() != ".gz"]
    if suffixes and suffixes[-1] in _SUFFIXES:
        return _SUFFIXES[suffixes[-1]]
    if is_workbook(content[:_LOOKED_AT]):
        return "xlsx"
    head = content[:_LOOKED_AT].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1] in (b"[", b"{"):
        return "json" if head.startswith(b"[") else "jsonl"
    header = head.partition(b"\n")[0]
    return "tsv" if b"\t" in header and header.count(b"\t") >= header.count(b",") else "csv"
