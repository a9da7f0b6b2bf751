"""The pages of the documentation, and the fenced blocks in them.

A `console` block holds commands (`$ ...`) and the lines that each one prints. A block of another language is
a file where the paragraph before it ends with a colon and names a file in backticks: the last one counts.
`<!-- not run: REASON -->` before a block keeps it from being run or written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

PAGES = (
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "examples" / "README.md",
    *sorted((ROOT / "integrations").glob("*/README.md")),
)
NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOT_RUN = re.compile(r"<!-- not run: (\S.*?) -->\s*\Z", re.DOTALL)
_FILE = re.compile(r"`([\w./-]+\.[a-z]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block: its line in the page, its language, and its text."""

    line: int
    language: str
    text: str
    not_run: str | None
    """Why it is not run."""
    file: str | None
    """The name of the file that it shows."""

    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each command of a `console` block with the lines that it prints."""
        command, printed = "", list[str]()
        for line in self.text.splitlines():
            if command.endswith("\\"):
                command += "\n" + line
            elif line.startswith("$ "):
                if command:
                    yield command, printed
                command, printed = line[2:], []
            else:
                assert command, f"line {self.line}: a console block starts with a command"
                printed.append(line)
        yield command, printed


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    for found in _FENCE.finditer(text):
        before = text[: found.start()].rstrip()
        not_run = _NOT_RUN.search(before)
        paragraph = _NOT_RUN.sub("", before).rstrip().rpartition("\n\n")[2]
        names = _FILE.findall(paragraph) if paragraph.endswith(":") else []
        language = found[1]
        yield Block(
            line=text.count("\n", 0, found.start()) + 1,
            language=language,
            text=found[2],
            not_run=not_run[1] if not_run else None,
            file=names[-1] if names and language != "console" else None,
        )


def page(name: str) -> str:
    """Return a page's text."""
    return (ROOT / Path(name)).read_text(encoding="utf-8")
