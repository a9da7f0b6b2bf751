"""Jinja templates, compiled once, which return a JSON value for each row.

A template without `{% %}` is one of three kinds:

* exactly one `{{ expression }}`: the expression's value, with its type;
* a JSON document with expressions in it (only for array and object inputs): see `json_documents`;
* anything else: text, in which lists, objects, booleans and null print as JSON.

A template with `{% %}` is text. `compile_together` compiles many templates into one function, which is three
times as fast as calling them one by one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from jinja2 import TemplateSyntaxError, Undefined, nodes
from jinja2.runtime import Context
from jinja2.utils import missing

from connector.common import json_text
from connector.common.json_text import Json
from connector.errors import InputError, RowError, RunError, nearest, shorten, values_are_shown
from connector.templating.environment import MissingError, environment, read_template
from connector.templating.json_documents import Pieces, compile_document
from connector.templating.limits import FEW, MAX_TEXT_LENGTH, STEPS_TO_COMPILE, begin, fits
from connector.templating.operators import concat
from connector.templating.scope import Fill, Gaps, Render, Scope, Template, takes_json
from connector.templating.statement_lines import ends_with_statement
from connector.templating.values import NULL, copied, text, to_json


def compile_template(source: str, schema: Mapping[str, Json]) -> Render:
    """Compile one template for an input of the given JSON Schema. Raises RunError as `read` does."""
    return read(source, schema).compile()


def read(source: str, schema: Mapping[str, Json], gaps: Gaps = "sent") -> Template:
    """Read one template for an input of the given JSON Schema.

    `gaps` says whether an empty text of a row is sent or omitted in a JSON document. Raises RunError with
    line and reason for a syntax error, an unknown filter or test, or a constant part that is not JSON where
    JSON is required.
    """
    with _faults(source):
        pieces = _pieces(read_template(source))
        if pieces is None:
            return Template(partial(_compile_text, source), source=source)
        texts = [piece.data if isinstance(piece, nodes.TemplateData) else None for piece in pieces]
        expressions = _expressions(pieces)
        if texts == [None]:
            fill: Fill = _own if _is_own(expressions[0]) else _only
        elif takes_json(schema):
            fill = compile_document(texts, schema, gaps) if expressions else _constant_json(texts)
        else:
            return Template(partial(_compile_text, source), expressions, _join(texts), source)
        return Template(partial(_compile_filled, source, fill), expressions, fill, source)


@contextmanager
def _faults(source: str) -> Iterator[None]:
    """Context that converts any exception of Jinja's parser and compiler to a RunError."""
    try:
        yield
    except TemplateSyntaxError as error:
        message = (error.message or "").rstrip(".")
        raise RunError(f"template, line {error.lineno}: {message}: {shorten(source)}") from error
    except (SyntaxError, RecursionError, MemoryError, OverflowError, ValueError) as error:
        raise RunError(f"template: too deeply nested or too large: {shorten(source)}") from error


def json_source(value: Any) -> str:
    """Return the text of a JSON document for a JSON value whose texts can be templates.

    Raises RunError if it is not JSON.
    """
    try:
        if isinstance(value, str):
            # Text is escaped for JSON, but the text of Jinja's expressions is not.
            tokens = environment.lex(value)
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
        return json_text.number_text(value)
    except TemplateSyntaxError as error:
        raise RunError(f"template, line {error.lineno}: {error.message}: {shorten(str(value))}") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise RunError(f"template: not JSON: {error}") from error


def _pieces(tree: nodes.Template) -> list[nodes.Expr] | None:
    """Return a template's texts and expressions in order, or None if it has `{% %}` statements."""
    pieces: list[nodes.Expr] = []
    for node in tree.body:
        if not isinstance(node, nodes.Output):
            return None
        pieces.extend(node.nodes)
    return pieces


def _expressions(pieces: Sequence[nodes.Expr]) -> tuple[nodes.Expr, ...]:
    return tuple(piece for piece in pieces if not isinstance(piece, nodes.TemplateData))


def _constant_json(texts: Pieces) -> Fill:
    source = "".join(piece for piece in texts if piece is not None)
    if not source.strip():
        return lambda values: ""
    try:
        value = json_text.loads(source)
    except ValueError as error:
        raise RunError(f"template: not JSON ({error}): {shorten(source)}") from error
    return lambda values: value


def _only(values: Sequence[Any]) -> Json:
    """Return the value of a template's only expression."""
    return to_json(values[0])


def _own(values: Sequence[Any]) -> Json:
    """Return the value of a template's only expression. It is part of the row, so its size is not limited."""
    return copied(values[0])


def _is_own(expression: nodes.Expr) -> bool:
    """Return whether an expression is only a field, or members of a field."""
    while isinstance(expression, nodes.Getitem) and isinstance(expression.arg, nodes.Const):
        expression = expression.node
    return isinstance(expression, nodes.Name)


def _join(texts: Pieces) -> Fill:
    """Return a function that prints values between constant texts."""
    pattern = "".join("%s" if piece is None else piece.replace("%", "%%") for piece in texts)

    def fill(values: Sequence[Any]) -> str:
        printed = tuple(map(text, values))
        if len(printed) > FEW:
            fits(sum(map(len, printed)))
        filled = pattern % printed
        if len(filled) > MAX_TEXT_LENGTH:
            fits(len(filled))
        return filled

    return fill


