"""The Jinja environment: sandboxed, immutable, and stricter than Jinja about missing values.

Only texts that the author of a workflow wrote are rendered as templates; data of rows never is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing
from jinja2.visitor import NodeTransformer

from connector.common import json_text
from connector.errors import RowError, nearest
from connector.templating.conditions import (
    COMPARE,
    CONDITION,
    as_comparison,
    as_condition,
    checked,
    compare,
)
from connector.templating.filters import Functions, bounded_filters, bounded_tests
from connector.templating.json_query import check_json_query
from connector.templating.limits import MAX_SOURCE_LENGTH, STEPS_PER_PASS, begin, spend, weigh
from connector.templating.methods import FUNCTIONS, NOT_THERE, member, method
from connector.templating.operators import BOUNDED, OPERATORS, concat
from connector.templating.scope import GLOBALS, WHOLE_ROW
from connector.templating.statement_lines import StatementLexer
from connector.templating.values import NULL, fail_if_missing, text

GLOBALS.update(FUNCTIONS, omit=NULL)


class MissingError(UndefinedError):
    """A name or member is missing. `holder` is the object that lacks it, or `missing` for the row."""

    def __init__(self, message: str | None, name: str, holder: Any) -> None:
        super().__init__(message)
        self.name, self.holder = name, holder


class _Strict(StrictUndefined):
    """An undefined value: any use of it raises an error with its name and the object that lacks it."""

    __slots__ = ()

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: str | None = None, exc: Any = UndefinedError
    ) -> None:
        if hint is None and exc is UndefinedError:
            exc = partial(MissingError, name=str(name), holder=obj)
        super().__init__(hint, obj, name, exc)


class _OurRules(NodeTransformer):
    """Rewrites a template so that it can use only plain data, not Python objects, and checks its limits.

    `sets_row` is true if the template itself sets a variable named `row`.
    """

    def __init__(self, *, sets_row: bool) -> None:
        self._sets_row = sets_row

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Expr:
        """Rewrite `a.items` to return a member of the data, not a method of Python's dict."""
        self.generic_visit(node)
        holder = self._row_of(node.node)
        return nodes.Getitem(holder, nodes.Const(node.attr), node.ctx, lineno=node.lineno)

    def _row_of(self, holder: nodes.Expr) -> nodes.Expr:
        """Return the expression for `row` in `row.name`: the row, even if it has a field named `row`."""
        if isinstance(holder, nodes.Name) and holder.name == "row" and not self._sets_row:
            return nodes.Name(WHOLE_ROW, "load", lineno=holder.lineno)
        return holder

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:
        """Add the charge for reading the text or list in a slice such as `a[1:3]`."""
        self.generic_visit(node)
        node.node = self._row_of(node.node)
        if isinstance(node.arg, nodes.Slice):
            node.node = _filtered(node.node, _WEIGHED)
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:
        """Rewrite `a.items()` to call the method, not a member of the data."""
        called = node.node
        self.generic_visit(node)
        if isinstance(called, nodes.Getattr):
            node.node = called
        _weigh_spread(node)
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Expr:
        """Add the charge for the arguments of `f(*list)`, and reject a constant that exceeds a limit."""
        self.generic_visit(node)
        _weigh_spread(node)
        if isinstance(node.node, nodes.Const):
            _refuse_constant(partial(node.as_const, nodes.EvalContext(environment)), node)
        return node

    def visit_Test(self, node: nodes.Test) -> nodes.Expr:
        """Add the charge for the arguments of `is f(*list)`."""
        self.generic_visit(node)
        _weigh_spread(node)
        return node

    def visit_Name(self, node: nodes.Name) -> nodes.Expr:
        """Treat `self`, which Jinja reserves, as an ordinary field."""
        if node.name != "self" or node.ctx != "load":
            return node
        return nodes.Getitem(nodes.Name(WHOLE_ROW, "load"), nodes.Const("self"), "load", lineno=node.lineno)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:
        """Make `~` join its operands as `{{ }}` prints them, instead of with Python's `str()`."""
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), _CONCAT)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Expr:
        """Add the charge for reading the operands of a comparison, and check it."""
        self.generic_visit(node)
        node.expr = _unless_constant(node.expr, _WEIGHED)
        for operand in node.ops:
            operand.expr = _unless_constant(operand.expr, _WEIGHED)
        return as_comparison(node)

    def visit_Pair(self, node: nodes.Pair) -> nodes.Pair:
        """Require an object's member names to be texts."""
        self.generic_visit(node)
        node.key = _unless_constant(node.key, _NAME)
        return node

    def visit_If(self, node: Any) -> Any:
        """Check a condition: a text that means false is an error."""
        self.generic_visit(node)
        node.test = as_condition(node.test)
        return node

    visit_CondExpr = visit_If

    def visit_Not(self, node: nodes.Not) -> nodes.Expr:
        """Check a condition that is negated."""
        self.generic_visit(node)
        node.node = as_condition(node.node)
        return node

    def visit_And(self, node: nodes.And) -> nodes.Expr:
        """Check the condition of `a and b`."""
        self.generic_visit(node)
        node.left = as_condition(node.left)
        return node

    def visit_For(self, node: nodes.For) -> nodes.For:
        """Add a charge for each iteration of a loop, including those that its condition skips."""
        self.generic_visit(node)
        counted = _counted(node.body, node.lineno)
        if node.test is None:
            node.body.insert(0, nodes.ExprStmt(counted, lineno=node.lineno))
        else:
            node.test = nodes.And(counted, as_condition(node.test), lineno=node.lineno)
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Macro:
        """Add a charge for each call of a macro."""
        self.generic_visit(node)
        node.body.insert(0, nodes.ExprStmt(_counted(node.body, node.lineno), lineno=node.lineno))
        return node

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.CallBlock:
        """Add a charge for each call of a `call` block."""
        self.generic_visit(node)
        node.body.insert(0, nodes.ExprStmt(_counted(node.body, node.lineno), lineno=node.lineno))
        return node

    def _operation(self, node: nodes.BinExpr) -> nodes.Expr:
        """Evaluate an operation on constants, such as `2 * 3`.

        A constant that exceeds a limit is then found before anything is sent.
        """
        self.generic_visit(node)
        operator = OPERATORS.get(node.operator)
        if operator is None or not (_is_literal(node.left) and _is_literal(node.right)):
            return node
        value = _refuse_constant(lambda: operator(node.left.as_const(), node.right.as_const()), node)
        is_small = isinstance(value, (int, float)) or (isinstance(value, str) and len(value) < 1000)
        return nodes.Const(value, lineno=node.lineno) if is_small else node

    visit_Add = visit_Sub = visit_Mul = visit_Div = visit_FloorDiv = visit_Mod = visit_Pow = _operation


