"""The console blocks of docs/hosts.md, run with the SDK's real commands."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.docs.console import Shell, check_block
from tests.docs.pages import Block, blocks, page

HERE = Path(__file__).name


@pytest.fixture
def shell(sdk_python: Path, tmp_path: Path, sandbox: Sandbox) -> Iterator[Shell]:
    """A shell with a new folder, the SDK and a sandbox."""
    folder = tmp_path / "work"
    folder.mkdir()
    running = Shell(folder, tmp_path / "shell", int(sandbox.base_url.rpartition(":")[2]), sdk_python.parent)
    yield running
    running.close()


def runnable() -> list[Block]:
    """Return what of the page can be run without a package index."""
    found = [block for block in blocks(page("docs/hosts.md")) if block.language == "console"]
    return [block for block in found if block.not_run is None or HERE in block.not_run]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_page_shows_what_the_sdk_prints(shell: Shell) -> None:
    sdk = [block for block in runnable() if block.not_run]
    assert len(sdk) == 4
    for block in runnable():
        check_block(shell, "docs/hosts.md", block)
