"""The Python library's page runs as a doctest against a sandbox."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from connector.runs.prepared import Prepared
from tests.conftest import ROOT
from tests.docs.pages import blocks, page

PAGE = "docs/library.md"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def test_the_page_of_the_library_shows_what_its_examples_print(
    connection_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_file.rename(tmp_path / "sandbox.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Prepared, "delay_ms", 0.0)
    shown = [block for block in blocks(page(PAGE)) if block.language == "pycon"]
    assert len(shown) > 10
    said: list[str] = []
    # One example after the other in the same namespace, with the line of the page in what fails.
    names: dict[str, object] = {"__name__": "library"}
    for block in shown:
        test = doctest.DocTestParser().get_doctest(block.text, names, PAGE, str(ROOT / PAGE), block.line)
        runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
        runner.run(test, out=said.append, clear_globs=False)
        names = test.globs
    assert not said, "".join(said)
