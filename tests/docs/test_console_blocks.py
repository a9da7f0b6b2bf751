"""Every `console` block of the documentation runs, and prints what it shows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.conftest import ROOT
from tests.docs.console import Shell, check_block, matches
from tests.docs.pages import NAMES, Block, blocks, page

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


@pytest.fixture
def shell(tmp_path: Path, sandbox: Sandbox) -> Iterator[Shell]:
    """A shell in a folder that has the examples, and a connection to a sandbox."""
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("out", "__*"))
    connection = "".join(f"{name}: {value}\n" for name, value in sandbox.connection.items())
    (folder / "sandbox.yaml").write_text(connection)
    running = Shell(folder, tmp_path / "shell", int(sandbox.base_url.rpartition(":")[2]))
    yield running
    running.close()


def runnable(name: str) -> list[Block]:
    """Return what of a page is run or written."""
    found = [block for block in blocks(page(name)) if block.not_run is None]
    return [block for block in found if block.language == "console" or block.file]


SLOW = ("docs/browser.md", "docs/writing-actions.md", "examples/README.md")
"""Pages whose commands take several seconds: `make test-all` runs them."""


def _runnable_pages() -> list[Any]:
    names = [name for name in NAMES if any(block.language == "console" for block in runnable(name))]
    return [pytest.param(name, marks=_marks(name)) for name in names]


def _marks(name: str) -> list[pytest.MarkDecorator]:
    has_curl = shutil.which("curl") is not None or "$ curl" not in page(name)
    has_sdk = find_spec("mcp") is not None or "from mcp import" not in page(name)
    slow = [pytest.mark.slow] if name in SLOW else []
    return [
        *slow,
        pytest.mark.skipif(not has_curl, reason="curl is not installed"),
        pytest.mark.skipif(not has_sdk, reason="the package mcp is not installed"),
    ]


@pytest.mark.parametrize("name", _runnable_pages())
def test_a_page_shows_what_its_commands_print(name: str, shell: Shell) -> None:
    for block in runnable(name):
        check_block(shell, name, block)


@pytest.mark.parametrize("name", NAMES)
def test_a_block_that_is_not_run_is_one_that_could_be(name: str) -> None:
    for block in blocks(page(name)):
        if block.language in ("powershell", "zsh", "fish"):
            assert block.not_run, f"{name}, line {block.line}: say why it is not run"
        elif block.not_run:
            assert block.language == "console" or block.file, (
                f"{name}, line {block.line}: it is not run anyway"
            )


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (["a", "...", "d"], ["a", "b", "c", "d"], True),
        (["a", "...", "d"], ["a", "b", "c"], False),
        (["..."], [], True),
        ([], ["a"], False),
        (["done in 0.4 s"], ["done in 12.25 s"], True),
        (["a ... c"], ["a b c"], True),
        (["a.b"], ["acb"], False),
        (["3 rows"], ["4 rows"], False),
    ],
)
def test_how_lines_are_compared(shown: list[str], printed: list[str], same: bool) -> None:
    assert matches(shown, printed) is same
