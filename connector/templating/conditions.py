"""Conditions in templates. In a table every cell is a text, and the text `False` is true in Jinja."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes

from connector.errors import quote_value

CONDITION = "#condition"
"""The name of the filter that checks a condition; it is not valid in a template's source."""
_FALSE = frozenset(("false", "no", "off", "0"))
_CERTAIN = (nodes.Compare, nodes.Test, nodes.Const, nodes.Not)


def checked(value: Any) -> Any:
    """Return a condition's value. Raises ValueError for a text that means false, but is true in Jinja."""
    if isinstance(value, str) and len(value) < 10 and value.strip().lower() in _FALSE:
        raise ValueError(
            f"the text {quote_value(value)} is true as a condition; use the filter bool (`x | bool`), or "
            "compare it (`x != ''`)"
        )
    return value


def as_condition(node: Any) -> Any:
    """Return an expression whose parts are checked that decide whether it is true."""
    if isinstance(node, (nodes.And, nodes.Or)):
        node.left, node.right = as_condition(node.left), as_condition(node.right)
        return node
    if isinstance(node, _CERTAIN) or (isinstance(node, nodes.Filter) and node.name == CONDITION):
        return node
    return nodes.Filter(node, CONDITION, [], [], None, None, lineno=node.lineno)
