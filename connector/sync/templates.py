"""The templates of a mapping. They are compiled once and, unlike other templates, allow missing variables.

In a mapping, a missing property, null, or blank text is *no value* (ABSENT): that field is not written, but
other fields are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from jinja2 import nodes

from connector.common.absent import ABSENT
from connector.common.json_text import Json
from connector.errors import InputError, RowError, RunError
from connector.templating.environment import MissingError, environment
from connector.templating.json_values import is_blank, noticed
from connector.templating.scope import Scope
from connector.templating.templates import compile_together, read

NAMES = ("device", "organization", "location", "custom", "last_user", "current")
"""The variables that templates for clients and devices can use."""
ALERT_NAMES = (*NAMES, "alert", "ticket")
"""The variables that templates for alerts can use."""
KEPT = 100
"""The maximum number of cached template sets; one set for each combination of non-missing templates."""
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


class MappingTemplate:
    """One template of a mapping.

    `paths` has the properties that the template reads, such as `device.system.serialNumber`. With
    `may_clear`, empty text is a value. Raises RunError if the template does not compile, or reads a variable
    that is not in `names`.
    """

    def __init__(self, source: str, names: Sequence[str] = NAMES, *, may_clear: bool = False) -> None:
        self.source, self.may_clear = source, may_clear
        self.parsed = read(source, {})
        self.paths = frozenset(_paths(environment.parse(source)))
        for path in sorted(self.paths):
            name = path.partition(".")[0]
            if name not in names:
                raise RunError(f'"{name}" is not defined here: templates can use {", ".join(names)}')
        self._only = _only_path(environment.parse(source))
        self._render = self.parsed.compile()

    def uses(self, name: str) -> bool:
        """Return whether the template reads the variable or property `name`."""
        return any(path == name or path.startswith(name + ".") for path in self.paths)

    def is_missing(self, scope: Scope) -> bool:
        """Return whether the template is a single property, such as `{{ device.x }}`, that is missing."""
        return self._only is not None and _at(scope, self._only) is ABSENT

    def members(self, name: str) -> frozenset[str]:
        """Return the names of the direct properties of the variable `name` that the template reads."""
        return frozenset(path.split(".")[1] for path in self.paths if path.startswith(name + "."))

    def value(self, scope: Scope) -> Json:
        """Return the rendered value; ABSENT if there is none. Raises InputError if the template fails."""
        noticed.null_in_text = False
        try:
            value = self._render(scope)
        except InputError as error:
            if isinstance(error.__cause__, MissingError) or self._reads_null(scope):
                return ABSENT
            raise
        return ABSENT if noticed.null_in_text else self.kept(value)

    def kept(self, value: Json) -> Json:
        """Return a rendered value; ABSENT if it is null or blank text."""
        if value is None or value is ABSENT:
            return ABSENT
        if type(value) is str and is_blank(value):
            return "" if self.may_clear and value == "" else ABSENT
        return value

    def text(self, scope: Scope) -> str:
        """Return the rendered value as text; empty if there is none. Raises InputError."""
        value = self.value(scope)
        if value is ABSENT:
            return ""
        return value.strip() if isinstance(value, str) else str(value)

    @property
    def can_hold(self) -> bool:
        """Whether the rendered value can be a boolean; false for a text without expressions, such as `al`."""
        return "{" in self.source or self.source.strip().lower() in (*_TRUE, *_FALSE)

    def holds(self, scope: Scope) -> bool:
        """Return the rendered value as a boolean; no value is false. Raises InputError otherwise."""
        value = self.value(scope)
        word = str(value).strip().lower() if value is not ABSENT else "false"
        if word not in (*_TRUE, *_FALSE):
            raise InputError("template_error", f'expected true or false, got "{word[:80]}"')
        return word in _TRUE

    def _reads_null(self, scope: Scope) -> bool:
        """Return whether a property that the template reads is null."""
        return any(_at(scope, path) is None for path in self.paths)


def _at(scope: Mapping[str, Any], path: str) -> Any:
    value: Any = scope
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return ABSENT
        value = value[name]
    return value


def _paths(node: nodes.Node) -> Iterator[str]:
    """Yield the dotted paths of the variables and properties that a template reads."""
    known = {name.name for name in node.find_all(nodes.Name) if name.ctx != "load"} | set(environment.globals)
    stack: list[nodes.Node] = [node]
    while stack:
        found = stack.pop()
        path = _path(found)
        if path is None:
            stack.extend(found.iter_child_nodes())
        elif path.partition(".")[0] not in known:
            yield path


def _only_path(template: nodes.Template) -> str | None:
    """Return the path of a template that is a single property, such as `{{ custom.owner }}`, else None."""
    body = template.body
    if len(body) == 1 and isinstance(body[0], nodes.Output) and len(body[0].nodes) == 1:
        return _path(body[0].nodes[0])
    return None


def _path(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Name):
        return node.name if node.ctx == "load" else None
    if isinstance(node, nodes.Getattr):
        holder, name = _path(node.node), node.attr
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        holder, name = _path(node.node), node.arg.value
    else:
        return None
    return f"{holder}.{name}" if holder is not None and isinstance(name, str) else holder


def render_all(templates: Sequence[MappingTemplate]) -> Callable[[Scope], list[Json | RowError]]:
    """Return a function that renders all templates; each result is a value, ABSENT, or the error."""
    compiled: dict[tuple[int, ...], Callable[[Scope], list[Json]]] = {}

    def render(scope: Scope) -> list[Json | RowError]:
        there = tuple(i for i, template in enumerate(templates) if not template.is_missing(scope))
        found: list[Json | RowError] = [ABSENT] * len(templates)
        if there not in compiled and len(compiled) < KEPT:
            compiled[there] = compile_together([templates[i].parsed for i in there])
        values = _together(compiled.get(there), scope)
        for place, i in enumerate(there):
            found[i] = _one(templates[i], scope) if values is None else templates[i].kept(values[place])
        return found

    return render


def _together(render: Callable[[Scope], list[Json]] | None, scope: Scope) -> list[Json] | None:
    """Return the values of all templates rendered together; None if they must be rendered one by one."""
    if render is None:
        return None
    noticed.null_in_text = False
    try:
        values = render(scope)
    except Exception:
        return None
    return None if noticed.null_in_text else values


def _one(template: MappingTemplate, scope: Scope) -> Json | RowError:
    try:
        return template.value(scope)
    except RowError as error:
        return error
