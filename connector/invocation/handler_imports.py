"""Checks the imports of a handler's file: `connector.handlers` is the only public module."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connector.errors import nearest

PUBLIC = "connector.handlers"


@dataclass(frozen=True)
class Import:
    """A statement that imports from the connector: its line, the module, and the imported names."""

    line: int
    module: str
    names: tuple[str, ...] = ()


def missing_imports(path: Path) -> list[str]:
    """Return a message, with file and line, for each import of a module or name that does not exist."""
    found = ((each, _what_is_missing(each)) for each in _imports(path))
    return [f"{path}, line {each.line}: {missing}; {_advice(each)}" for each, missing in found if missing]


def wrong_imports(path: Path, service: str) -> list[str]:
    """Return a message, with file and line, for each import that fails or is internal.

    Modules of the action's service, `connector.actions.SERVICE`, are allowed.
    """
    siblings = f"connector.actions.{service}"
    internal = [
        f"{path}, line {each.line}: {each.module} is internal; {_advice(each)}"
        for each in _imports(path)
        if each.module not in (PUBLIC, siblings)
        and not each.module.startswith(siblings + ".")
        and not _what_is_missing(each)
    ]
    return missing_imports(path) + internal


def _imports(path: Path) -> Iterator[Import]:
    """Yield all imports of the connector's modules in a file; none if the file is not valid Python."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if _is_ours(name.name):
                    yield Import(node.lineno, name.name)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and _is_ours(node.module or ""):
            names = tuple(name.name for name in node.names)
            if node.module == "connector" and names == ("handlers",):
                yield Import(node.lineno, PUBLIC)
            else:
                yield Import(node.lineno, node.module or "", () if names == ("*",) else names)


def _is_ours(module: str) -> bool:
    return module == "connector" or module.startswith("connector.")


def _what_is_missing(each: Import) -> str:
    """Return a message about a module or names that do not exist, or an empty string."""
    if not _exists(each.module):
        return f"{each.module} no longer exists"
    module = importlib.import_module(each.module)
    missing = [n for n in each.names if not hasattr(module, n) and not _exists(f"{each.module}.{n}")]
    if not missing:
        return ""
    if each.module == PUBLIC:
        return f"{PUBLIC} has no {', '.join(missing)}{nearest(missing[0], _public())}"
    return f"{each.module} no longer has {', '.join(missing)}"


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _advice(each: Import) -> str:
    """Return a clause that says what to import instead."""
    public = [name for name in each.names if name in _public()]
    others = [name for name in each.names if name not in public]
    if public and not others:
        return f"import {', '.join(public)} from {PUBLIC}"
    advice = f"a handler can import only {PUBLIC}, which has {', '.join(_public())}"
    return f"import {', '.join(public)} from {PUBLIC}; {advice}" if public else advice


def _public() -> list[str]:
    # by name, because this package must not import modules of a higher layer
    names: list[str] = importlib.import_module(PUBLIC).__all__
    return names