def _is_literal(node: nodes.Expr) -> bool:
    if isinstance(node, (nodes.List, nodes.Tuple)):
        return all(map(_is_literal, node.items))
    return isinstance(node, nodes.Const)


def _filtered(node: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _unless_constant(node: nodes.Expr, name: str) -> nodes.Expr:
    return node if isinstance(node, nodes.Const) else _filtered(node, name)


def _counted(body: list[nodes.Node], line: int) -> nodes.Expr:
    """Return an expression that charges a step for each part of a body."""
    steps = STEPS_PER_PASS + len(body) + sum(1 for node in body for _ in node.find_all(nodes.Node))
    return _filtered(nodes.Const(steps, lineno=line), _PASS)


def _weigh_spread(node: Any) -> None:
    """Add the charge for the arguments after `*` and `**` in a call."""
    if node.dyn_args is not None:
        node.dyn_args = _filtered(node.dyn_args, _WEIGHED)
    if node.dyn_kwargs is not None:
        node.dyn_kwargs = _filtered(node.dyn_kwargs, _WEIGHED)


def _refuse_constant(evaluate: Callable[[], Any], node: nodes.Node) -> Any:
    """Return the value of a constant, if it has one. Raises TemplateSyntaxError if it exceeds a limit."""
    begin()
    try:
        return evaluate()
    except nodes.Impossible as error:
        reason: BaseException | None = error.__cause__
    except Exception as error:
        reason = error
    if isinstance(reason, RowError):
        raise TemplateSyntaxError(str(reason), node.lineno)
    return None


class _Environment(ImmutableSandboxedEnvironment):
    """The strict Jinja environment, with limits; it prints values as JSON.

    Values have only the methods that the module `methods` lists.
    """

    intercepted_binops = BOUNDED
    concat = staticmethod(concat)

    def __init__(self) -> None:
        # The optimizer would evaluate constants during compilation and ignore errors such as an exceeded
        # limit.
        super().__init__(undefined=_Strict, finalize=text, optimized=False)
        self._lexer = StatementLexer(self)
        self.globals = GLOBALS
        self.binop_table = OPERATORS
        self.filters: Functions = bounded_filters(self.filters)
        self.tests: Functions = bounded_tests(self.tests)
        self.filters |= {_PASS: _pass, _WEIGHED: _weighed, _CONCAT: _concat, _NAME: _name}
        self.filters |= {CONDITION: checked, COMPARE: compare}

    @property
    def lexer(self) -> StatementLexer:
        """Return the lexer of templates."""
        return self._lexer

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the method, or the callable member, that a template calls."""
        found = method(obj, attribute, self.getitem)
        return self.getitem(obj, attribute) if found is NOT_THERE else found

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return a member of the data, or an undefined value."""
        if type(obj) is dict and type(argument) is str and argument in obj:
            return obj[argument]
        if obj is NULL:
            return NULL
        found = member(obj, argument)
        return self.undefined(obj=obj, name=argument) if found is NOT_THERE else found


# These filters are inserted by `_OurRules`. Their names are not valid in a template's source.
_PASS, _WEIGHED, _CONCAT, _NAME = "#pass", "#weighed", "#concat", "#name"


def _pass(steps: int) -> bool:
    """Count an iteration of a loop, or a call of a macro."""
    spend(steps)
    return True


def _weighed(value: Any) -> Any:
    """Charge the cost of reading a value."""
    weigh(value)
    return value


def _concat(values: list[Any]) -> str:
    """Join the texts that `{{ }}` would print."""
    return concat(list(map(text, values)))


def _name(value: Any) -> Any:
    """Return a member's name, which must be a text, a number, a boolean or null. Raises TypeError."""
    fail_if_missing(value)
    if value is not None and value is not NULL and not isinstance(value, (str, int, float)):
        found = "a function" if callable(value) else json_text.kind(value)
        raise TypeError(f"an object's member names are text, not {found}")
    return value


environment = _Environment()


def read_template(source: str) -> nodes.Template:
    """Parse a template. Raises TemplateSyntaxError, also for unknown filters and too large constants."""
    if len(source) > MAX_SOURCE_LENGTH:
        raise TemplateSyntaxError(f"a template can have at most {MAX_SOURCE_LENGTH:,} characters", 1)
    try:
        parsed = environment.parse(source)
    except TemplateSyntaxError as error:
        message = (error.message or "").rstrip(".")
        hint = "" if message.startswith("unexpected end of template") else _RAW  # braces that are not closed
        raise TemplateSyntaxError(message + hint, error.lineno) from error
    _refuse_unknown(parsed)
    for node in parsed.find_all(tuple(_REFUSED)):
        raise TemplateSyntaxError(_REFUSED[type(node)], node.lineno)
    sets_row = any(name.name == "row" and name.ctx != "load" for name in parsed.find_all(nodes.Name))
    tree: nodes.Template = _OurRules(sets_row=sets_row).visit(parsed)
    return tree


_RAW = " (if the braces are meant for another tool, write {% raw %} before them and {% endraw %} after them)"
_OTHER_NAMES = {
    "convert_from_epoch": "from_epoch",
    "from_json_string": "from_json",
    "strftime": "format_datetime",
    "to_json_string": "to_json",
    "to_nice_json": "to_json",
    "tojson_string": "to_json",
}
"""Names of filters in other tools, with the name of the same filter here."""
_WITH_PATTERN = frozenset(("match", "search", "regex_findall", "regex_replace", "regex_search"))
_NO_OTHERS = "include, import, extends and block are not supported"
_REFUSED: dict[type[nodes.Node], str] = {
    **dict.fromkeys((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block), _NO_OTHERS),
    nodes.ScopedEvalContextModifier: "autoescape is not supported; use the filter escape",
}


def _refuse_unknown(tree: nodes.Template) -> None:
    """Raise TemplateSyntaxError for unknown filters and tests.

    Jinja would not report one inside an `if` before it is evaluated.
    """
    for noun, cls, known in (
        ("filter", nodes.Filter, environment.filters),
        ("test", nodes.Test, environment.tests),
    ):
        for node in tree.find_all(cls):
            if node.name not in known:
                other = _OTHER_NAMES.get(node.name)
                hint = f"; use {other}" if other in known else nearest(node.name, known)
                raise TemplateSyntaxError(f'there is no {noun} "{node.name}"{hint}', node.lineno)
            _check_arguments(node)


def _check_arguments(node: Any) -> None:
    """Raise TemplateSyntaxError for a constant that is not a regular expression.

    Raises RunError if a filter's library is not installed.
    """
    if node.name == "json_query":
        check_json_query()
    pattern = node.args[0] if node.args else None
    if node.name in _WITH_PATTERN and isinstance(pattern, nodes.Const):
        from connector.templating.regex import compile_regex  # imported only if it is used

        try:
            compile_regex(pattern.value)
        except (ValueError, TypeError, RowError) as error:
            raise TemplateSyntaxError(str(error), node.lineno) from error
