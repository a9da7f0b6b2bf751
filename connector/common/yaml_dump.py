"""Writes YAML in which a collection that fits on one line is in flow style (`[a, b]`)."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

import yaml

from connector.common.json_text import SpelledFloat

WIDTH = 110
"""The maximum length of a line in characters."""
# Texts that need no quotes. Others are quoted, also those that only some YAML parsers would read as a number,
# a time or a boolean.
_PLAIN = re.compile(r"[A-Za-z_/$](?:[\w ./$()<>=+-]*[\w./$)])?", re.ASCII)
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


class _Dumper(yaml.SafeDumper):
    """Writes short collections in flow style, and puts texts that need quotes in double quotes."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)  # the items of a list are indented below its key

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent(dumper: _Dumper, value: Any) -> yaml.Node:
    node: Any = yaml.SafeDumper.yaml_representers[type(value)](dumper, value)
    node.flow_style = len(json.dumps(value, default=str)) < WIDTH
    return node  # type: ignore[no-any-return]


def _represent_text(dumper: _Dumper, value: str) -> yaml.Node:
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')


_Dumper.add_representer(dict, _represent)
_Dumper.add_representer(list, _represent)
_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(SpelledFloat, yaml.SafeDumper.represent_float)


def dump(value: Mapping[str, Any], open_keys: Collection[str] = ()) -> str:
    """Return a mapping as YAML, one entry per line.

    The values of `open_keys` are in block style even if they would fit on one line.
    """
    dumper_out = io.StringIO()
    dumper = _Dumper(dumper_out, sort_keys=False, allow_unicode=True, width=1 << 20)
    dumper.open()
    root: Any = dumper.represent_data(dict(value))
    root.flow_style = False
    _open(root, open_keys)
    dumper.serialize(root)
    dumper.close()
    return dumper_out.getvalue()


def _open(node: Any, keys: Collection[str]) -> bool:
    """Put the values of `keys`, and all collections around them, in block style.

    Return whether the node contains any of the keys.
    """
    opened = False
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inside = _open(value, keys)
            if key.value in keys and isinstance(value, yaml.CollectionNode) and value.value:
                value.flow_style, inside = False, True
            opened = opened or inside
    elif isinstance(node, yaml.SequenceNode):
        found = [_open(item, keys) for item in node.value]
        opened = any(found)
    if opened:
        node.flow_style = False
    return opened
