"""Reads YAML safely, and reports errors with file and line.

Where YAML 1.1 would silently change a value, the rules are stricter. A repeated key is an error. Only JSON's
numbers are numbers: 2026-12-01T06:00:00Z, 10:30 and 007 are text. Only values that JSON also has are loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from connector.common.json_text import spelled_float
from connector.errors import RunError

MAX_LENGTH = 10 << 20
"""The maximum length of a YAML file in characters."""
DEEPEST = 100
"""The maximum depth of nested collections in a YAML file."""
MAX_NODES = 1_000_000
"""The maximum number of values in a YAML file; the values of an anchor count once for each alias."""
_MERGE, _VALUE = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:value"
_TEXT, _SEQUENCE, _MAP = "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"
_SCALARS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float"))
_TOO_DEEP = "it is nested too deeply"

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._checked: dict[int, yaml.Node] = {}
        self._depth = 0
        self._deepest: dict[int, yaml.Node] = {}

    def compose(self) -> yaml.Node | None:
        """Return the root node of the only document. Raises ComposerError for nesting that is too deep."""
        root: yaml.Node | None = self.get_single_node()
        for parent in self._deepest.values():
            for child in _children(parent):
                _check_depth(DEEPEST + isinstance(child, yaml.CollectionNode), child)
        return root

    def descend_resolver(self, parent: yaml.Node | None, index: Any) -> None:
        """Count the depth of the nodes that are composed: deep nesting would crash the process in C.

        pyyaml calls this before it composes each value of a collection, and `ascend_resolver` after it.
        """
        if self._depth >= DEEPEST and parent is not None:
            _check_depth(self._depth, parent)
            self._deepest[id(parent)] = parent
        self._depth += 1

    def ascend_resolver(self) -> None:
        """End the value of a collection, see `descend_resolver`."""
        self._depth -= 1

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Return the value of a node, as pyyaml's method does in three times the time.

        Its generators are for collections that contain themselves, which `_check_aliases` refuses.
        """
        if node.tag == _TEXT and isinstance(node, yaml.ScalarNode):
            return node.value
        if node.tag in _SCALARS and isinstance(node, yaml.ScalarNode):
            return self.yaml_constructors[node.tag](self, node)
        if node in self.constructed_objects:  # An alias repeats it.
            return self.constructed_objects[node]
        made: Any
        if node.tag == _SEQUENCE and isinstance(node, yaml.SequenceNode):
            made = [self.construct_object(item) for item in node.value]
        elif node.tag == _MAP and isinstance(node, yaml.MappingNode):
            self.flatten_mapping(node)
            made = {self.construct_object(key): self.construct_object(value) for key, value in node.value}
        else:
            return super().construct_object(node, deep=True)  # raises the error for its tag
        self.constructed_objects[node] = made
        return made

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Add the keys of merged mappings (`<<`) to a node, after a check of the keys written in it."""
        merged = [key for key, _ in node.value if key.tag in (_MERGE, _VALUE)]
        if id(node) not in self._checked:
            self._checked[id(node)] = node
            self.check_keys([key for key, _ in node.value if key.tag != _MERGE])
        if merged:
            super().flatten_mapping(node)

    def check_keys(self, keys: Sequence[yaml.Node]) -> None:
        """Raise ConstructorError for a key that is not text or a number, or is repeated."""
        seen: set[Any] = set()
        for node in keys:
            key = self.construct_object(node, deep=True)
            if isinstance(key, (list, dict)):
                raise yaml.constructor.ConstructorError(None, None, "a key must be text", node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f'the key "{key}" is repeated', node.start_mark
                )
            seen.add(key)


_OTHERS = ("timestamp", "int", "float", "value")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in _OTHERS]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}
_WHOLE = "-?(0|[1-9][0-9]{0,99})"
_START = list("-0123456789")
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(_WHOLE + "$"), _START)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(_WHOLE + r"\.[0-9]+([eE][-+]?[0-9]{1,2})?$"), _START
)
_PLAIN = (
    None,
    *(f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map")),
)
_Loader.yaml_constructors = {tag: _Base.yaml_constructors[tag] for tag in _PLAIN}
_Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: spelled_float(node.value))


class _JsonLoader(_Loader):
    def check_keys(self, keys: Sequence[yaml.Node]) -> None:
        for node in keys:
            if isinstance(node, yaml.ScalarNode):
                node.tag = "tag:yaml.org,2002:str"
        super().check_keys(keys)


_JsonLoader.yaml_implicit_resolvers = {
    first: [found for found in resolvers if found[0] != "tag:yaml.org,2002:bool"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}
_JsonLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("(true|false)$"), ["t", "f"])


class _TextLoader(_JsonLoader):
    pass


_TextLoader.yaml_implicit_resolvers = {
    first: [found for found in resolvers if found[0] != "tag:yaml.org,2002:bool"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}
_TextLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def load(path: Path, *, may_quote: bool = True) -> Any:
    """Return the value of a YAML file. Raises RunError, with file and line, if it cannot be read.

    Without `may_quote`, the error quotes nothing from the file, which can contain secrets.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_LENGTH + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or error
        raise RunError(f"{path}: cannot be read: {reason}") from error
    return _parsed(text, str(path), _Loader, may_quote=may_quote)


