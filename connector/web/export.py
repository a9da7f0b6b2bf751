"""The catalog as static files: the same pages, without what needs a server.

They work from a folder (`file://`) and below any path of a web host. Two exports of one version are equal,
byte for byte.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

import connector
from connector.catalog.catalog import Catalog
from connector.common.user_folders import write_whole
from connector.errors import RunError
from connector.web.catalog.action_page import make_action_page
from connector.web.catalog.index_page import make_index
from connector.web.catalog.search_index import search_index
from connector.web.render import STATIC, Renderer

MANIFEST = "catalogue.json"
"""The file by which an export knows an earlier one, and what that has written."""
_WRITTEN_BY = "ninjaone catalog export"
_SERVED_ALONE = ("runs.css", "ask.js", "try.js", "watch.js")
"""Files of pages that only the server has: those that try actions and watch runs."""


def export(folder: Path, catalog: Catalog, *, force: bool = False) -> int:
    """Write the catalog to a folder that is new, empty or an export's, and give the number of files.

    What an earlier export has written is replaced, or removed where it is no longer written. Anything else is
    left alone, and unless `force` says so, nothing is written beside it. Raises RunError.
    """
    files = dict(pages(catalog))
    try:
        before = _earlier(folder, force)
        strange = [name for name in files if name not in before and os.path.lexists(folder / name)]
        if strange and not force:
            raise RunError(f"{folder / strange[0]}: is not of an export; remove it, or give --force")
        # First the names, so that an export that is cut off is known for one.
        _write(folder, MANIFEST, _manifest(before | files.keys()))
        for name, content in files.items():
            _write(folder, name, content)
        for name in before - files.keys():
            (folder / name).unlink(missing_ok=True)
        _write(folder, MANIFEST, _manifest(files.keys()))
    except OSError as error:
        raise RunError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
    return len(files)


def pages(catalog: Catalog) -> Iterator[tuple[str, bytes]]:
    """Make every file: its path below the folder, and its content."""
    renderer = Renderer(served=False)
    actions = list(catalog.actions())
    yield "index.html", renderer.page("index.html", "", index=make_index(actions)).encode()
    for action in actions:
        page = make_action_page(catalog, action.name, actions)
        yield f"actions/{action.name}.html", renderer.page("action.html", "../", page=page).encode()
    yield "static/search-index.js", search_index(actions).encode()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file() and path.name not in _SERVED_ALONE:
            yield f"static/{path.relative_to(STATIC).as_posix()}", path.read_bytes()


def _earlier(folder: Path, force: bool) -> set[str]:
    """Return the names that an earlier export has written. Raises RunError for a folder of something else."""
    with suppress(FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        written = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if written["written_by"] == _WRITTEN_BY:
            return {name for name in written["files"] if _is_below(name)}
    if force or not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return set()
    raise RunError(f"{folder}: is neither empty nor an export; name another folder, or give --force")


def _is_below(name: object) -> bool:
    """Return whether a name leads nowhere but below the folder."""
    if not isinstance(name, str):
        return False
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _write(folder: Path, name: str, content: bytes) -> None:
    """Write a file whole, replacing a link and not what it leads to."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise RunError(f"{path.parent}: is a link that leads out of {folder}")
    write_whole(path, content, 0o644)


def _manifest(names: Iterable[str]) -> bytes:
    said = {
        "written_by": _WRITTEN_BY,
        "version": connector.__version__,
        "files": sorted(names),
    }
    return (json.dumps(said, indent=1) + "\n").encode()
