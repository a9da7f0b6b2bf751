"""The one Jinja environment: sandboxed, immutable, and strict about what is missing, also where Jinja is lax.

Only what the workflow's author wrote is a template; row data is never rendered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial, wraps
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing
from jinja2.visitor import NodeTransformer

from connector.errors import nearest
from connector.template_values import fail_if_missing, json_of, text
from connector.times import parse_time, write_time


class MissingError(UndefinedError):
    """A name or member that is not there, and where it was looked for (`missing`: among the row's fields)."""

    def __init__(self, message: str | None, name: str, holder: Any) -> None:
        super().__init__(message)
        self.name, self.holder = name, holder


class _Strict(StrictUndefined):
    """Fails wherever it is used, and remembers enough to say what would have been there."""

    __slots__ = ()

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: str | None = None, exc: Any = UndefinedError
    ) -> None:
        if hint is None and exc is UndefinedError:
            exc = partial(MissingError, name=str(name), holder=obj)
        super().__init__(hint, obj, name, exc)


def _iso(value: Any) -> str:
    """Write a time (epoch seconds or milliseconds, or ISO 8601) as ISO 8601 in UTC."""
    return str(write_time(parse_time(text(value)), "iso"))


class _OurRules(NodeTransformer):
    """Read a template as our rows want it, where Jinja has Python's objects in mind."""

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Expr:
        """Take `a.items` for a member of the data, and never for a method of Python's dict."""
        self.generic_visit(node)
        return nodes.Getitem(node.node, nodes.Const(node.attr), node.ctx, lineno=node.lineno)

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:
        """Leave the method in `a.items()` a method."""
        called = node.node
        self.generic_visit(node)
        if isinstance(called, nodes.Getattr):
            node.node = called
        return node

    def visit_Name(self, node: nodes.Name) -> nodes.Expr:
        """Take `self` for a field like any other."""
        if node.name != "self" or node.ctx != "load":
            return node
        return nodes.Getitem(nodes.Name("row", "load"), nodes.Const("self"), "load", lineno=node.lineno)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:
        """Let `~` join the texts that `{{ }}` would print, not Python's own."""
        self.generic_visit(node)
        node.nodes = [nodes.Filter(n, "string", [], [], None, None, lineno=n.lineno) for n in node.nodes]
        return node


class _Environment(ImmutableSandboxedEnvironment):
    """Strict, and prints JSON."""

    def __init__(self) -> None:
        super().__init__(undefined=_Strict, finalize=text)
        for name in ("lipsum", "cycler", "joiner"):
            del self.globals[name]
        self.filters |= {
            "string": text,
            "tojson": json_of,
            "join": _joining(self.filters["join"]),
            "iso": _iso,
        }
        lax = {"default", "d", "defined", "undefined"}
        for functions in (self.filters, self.tests):
            functions.update({n: _strictly(f) for n, f in functions.items() if n not in lax})

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, dict):
            try:
                return obj[argument]
            except (TypeError, LookupError):
                return self.undefined(obj=obj, name=argument)
        return super().getitem(obj, argument)


def _strictly(function: Any) -> Any:
    """Refuse a missing first argument, which some filters and tests would take for an empty one."""
    position = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def strict(*args: Any, **kwargs: Any) -> Any:
        if len(args) > position:
            fail_if_missing(args[position])
        return function(*args, **kwargs)

    return strict


def _joining(join: Callable[..., str]) -> Callable[..., str]:
    @wraps(join)
    def joined(context: Any, values: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
        return join(context, values if attribute else [text(v) for v in values], d, attribute)

    return joined


environment = _Environment()


def read_template(source: str) -> nodes.Template:
    """Parse a template. Raises TemplateSyntaxError, also for an unknown filter or test."""
    tree: nodes.Template = _OurRules().visit(environment.parse(source))
    _refuse_unknown(tree)
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        raise TemplateSyntaxError("there are no other templates to include here", node.lineno)
    return tree


def _refuse_unknown(tree: nodes.Template) -> None:
    """Refuse unknown filters and tests also inside an `if`, where Jinja waits until they are reached."""
    for noun, cls, known in (
        ("filter", nodes.Filter, environment.filters),
        ("test", nodes.Test, environment.tests),
    ):
        for node in tree.find_all(cls):
            if node.name not in known:
                raise TemplateSyntaxError(
                    f'there is no {noun} "{node.name}"{nearest(node.name, known)}', node.lineno
                )