def load_data(path: Path, keys: Sequence[str | int] = ()) -> Any:
    """Return the value of a YAML file at the path `keys`, as data: yes, no, on, off and all keys are text.

    So a country NO, or a member `on`, is not read as a boolean. The file must be one that `load` accepts, and
    the path must exist. Raises RunError, with file and line, for two keys that are the same text, such as 7
    and "7".
    """
    return _parsed(path.read_text(encoding="utf-8"), str(path), _TextLoader, keys)


def parse_json_like(text: str, name: str) -> Any:
    """Return the value of a YAML text in which keys and booleans are read as in JSON (for OpenAPI).

    Every key is text, also 200 and `on`; only the words true and false are booleans. Raises RunError with
    `name` and the line.
    """
    return _parsed(text, name, _JsonLoader)


def _parsed(
    text: str, name: str, loader_class: Any, keys: Sequence[str | int] = (), *, may_quote: bool = True
) -> Any:
    if len(text) > MAX_LENGTH:
        raise RunError(f"{name}: the file has more than {MAX_LENGTH:,} characters")
    try:
        loader = loader_class(text)
        node = loader.compose()
        if "*" in text and "&" in text:  # An alias, *NAME, repeats what is marked with &NAME.
            _check_aliases(node)
        for key in keys:
            node = _member(loader, node, key)
        return None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = _problem(error) if may_quote else "not YAML; a value with special characters needs quotes"
        raise RunError(f"{name}, line {line}: {problem}") from error
    except (yaml.YAMLError, RecursionError, ValueError, LookupError) as error:
        raise RunError(f"{name}: not YAML{f': {error}' if may_quote else ''}") from error


def _member(loader: Any, node: Any, key: str | int) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return node.value[int(key)]
    loader.flatten_mapping(node)
    # Merged keys come first; those written in the mapping itself replace them.
    return [value for found, value in node.value if found.value == str(key)][-1]


def _problem(error: yaml.MarkedYAMLError) -> str:
    """Return the problem that a YAML error describes; libyaml's message about depth is replaced."""
    problem = str(error.problem)
    # libyaml has a separate limit, which can be reached before `DEEPEST`.
    return _TOO_DEEP if "nesting depth" in problem else problem


def _check_depth(depth: int, node: yaml.Node) -> None:
    if depth > DEEPEST:
        raise yaml.composer.ComposerError(None, None, _TOO_DEEP, node.start_mark)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    """Yield the keys and values of a collection, or the items."""
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        yield from child if isinstance(child, tuple) else (child,)


def _check_aliases(root: yaml.Node) -> None:
    """Raise ComposerError for aliases that expand to too many values, or to themselves."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        if id(node) not in sizes:
            # start with the maximum, because an alias can make a node contain itself
            sizes[id(node)] = MAX_NODES
            sizes[id(node)] = 1 + sum(map(size, _children(node)))
            if sizes[id(node)] > MAX_NODES:
                raise yaml.composer.ComposerError(
                    None,
                    None,
                    "its aliases expand to too many values, or refer to themselves",
                    node.start_mark,
                )
        return sizes[id(node)]

    size(root)


def head(path: Path) -> dict[str, str]:
    """Return the entries with text values at the start of a YAML file's mapping, unconverted.

    Parsing stops at the first other value, which makes this ten times as fast as `load`. Errors are ignored;
    the entries before an error are returned.
    """
    texts: dict[str, str] = {}
    with suppress(OSError, UnicodeDecodeError, yaml.YAMLError):
        loader = _Loader(path.read_text(encoding="utf-8"))
        starts = [loader.get_event() for _ in ("stream", "document", "mapping")]
        while isinstance(starts[-1], yaml.MappingStartEvent):
            key, value = loader.get_event(), loader.get_event()
            if not (isinstance(key, yaml.ScalarEvent) and isinstance(value, yaml.ScalarEvent)):
                break
            texts[key.value] = value.value
    return texts


def line_of(path: Path, keys: Sequence[str | int]) -> int:
    """Return the line (from 1) of the entry at the path `keys`, or of its nearest existing parent."""
    return lines_of(path, keys)[0]


def lines_of(path: Path, keys: Sequence[str | int]) -> list[int]:
    """Return the lines of the entries at the path `keys`: several if the last key is both 7 and "7"."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return [1]
    lines = [1]
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pairs = [(k, v) for k, v in node.value if k.value == str(key)]
            if not pairs:
                break
            lines, node = [found.start_mark.line + 1 for found, _ in pairs], pairs[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            lines = [node.start_mark.line + 1]
        else:
            break
    return lines
