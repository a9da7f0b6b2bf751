"""Jinja templates over a row, compiled once, each giving a JSON value.

Only what the workflow's author wrote is a template; row data is never rendered. One environment serves
all: sandboxed, immutable, and strict about what is missing, also where Jinja itself is lax.

Three kinds come out of `compile_template`:

* exactly one `{{ expression }}`: the expression's own value, with its type;
* a JSON document with expressions in it (only for array and object inputs): see `json_documents`;
* anything else: text, in which lists, objects, booleans and null print as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing
from jinja2.visitor import NodeTransformer

from connector import json_text
from connector.errors import RowError, RunFault, nearest, shorten
from connector.json_documents import compile_document
from connector.json_text import Json
from connector.template_values import fail_if_missing, json_of, text, to_json
from connector.times import parse_time, write_time

Row = Mapping[str, Json]


class Scope(dict[str, Any]):
    """What the templates of one row see: its fields, and `row` for names that are no identifiers.

    `constants` are what is alike for all rows of a run; a field of the same name hides one.
    """

    def __init__(self, row: Row, constants: Mapping[str, Json] | None = None) -> None:
        super().__init__({**_environment.globals, **(constants or {}), "row": row, **row})
        self.fields = row


Render = Callable[[Scope], Json]
"""A compiled template. Raises RowError (`template_error`)."""


class _MissingError(UndefinedError):
    """A name or member that is not there, and where it was looked for."""

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
            exc = partial(_MissingError, name=str(name), holder=obj)
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


_environment = _Environment()


def compile_template(source: str, schema: Mapping[str, Json]) -> Render:
    """Compile one template for an input of the given JSON Schema.

    Raises RunFault with line and reason for a syntax error, an unknown filter or test, or a constant
    part that cannot be JSON where JSON is due.
    """
    try:
        tree = _OurRules().visit(_environment.parse(source))
        _refuse_unknown(tree)
        for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
            raise TemplateSyntaxError("there are no other templates to include here", node.lineno)
        return _compile_tree(tree, schema)
    except TemplateSyntaxError as error:
        raise RunFault(f"template, line {error.lineno}: {error.message}: {shorten(source)}") from error
    except (RecursionError, MemoryError, OverflowError, ValueError) as error:
        raise RunFault(f"template: too deeply nested or too large: {shorten(source)}") from error


def _refuse_unknown(tree: nodes.Template) -> None:
    """Refuse unknown filters and tests also inside an `if`, where Jinja waits until they are reached."""
    for noun, cls, known in (
        ("filter", nodes.Filter, _environment.filters),
        ("test", nodes.Test, _environment.tests),
    ):
        for node in tree.find_all(cls):
            if node.name not in known:
                raise TemplateSyntaxError(
                    f'there is no {noun} "{node.name}"{nearest(node.name, known)}', node.lineno
                )


def _compile_tree(tree: nodes.Template, schema: Mapping[str, Json]) -> Render:
    pieces = _pieces(tree)
    if pieces is not None and len(pieces) == 1 and not isinstance(pieces[0], nodes.TemplateData):
        return _expression(pieces[0])
    if pieces is not None and takes_json(schema):
        return _json_document(pieces, schema)
    return _text_template(tree)


def json_source(value: Any) -> str:
    """Write a JSON value, in whose texts templates may stand, as one JSON document.

    Raises RunFault for what is no JSON.
    """
    try:
        if isinstance(value, str):
            # Text is escaped for JSON; what is Jinja's stays as it is.
            tokens = _environment.lex(value)
            return (
                '"'
                + "".join(json_text.dumps(t)[1:-1] if kind == "data" else t for _, kind, t in tokens)
                + '"'
            )
        if isinstance(value, Mapping):
            members = (f"{json_source(str(name))}: {json_source(member)}" for name, member in value.items())
            return "{" + ", ".join(members) + "}"
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join(map(json_source, value)) + "]"
        return json_text.dumps(value)
    except TemplateSyntaxError as error:
        raise RunFault(f"template, line {error.lineno}: {error.message}: {shorten(str(value))}") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise RunFault(f"template: not JSON: {error}") from error


def takes_json(schema: Mapping[str, Json]) -> bool:
    """Tell whether text for this schema is a JSON document: its types are `array` and `object` only."""
    types = schema.get("type", ())
    wanted = {types} if isinstance(types, str) else set(types)
    return bool(wanted) and wanted <= {"array", "object", "null"} and wanted != {"null"}


def _pieces(tree: nodes.Template) -> list[nodes.Expr] | None:
    """List a template's texts and expressions in order; None when it has `{% %}` statements."""
    pieces: list[nodes.Expr] = []
    for node in tree.body:
        if not isinstance(node, nodes.Output):
            return None
        pieces.extend(node.nodes)
    return pieces


