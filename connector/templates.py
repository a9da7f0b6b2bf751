"""Jinja templates over a row, compiled once, each giving a JSON value.

Only what the workflow's author wrote is a template; row data is never rendered. One environment serves
all: sandboxed, immutable, and strict about what is missing, also where Jinja itself is lax.

Three kinds come out of `compile_template`:

* exactly one `{{ expression }}`: the expression's own value, with its type;
* a JSON document with expressions in it (only for array and object inputs): see `_json_document`;
* anything else: text, in which lists, objects, booleans and null print as JSON.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from types import GeneratorType
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing
from jinja2.visitor import NodeTransformer

from connector import json_text
from connector.errors import RowError, RunFault, nearest, shorten
from connector.json_text import Json

Row = Mapping[str, Json]


class Scope(dict[str, Any]):
    """What the templates of one row see: its fields, and `row` for names that are no identifiers."""

    def __init__(self, row: Row) -> None:
        super().__init__({**_environment.globals, "row": row, **row})
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


def _fail_if_missing(value: Any) -> None:
    if isinstance(value, Undefined):
        str(value)  # a _Strict raises its own, precise error


def to_json(value: Any) -> Json:
    """Turn an expression's value into plain JSON. Raises TypeError, naming what has no JSON form."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        if not -sys.float_info.max <= value <= sys.float_info.max:
            raise TypeError("its value is no JSON: a number that is too large")
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(name): to_json(member) for name, member in value.items()}
    if isinstance(value, (list, tuple, range, GeneratorType)):
        return [to_json(item) for item in value]
    _fail_if_missing(value)
    raise TypeError(f"its value is no JSON: {type(value).__name__}")


def _key(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"an object's member names are text, not {json_text.kind(name)}")
    return str(name)


def text(value: Any) -> str:
    """Write a value as a template prints it: text as it is, anything else as JSON."""
    if type(value) is str:
        return value
    return str(value) if isinstance(value, (str, Undefined)) else _json(value)


def _json(value: Any, indent: int | None = None) -> str:
    return json_text.dumps(to_json(value))


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
        self.filters |= {"string": text, "tojson": _json, "join": _joining(self.filters["join"])}
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
            _fail_if_missing(args[position])
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
        return _compile_tree(tree, source, schema)
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


def _compile_tree(tree: nodes.Template, source: str, schema: Mapping[str, Json]) -> Render:
    pieces = _pieces(tree)
    if pieces is not None and len(pieces) == 1 and not isinstance(pieces[0], nodes.TemplateData):
        return _expression(pieces[0])
    if pieces is not None and takes_json(schema):
        return _json_document(pieces, source, schema)
    return _text_template(tree)


def json_source(value: Any) -> str:
    """Write a JSON value, in whose texts templates may stand, as one JSON document: see `_json_document`.

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


# --- JSON documents with expressions in them ---------------------------------------------------------------

_OPEN, _TEXT, _VALUE = "\ue000", "\ue001", "\ue002"
"""Marks in a document's skeleton: `OPEN index TEXT` inside a string, `OPEN index VALUE` for a value."""
_VALUE_AS_NAME = re.compile(_VALUE + r'"\s*:')


def _json_document(pieces: list[nodes.Expr], source: str, schema: Mapping[str, Json]) -> Render:
    """Compile a JSON document whose expressions are values, or text where they stand inside a string.

    The document is parsed once, with a mark where each expression stands; a row's values are then put in
    place of the marks, so no value can break out of its string. Where only the rendered text can be
    parsed (an expression without quotes for a member's name, say), it is parsed for every row.
    """
    expressions = [piece for piece in pieces if not isinstance(piece, nodes.TemplateData)]
    constant = "".join(p.data for p in pieces if isinstance(p, nodes.TemplateData))
    if not expressions:
        return _constant_json(constant)
    evaluate = _evaluator(expressions)
    skeleton, in_string = _skeleton(pieces)
    try:
        if _OPEN in constant or r"\ue000" in constant.lower():
            raise ValueError("the document has our marks in it")
        if _VALUE_AS_NAME.search(skeleton):
            raise ValueError("a value stands where a member's name is due")
        document = json_text.loads(skeleton)
    except ValueError:
        return _json_from_text(pieces, in_string, evaluate)

    def render(scope: Scope) -> Json:
        with _explained(scope):
            values = evaluate(scope)
            alone = _value_at(document, values) if isinstance(document, str) else _NO_VALUE
            return "" if is_blank(alone) else _fill(document, values, schema)

    return render


