"""Conditions and comparisons in templates, where texts would lead to a wrong value without an error.

In a table every cell is a text: `False` is true in Jinja, `5` is not equal to the number 5, and `10` is less
than `9`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from jinja2 import nodes

from connector.common.boolean_words import BOOLEAN_WORDS
from connector.errors import quote_value
from connector.templating.number_texts import number_in

CONDITION, COMPARE = "#condition", "#compare"
"""The names of the filters that check a condition and compare; they are not valid in a template's source."""
_FALSE = frozenset(word for word, value in BOOLEAN_WORDS.items() if not value)
_CERTAIN = (nodes.Compare, nodes.Test, nodes.Const, nodes.Not)
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda item, items: item in items,
    "notin": lambda item, items: item not in items,
}


def checked(value: Any) -> Any:
    """Return a condition's value. Raises ValueError for a text that means false, but is true in Jinja."""
    if isinstance(value, str) and len(value) < 10 and value.strip().lower() in _FALSE:
        raise ValueError(
            f"the text {quote_value(value)} is true as a condition; use the filter bool (`x | bool`), or "
            "compare it (`x != ''`)"
        )
    return value


def compare(left: Any, name: str, right: Any) -> Any:
    """Return the result of a comparison, whose operator has Jinja's name.

    Raises ValueError if a text is compared with the number or boolean that it means, and if two texts have
    another order than the numbers that they mean.
    """
    result = _OPERATORS[name](left, right)
    if name in ("in", "notin"):
        if type(right) in (list, tuple, dict, range):
            _refuse_equal_item(left, right)
    elif name in ("eq", "ne"):
        refuse_equal(left, right)
    elif type(left) is str and type(right) is str:
        numbers = number_in(left), number_in(right)
        if None not in numbers and _OPERATORS[name](*numbers) != result:
            raise ValueError(
                f"{quote_value(left)} and {quote_value(right)} are compared as texts; use the filter int or "
                "float"
            )
    return result


def refuse_equal(left: Any, right: Any) -> None:
    """Raise ValueError if a text means the number or boolean with which it is compared."""
    if type(left) is str:
        text, value = left, right
    elif type(right) is str:
        text, value = right, left
    else:
        return
    if type(value) is bool:
        if BOOLEAN_WORDS.get(text.strip().lower()) is value:
            raise ValueError(f"the text {quote_value(text)} is compared with a boolean; use the filter bool")
    elif isinstance(value, (int, float)) and number_in(text) == value:
        raise ValueError(
            f"the text {quote_value(text)} is compared with a number; use the filter int or float, or "
            "compare it with a text"
        )


def _refuse_equal_item(value: Any, items: Any) -> None:
    """Raise ValueError if a list has an item of another type that means the same as a value.

    The list can be long, so it is first searched by Python.
    """
    if type(value) is str:
        meanings = (number_in(value), BOOLEAN_WORDS.get(value.strip().lower()))
        if not any(meaning is not None and meaning in items for meaning in meanings):
            return
        others = (item for item in items if type(item) is not str)  # 1 is in [true], too
    elif isinstance(value, (int, float)):
        others = (item for item in items if type(item) is str)
    else:
        return
    for other in others:
        refuse_equal(value, other)


def as_condition(node: Any) -> Any:
    """Return an expression whose parts are checked that decide whether it is true."""
    if isinstance(node, (nodes.And, nodes.Or)):
        node.left, node.right = as_condition(node.left), as_condition(node.right)
        return node
    is_checked = isinstance(node, nodes.Filter) and node.name in (CONDITION, COMPARE)
    return node if is_checked or isinstance(node, _CERTAIN) else _filter(node, CONDITION)


def as_comparison(node: nodes.Compare) -> nodes.Expr:
    """Return the expression for a comparison that is checked; `a < b < c` is `a < b and b < c`."""
    left, found = node.expr, None
    for operand in node.ops:
        one = _filter(left, COMPARE, nodes.Const(operand.op), operand.expr)
        found = one if found is None else nodes.And(found, one, lineno=node.lineno)
        left = operand.expr
    return found or node


def _filter(node: nodes.Expr, name: str, *arguments: nodes.Expr) -> nodes.Expr:
    return nodes.Filter(node, name, list(arguments), [], None, None, lineno=node.lineno)
