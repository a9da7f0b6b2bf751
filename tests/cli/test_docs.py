"""`ninjaone docs` and `ninjaone examples`."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Ninjaone
from tests.conftest import ROOT


def test_docs_lists_the_pages_with_their_headings(in_process: Ninjaone) -> None:
    done = in_process("docs")
    assert done.returncode == 0
    for path in (ROOT / "docs").glob("*.md"):
        heading = path.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
        (line,) = [line for line in done.stdout.splitlines() if line.split()[:1] == [path.stem]]
        assert line.endswith(heading)


def test_docs_prints_a_page(in_process: Ninjaone) -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert in_process("docs", "security").stdout == page
    assert in_process("docs", "security.md").stdout == page


def test_docs_names_the_nearest_page(in_process: Ninjaone) -> None:
    done = in_process("docs", "secruity")
    assert done.returncode == 2
    assert 'no page "secruity" (did you mean "security"?)' in done.stderr


def test_examples_copies_what_it_lists(in_process: Ninjaone, tmp_path: Path) -> None:
    listed = in_process("examples").stdout.partition("\n\n")[0].splitlines()
    assert "tickets/resolve-ticket.yaml" in listed
    assert in_process("examples", "list").stdout.startswith("\n".join(listed))
    done = in_process("examples", "copy", "mine")
    assert done.stdout.startswith(f"{len(listed)} files copied to mine")
    copied = {p.relative_to(tmp_path / "mine").as_posix(): p for p in (tmp_path / "mine").rglob("*.*")}
    assert sorted(copied) == sorted(listed)
    for name, path in copied.items():
        assert path.read_bytes() == (ROOT / "examples" / name).read_bytes()


def test_examples_overwrites_nothing(in_process: Ninjaone, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "README.md").write_text("mine")
    done = in_process("examples", "copy", "mine")
    assert done.returncode == 2
    assert "mine is not empty: use a new or empty folder" in done.stderr
    assert (tmp_path / "mine" / "README.md").read_text() == "mine"
    done = in_process("examples", "copy", "mine/README.md")
    assert done.returncode == 2
    assert "cannot copy the examples to mine/README.md: File exists" in done.stderr