def _constant_json(source: str) -> Render:
    if not source.strip():
        return lambda scope: ""
    try:
        value = json_text.loads(source)
    except ValueError as error:
        raise RunFault(f"template: not JSON ({error}): {shorten(source)}") from error
    return lambda scope: value


def _skeleton(pieces: list[nodes.Expr]) -> tuple[str, list[bool]]:
    """Write the document with marks for its expressions, and tell which of them stand inside a string."""
    out: list[str] = []
    in_string: list[bool] = []
    inside = escaped = False
    for piece in pieces:
        if not isinstance(piece, nodes.TemplateData):
            mark = f"{_OPEN}{len(in_string)}{_TEXT if inside else _VALUE}"
            in_string.append(inside)
            out.append(mark if inside else f'"{mark}"')
            continue
        for char in piece.data:
            if escaped:
                escaped = False
            elif inside and char == "\\":
                escaped = True
            elif char == '"':
                inside = not inside
        out.append(piece.data)
    return "".join(out), in_string


def _json_from_text(
    pieces: list[nodes.Expr], in_string: list[bool], evaluate: Callable[[Scope], list[Any]]
) -> Render:
    def render(scope: Scope) -> Json:
        with _explained(scope):
            values = iter(zip(evaluate(scope), in_string, strict=True))
            out = []
            for piece in pieces:
                if isinstance(piece, nodes.TemplateData):
                    out.append(piece.data)
                else:
                    value, inside = next(values)
                    out.append(json_text.dumps(text(value))[1:-1] if inside else text(value))
            return parse_json("".join(out))

    return render


def parse_json(rendered: str) -> Json:
    """Read a template's rendered JSON. Raises RowError that shows the text, shortened."""
    try:
        return json_text.loads(rendered)
    except ValueError as error:
        hint = "; text needs quotes around it" if '"' not in rendered else ""
        raise RowError(
            "template_error", f"the template gives broken JSON ({error}){hint}: {shorten(rendered)}"
        ) from error


def _fill(node: Json, values: list[Any], schema: Any) -> Json:
    if isinstance(node, str):
        value = _value_at(node, values)
        if value is _NO_VALUE:
            return _fill_text(node, values) if _OPEN in node else node
        return parse_json(value) if isinstance(value, str) else to_json(value)
    if isinstance(node, dict):
        members = _member(schema, "properties")
        return {_fill_text(k, values): _fill(v, values, _member(members, k)) for k, v in node.items()}
    if isinstance(node, list):
        items = _member(schema, "items")
        return [item for child in node for item in _fill_items(child, values, items)]
    return node


def _fill_items(node: Json, values: list[Any], items: Any) -> list[Json]:
    """Give what one place of an array becomes: a list is spliced in, text is raw JSON for any items."""
    value = _value_at(node, values) if isinstance(node, str) else _NO_VALUE
    if value is _NO_VALUE:
        return [_fill(node, values, items)]
    if isinstance(value, str):
        parsed: list[Json] = parse_json(f"[{value}]")
        return parsed
    plain = to_json(value)
    if not isinstance(plain, list):
        return [plain]
    wanted = _member(items, "type")
    nested = wanted == "array" if wanted else any(isinstance(item, list) for item in plain)
    return [plain] if nested else plain


def is_blank(value: Any) -> bool:
    """Whether a value is a text that renders to nothing."""
    return isinstance(value, str) and not value.strip()


def _member(schema: Any, name: str) -> Any:
    return schema.get(name) if isinstance(schema, Mapping) else None


_NO_VALUE = object()


def _value_at(node: str, values: list[Any]) -> Any:
    if node.startswith(_OPEN) and node.endswith(_VALUE):
        return values[int(node[1:-1])]
    return _NO_VALUE


def _fill_text(node: str, values: list[Any]) -> str:
    if _OPEN not in node:
        return node
    start, *rest = node.split(_OPEN)
    out = [start]
    for piece in rest:
        index, _, tail = piece.partition(_TEXT)
        out += [text(values[int(index)]), tail]
    return "".join(out)