def compile_together(templates: Sequence[Template]) -> Callable[[Scope], list[Json]]:
    """Compile templates into one function that returns the value of each, in order.

    If a template fails, the function raises an exception of any type; render the templates separately to get
    the error of each. Templates with statements have separate contexts, because a top-level `{% set %}` would
    affect the next one. Raises RunError for a template that is nested too deeply.
    """
    expressions: list[nodes.Expr] = []
    plan: list[tuple[Callable[[Any], Json], int | slice]] = []
    for template in templates:
        plan.append(_placed(template, len(expressions)))
        expressions += template.expressions
    with _faults(f"one of {len(templates)} templates"):
        evaluate = _evaluator(expressions)

    def render(scope: Scope) -> list[Json]:
        values = evaluate(scope)
        values.append(scope)
        return [give(values[place]) for give, place in plan]

    return render


def _placed(template: Template, start: int) -> tuple[Callable[[Any], Json], int | slice]:
    """Return a function that returns a template's value, and the position of the function's argument.

    The argument is the values of the template's expressions, which begin at position `start` among all
    values, or the scope, which is the last value.
    """
    if template.fill is None:
        return template.compile(), -1
    if template.fill is _only:
        return to_json, start
    if template.fill is _own:
        return copied, start
    return template.fill, slice(start, start + len(template.expressions))


# The template is parsed again, because Jinja changes the tree that it compiles, and several threads can
# compile it at the same time.


def _compile_text(source: str) -> Render:
    with _faults(source):
        tree = read_template(source)
        drops_newline = ends_with_statement(environment.lexer.tokeniter(source, None))
        begin(STEPS_TO_COMPILE)
        root = environment.from_string(tree).root_render_func

    def render(scope: Scope) -> str:
        with _explained(scope):
            # Each call has a separate context, because the template can set names in it.
            begin()
            rendered = concat(root(_context(scope)))
            return rendered[:-1] if drops_newline and rendered.endswith("\n") else rendered

    return render


def _compile_filled(source: str, fill: Fill) -> Render:
    with _faults(source):
        evaluate = _evaluator(_expressions(_pieces(read_template(source)) or ()))

    def render(scope: Scope) -> Json:
        with _explained(scope):
            return fill(evaluate(scope))

    return render


def _evaluator(expressions: Sequence[nodes.Expr]) -> Callable[[Scope], list[Any]]:
    """Return one function that evaluates all expressions. It raises an exception for a missing value."""
    if not expressions:
        return lambda scope: []
    line = expressions[0].lineno
    values = nodes.Assign(
        nodes.Name("values", "store"), nodes.List(list(expressions), lineno=line), lineno=line
    )
    root = environment.from_string(nodes.Template([values], lineno=line)).root_render_func
    kept = _KeptContext()

    def evaluate(scope: Scope) -> list[Any]:
        begin()
        context = kept.context
        context.parent, context.vars = scope, {}
        for _ in root(context):
            pass
        found: list[Any] = context.vars["values"]
        # Only an inline `if` without an `else` has an undefined value that does not raise: an empty text.
        return [
            text(value) if isinstance(value, Undefined) and value is not NULL else value for value in found
        ]

    return evaluate


class _KeptContext(threading.local):
    """The context in which a thread evaluates expressions. It is reused, because creating one is slow."""

    def __init__(self) -> None:
        self.context = _FieldsContext(environment, {}, None, {})


class _FieldsContext(Context):
    """A context in which no names are set, so that a name is looked up only once."""

    def resolve_or_missing(self, key: str) -> Any:
        """Return the value of a name, or `missing`."""
        return self.parent.get(key, missing)


def _context(names: dict[str, Any]) -> Context:
    return Context(environment, names, None, {})


@contextmanager
def _explained(scope: Scope) -> Iterator[None]:
    """Context that converts any exception of a template to an InputError with a message for its author."""
    try:
        yield
    except RowError:
        raise
    except MissingError as error:
        raise InputError("template_error", _missing_message(error, scope)) from error
    except RecursionError as error:
        raise InputError("template_error", "the template or its value is nested too deeply") from error
    except Exception as error:
        reason = shorten(str(error)) if str(error) and values_are_shown() else type(error).__name__
        raise InputError("template_error", f"the template fails: {reason}") from error


def _missing_message(error: MissingError, scope: Scope) -> str:
    fields: Any
    if error.holder is missing:
        fields, place, noun = scope.fields, "the row", "field"
    else:
        fields, place, noun = error.holder, json_text.kind(error.holder), "member"
    name = shorten(str(error.name))
    hint = f'{place} has no {noun} "{name}"'
    if not isinstance(fields, Mapping):
        return hint
    names = [shorten(str(field)) for field in fields]
    listed = ", ".join(names[:20]) + (f", … ({len(names)} in all)" if len(names) > 20 else "")
    return f"{hint}{nearest(name, names)}; {place}'s {noun}s: {listed or 'none'}"