def _text_template(tree: nodes.Template) -> Render:
    root = _environment.from_string(tree).root_render_func

    def render(scope: Scope) -> str:
        with _explained(scope):
            return "".join(root(_context(scope)))

    return render


def _expression(expression: nodes.Expr) -> Render:
    evaluate = _evaluator([expression])

    def render(scope: Scope) -> Json:
        with _explained(scope):
            return to_json(evaluate(scope)[0])

    return render


def _evaluator(expressions: list[nodes.Expr]) -> Callable[[Scope], list[Any]]:
    """Compile expressions into one function that gives their values, missing ones refused."""
    line = expressions[0].lineno
    values = nodes.Assign(nodes.Name("values", "store"), nodes.List(expressions, lineno=line), lineno=line)
    root = _environment.from_string(nodes.Template([values], lineno=line)).root_render_func

    def evaluate(scope: Scope) -> list[Any]:
        context = _context(scope)
        for _ in root(context):
            pass
        found: list[Any] = context.vars["values"]
        # What is undefined here and does not fail is an inline `if` without an `else`: nothing.
        return [text(value) if isinstance(value, Undefined) else value for value in found]

    return evaluate


def _context(scope: Scope) -> Context:
    # A new context for each template: a shared one would leak a top-level {% set %} into the next.
    return Context(_environment, scope, None, {})


class _explained:
    """Turn whatever a template raises into a RowError that helps its author."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, (RowError, KeyboardInterrupt, SystemExit)):
            return
        if isinstance(error, _MissingError):
            raise RowError("template_error", _missing_message(error, self.scope)) from error
        if isinstance(error, RecursionError):
            raise RowError("template_error", "the template or its value is nested too deeply") from error
        reason = shorten(str(error) or type(error).__name__)
        raise RowError("template_error", f"the template fails: {reason}") from error


def _missing_message(error: _MissingError, scope: Scope) -> str:
    fields: Any
    if error.holder is missing:
        fields, place, noun = scope.fields, "the row", "field"
    else:
        fields, place, noun = error.holder, json_text.kind(error.holder), "member"
    hint = f'{place} has no {noun} "{error.name}"'
    if not isinstance(fields, Mapping):
        return hint
    names = [str(name) for name in fields]
    listed = ", ".join(names[:20]) + (f", … ({len(names)} in all)" if len(names) > 20 else "")
    return f"{hint}{nearest(error.name, names)}; {place}'s {noun}s: {listed or 'none'}"


def _json_document(pieces: list[nodes.Expr], schema: Mapping[str, Json]) -> Render:
    """Compile a JSON document with or without expressions in it."""
    texts = [piece.data if isinstance(piece, nodes.TemplateData) else None for piece in pieces]
    expressions = [piece for piece in pieces if not isinstance(piece, nodes.TemplateData)]
    if not expressions:
        return _constant_json("".join(piece for piece in texts if piece is not None))
    fill, evaluate = compile_document(texts, schema), _evaluator(expressions)

    def render(scope: Scope) -> Json:
        with _explained(scope):
            return fill(evaluate(scope))

    return render


def _constant_json(source: str) -> Render:
    if not source.strip():
        return lambda scope: ""
    try:
        value = json_text.loads(source)
    except ValueError as error:
        raise RunFault(f"template: not JSON ({error}): {shorten(source)}") from error
    return lambda scope: value
