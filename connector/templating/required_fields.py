"""The fields of a row that a template always requires: if one of them is missing, the row cannot be rendered.

A name is required only if every path through the template uses it. A name is not required if it is used only
with `default` or `is defined`, in one branch of an `if`, on the right side of `and` or `or`, in the body of a
loop, or in a macro. If the analysis is not certain, the name is omitted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import nodes

from connector.templating.environment import environment

_ALLOWS_MISSING = frozenset(("default", "d", "defined", "undefined"))
"""The filters and tests that accept a missing value; all others raise an error."""
_READS_ITEMS = frozenset(("join", "to_json", "tojson"))
"""The filters that use every item of a list."""
_FAILS_IF_MISSING = (nodes.Filter, nodes.BinExpr, nodes.Concat, nodes.Compare, nodes.Not, nodes.Neg)
"""The types of expressions that evaluate their operands even if their own value is not used."""

Names = dict[str, None]
"""Names without duplicates, in the order in which the template uses them."""


def required_fields(source: str) -> list[str]:
    """Return the names of the fields that a valid template always uses, in the order of their use.

    Names that the template sets and names of the environment (`range`, `omit`) are not included.
    """
    tree = environment.parse(source)
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    own |= {macro.name for macro in tree.find_all(nodes.Macro)}
    own |= {"caller", "varargs", "kwargs"} if tree.find(nodes.Macro) else set()
    return list(_Analysis(own).body(tree.body))


class _Analysis:
    """Finds the required names in parts of a template; `own` has the names that the template sets."""

    def __init__(self, own: set[str]) -> None:
        self._own = own

    def body(self, statements: Sequence[nodes.Node]) -> Names:
        """Return the names that a list of statements requires."""
        return _union(self._statement(statement) for statement in statements)

    def _statement(self, node: Any) -> Names:
        if isinstance(node, nodes.Output):
            return _union(self._used(part, items=True) for part in node.nodes)
        if isinstance(node, nodes.If):
            return _union((self._used(node.test), self._branches(node)))
        if isinstance(node, nodes.For):
            return self._used(node.iter)
        if isinstance(node, nodes.Assign):
            return self._used(node.node) if isinstance(node.node, _FAILS_IF_MISSING) else {}
        if isinstance(node, (nodes.AssignBlock, nodes.With)):
            return self.body(node.body)
        return {}

    def _branches(self, node: nodes.If) -> Names:
        """Return the names that all branches of an `if` require."""
        last = self.body(node.else_)
        for branch in reversed(node.elif_):
            last = _union((self._used(branch.test), _common(self.body(branch.body), last)))
        return _common(self.body(node.body), last)

    def _used(self, node: Any, *, items: bool = False) -> Names:
        """Return the names that an expression requires if its value is used.

        With `items`, the items of its value are used, too.
        """
        if isinstance(node, nodes.CondExpr):
            other = self._used(node.expr2, items=items) if node.expr2 else {}
            return _union((self._used(node.test), _common(self._used(node.expr1, items=items), other)))
        if isinstance(node, (nodes.List, nodes.Tuple)):
            return _union(self._used(item, items=True) for item in node.items) if items else {}
        if isinstance(node, nodes.Dict):
            return _union(self._used(item.value, items=True) for item in node.items) if items else {}
        find = _EXPRESSIONS.get(type(node))
        return find(self, node) if find else {}

    def _name(self, node: nodes.Name) -> Names:
        is_field = node.name != "row" and node.name not in self._own and node.name not in environment.globals
        return {node.name: None} if is_field else {}

    def _member(self, node: Any) -> Names:
        """Return the fields that `a.b` and `a['b']` need, such as `a`; `row.b` needs the field `b`."""
        holder = node.node
        if not (isinstance(holder, nodes.Name) and holder.name == "row"):
            return self._used(holder)
        if "row" in self._own:
            return {}
        name = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
        return {name: None} if isinstance(name, str) else {}

    def _filtered(self, node: Any) -> Names:
        """Return the names that `a | f` and `a is f` require."""
        if node.name in _ALLOWS_MISSING or node.node is None:
            return {}
        return self._used(node.node, items=node.name in _READS_ITEMS)

    def _called(self, node: nodes.Call) -> Names:
        """Return the names that `a.f()` requires. `f` is a method and not a field."""
        return self._used(node.node.node) if isinstance(node.node, nodes.Getattr) else {}

    def _compared(self, node: nodes.Compare) -> Names:
        """Return the names that the first comparison of a chain such as `a < b < c` requires.

        The others are not evaluated if it is false.
        """
        first = node.ops[0]
        if first.op not in ("in", "notin"):
            return _union((self._used(node.expr), self._used(first.expr)))
        compares = isinstance(first.expr, (nodes.List, nodes.Tuple)) and bool(first.expr.items)
        return _union((self._used(node.expr) if compares else {}, self._used(first.expr)))

    def _left(self, node: Any) -> Names:
        return self._used(node.left)

    def _both(self, node: Any) -> Names:
        return _union((self._used(node.left), self._used(node.right)))

    def _joined(self, node: nodes.Concat) -> Names:
        return _union(self._used(part, items=True) for part in node.nodes)

    def _operand(self, node: Any) -> Names:
        return self._used(node.node)


_EXPRESSIONS: dict[type[nodes.Node], Callable[[_Analysis, Any], Names]] = {
    nodes.Name: _Analysis._name,
    nodes.Getattr: _Analysis._member,
    nodes.Getitem: _Analysis._member,
    nodes.Filter: _Analysis._filtered,
    nodes.Test: _Analysis._filtered,
    nodes.Call: _Analysis._called,
    nodes.Compare: _Analysis._compared,
    nodes.And: _Analysis._left,
    nodes.Or: _Analysis._left,
    nodes.Concat: _Analysis._joined,
    nodes.Not: _Analysis._operand,
    nodes.Neg: _Analysis._operand,
    nodes.Pos: _Analysis._operand,
    **dict.fromkeys(
        (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow), _Analysis._both
    ),
}


def _union(found: Any) -> Names:
    return {name: None for names in found for name in names}


def _common(one: Names, other: Names) -> Names:
    return {name: None for name in one if name in other}
