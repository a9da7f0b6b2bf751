"""Writes values as TypeScript."""

from __future__ import annotations

import json
import re
from typing import Any

_WIDTH = 100
_NAME = re.compile("[A-Za-z_$][A-Za-z0-9_$]*")


class Code(str):
    """An expression of TypeScript, which is not quoted."""


def literal(value: Any, depth: int = 0) -> str:
    """Return a value as an expression, indented by `depth` tabs from its second line on."""
    if isinstance(value, Code):
        return value
    if isinstance(value, str):
        return _quoted(value)
    if not isinstance(value, (dict, list)) or not value:
        return json.dumps(value)
    parts = _parts(value, depth + 1)
    brackets = "{}" if isinstance(value, dict) else "[]"
    spaces = " " if isinstance(value, dict) else ""
    line = f"{brackets[0]}{spaces}{', '.join(parts)}{spaces}{brackets[1]}"
    if len(line) + 2 * depth <= _WIDTH and "\n" not in line:
        return line
    tabs = "\t" * (depth + 1)
    return "\n".join([brackets[0], *(f"{tabs}{part}," for part in parts), "\t" * depth + brackets[1]])


def _parts(value: dict[str, Any] | list[Any], depth: int) -> list[str]:
    if isinstance(value, list):
        return [literal(item, depth) for item in value]
    return [f"{_key(name)}: {literal(member, depth)}" for name, member in value.items()]


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    inner = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"'{inner}'"
