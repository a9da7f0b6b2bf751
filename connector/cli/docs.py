"""The `docs` and `examples` commands: the documentation and example jobs included in the package."""

from __future__ import annotations

import argparse
from pathlib import Path

from connector.cli.main import OK
from connector.common.package_data import docs_folder, examples_folder
from connector.errors import RunError, nearest

_FIRST = ("getting-started", "connections", "templates", "files", "jobs", "production", "library")
"""The pages that are listed first, in reading order; the other pages follow in alphabetical order."""


def add_docs(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone docs`."""
    parser.add_argument("page", metavar="PAGE", nargs="?", help="the page to print (default: list the pages)")
    parser.set_defaults(command=_docs)


def add_examples(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone examples`."""
    parser.set_defaults(command=_list_examples, verbose=0, log_file=None)
    commands = parser.add_subparsers(metavar="COMMAND")
    commands.add_parser("list", help="list the files").set_defaults(command=_list_examples)
    copy = commands.add_parser("copy", help="copy the files to a folder")
    copy.add_argument("folder", metavar="DIR", type=Path, help="a new or empty folder")
    copy.set_defaults(command=_copy_examples)


def _docs(options: argparse.Namespace) -> int:
    pages = {path.stem: path for path in sorted(docs_folder().glob("*.md"), key=_order)}
    if options.page is None:
        for name, path in pages.items():
            print(f"{name:<17} {_title(path)}")
        print(f"\n`ninjaone docs PAGE` prints a page. The files are in {docs_folder()}")
        return OK
    name = options.page.removesuffix(".md")
    if name not in pages:
        raise RunError(f'no page "{name}"{nearest(name, pages)}; `ninjaone docs` lists the pages')
    print(pages[name].read_text(encoding="utf-8"), end="")
    return OK


def _order(path: Path) -> tuple[int, str]:
    """Return the sort key of a page's path."""
    return (_FIRST.index(path.stem) if path.stem in _FIRST else len(_FIRST), path.stem)


def _title(page: Path) -> str:
    """Return the title of a page, its first line."""
    with page.open(encoding="utf-8") as lines:
        return next(lines).lstrip("# ").rstrip()


def _example_files() -> list[Path]:
    """Return the paths of the example files, relative to the examples folder."""
    folder = examples_folder()
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    hidden = ("out", "__", ".")
    return sorted(path for path in found if not any(part.startswith(hidden) for part in path.parts))


def _list_examples(options: argparse.Namespace) -> int:
    for path in _example_files():
        print(path.as_posix())
    print("\n`ninjaone examples copy DIR` copies them to a folder")
    return OK


def _copy_examples(options: argparse.Namespace) -> int:
    folder: Path = options.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RunError(f"{folder} is not empty: use a new or empty folder")
        files = _example_files()
        for path in files:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((examples_folder() / path).read_bytes())
    except OSError as error:
        raise RunError(f"cannot copy the examples to {folder}: {error.strerror or error}") from error
    print(f"{len(files)} files copied to {folder}; start with {folder / 'README.md'}")
    return OK
