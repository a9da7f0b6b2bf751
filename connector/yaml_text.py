"""Writing YAML as our declarations have it: what fits on a line stands on one, in flow style."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

WIDTH = 110
# Everything else is quoted, also what only other readers of YAML take for a number, a time or a truth.
_PLAIN = re.compile(r"[A-Za-z_/$](?:[\w ./$()<>=+-]*[\w./$)])?", re.ASCII)
# On a line of its own, text may also hold what would end it within brackets.
_BLOCK = re.compile(r"[A-Za-z_/$](?:[\w ./$()<>=+%,{}-]*[\w./$)}])?", re.ASCII)
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def write(value: Mapping[str, Any], open_keys: tuple[str, ...] = ()) -> str:
    """Write a mapping; the values of `open_keys` get lines of their own even where one would do."""
    return "".join(line + "\n" for line in _members(value, "", open_keys))


def _members(value: Mapping[str, Any], indent: str, open_keys: tuple[str, ...]) -> Iterator[str]:
    for key, member in value.items():
        opened = key in open_keys and bool(member)
        yield from _entry(f"{indent}{_scalar(key)}:", member, indent, open_keys, opened)


def _entry(head: str, value: Any, indent: str, open_keys: tuple[str, ...], opened: bool) -> Iterator[str]:
    line = f"{head} {_scalar(value, _BLOCK) if isinstance(value, str) else _flow(value)}"
    if not isinstance(value, (dict, list)) or (not opened and len(line) <= WIDTH):
        yield line
    elif isinstance(value, dict):
        yield head
        yield from _members(value, indent + "  ", open_keys)
    elif not any(isinstance(item, (dict, list)) for item in value):
        yield head
        inner = indent + "  "
        yield from textwrap.wrap(
            _flow(value),
            WIDTH,
            initial_indent=inner,
            subsequent_indent=inner + " ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    else:
        yield head
        for item in value:
            yield from _item(item, indent + "  ", open_keys)


def _item(item: Any, indent: str, open_keys: tuple[str, ...]) -> Iterator[str]:
    line = f"{indent}- {_flow(item)}"
    if not isinstance(item, dict) or (len(line) <= WIDTH and not set(open_keys) & item.keys()):
        yield line
        return
    first, *rest = _members(item, indent + "  ", open_keys)
    yield f"{indent}- {first.lstrip()}"
    yield from rest


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any, plain: re.Pattern[str] = _PLAIN) -> str:
    if isinstance(value, str) and plain.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
