"""The catalog as static files: the same pages without the features that require a server.

The files work in a local folder (`file://`) and at any path of a web server. Two exports of the same version
are identical, byte for byte.
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
"""The name of the file that marks a folder as an export and lists its files."""
_WRITTEN_BY = "ninjaone catalog export"
_SERVED_ALONE = ("runs.css", "sync.css", "ask.js", "try.js", "watch.js", "sync.js", "fields.js")
"""The static files that are not exported, because only pages of the server use them."""


def export(folder: Path, catalog: Catalog, *, force: bool = False) -> int:
    """Write the catalog to a folder that is new, empty or an earlier export; return the number of files.

    Files of an earlier export are replaced, or removed if they are obsolete. Other files in the folder are
    an error unless `force` is true. Raises RunError.
    """
    files = dict(pages(catalog))
    try:
        before = _earlier(folder, force)
        strange = [name for name in files if name not in before and os.path.lexists(folder / name)]
        if strange and not force:
            raise RunError(
                f"{folder / strange[0]}: not written by an export; remove it, or use --force to overwrite it"
            )
        # The list of files is written first, so that an interrupted export is recognized as an export.
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
    """Yield (path, content) of each file of an export; the path is relative to its folder."""
    renderer = Renderer(served=False)
    actions = list(catalog.actions())
    index = make_index(actions, catalog.all_services())
    yield "index.html", renderer.page("index.html", "", index=index).encode()
    for action in actions:
        page = make_action_page(catalog, action.name, actions)
        yield f"actions/{action.name}.html", renderer.page("action.html", "../", page=page).encode()
    yield "static/search-index.js", search_index(actions).encode()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file() and path.name not in _SERVED_ALONE:
            yield f"static/{path.relative_to(STATIC).as_posix()}", path.read_bytes()


def _earlier(folder: Path, force: bool) -> set[str]:
    """Return the files of an earlier export in a folder. Raises RunError if other files are in it."""
    with suppress(FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        written = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if written["written_by"] == _WRITTEN_BY:
            return {name for name in written["files"] if _is_below(name)}
    if force or not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return set()
    raise RunError(f"{folder}: is neither empty nor an export; use another folder or --force")


def _is_below(name: object) -> bool:
    """Return whether a name is a relative path that does not leave its folder."""
    if not isinstance(name, str):
        return False
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _write(folder: Path, name: str, content: bytes) -> None:
    """Write a file atomically; a symbolic link is replaced, not followed."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise RunError(f"{path.parent}: is a link to a folder outside {folder}")
    write_whole(path, content, 0o644)


def _manifest(names: Iterable[str]) -> bytes:
    manifest = {
        "written_by": _WRITTEN_BY,
        "version": connector.__version__,
        "files": sorted(names),
    }
    return (json.dumps(manifest, indent=1) + "\n").encode()
