"""Binds an action's inputs to templates or fields, and returns the resulting values of a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from connector.catalog.action import Action
from connector.catalog.inputs import Input
from connector.catalog.json_schema import Check, compile_check, validator
from connector.common.absent import ABSENT
from connector.common.json_text import Json
from connector.errors import InputError, RowError, RunError
from connector.templating.json_values import noticed, parse_json, without_null
from connector.templating.scope import Gaps, Render, Row, Scope, Template, constant, takes_json

_NULL = re.compile(r"\bnull\b")
"""A template can send null only if it contains this word."""

_HOLD_NO_NULL = frozenset((str, int, float, bool))
"""The types whose values cannot contain null; values of other types are searched."""


@dataclass(frozen=True, eq=False, repr=False)
class Binding:
    """An input, and the template or field from which its value comes.

    If `renders_json` is true, text from the template is a JSON document. With `null_is_missing`, a null in
    such a document, or in a JSON text of a row, counts as no value: see `Bindings`.
    """

    input: Input
    source: str
    template: Template
    renders_json: bool = False
    send_empty: bool = False
    null_is_missing: bool = False

    @property
    def is_template(self) -> bool:
        """Whether a template was given for the input."""
        return self.source.startswith("the template")

    def value(self, scope: Scope) -> Json:
        """Return the converted value for a row, or ABSENT.

        Raises InputError, whose message hides secret values.
        """
        try:
            return self._value(scope)
        except RowError as error:
            if not self.input.is_secret or _is_of_missing(error):
                raise
            said = "its template fails" if error.code == "template_error" else "its value is not valid"
            raise InputError(error.code, f"{self.input.name}: {said} (secret value not shown)") from None

    def _value(self, scope: Scope) -> Json:
        try:
            rendered = self._render(scope)
        except RowError as error:
            raise InputError(error.code, f"{self.input.name}: {error}") from error
        return self.typed(rendered)

    def outcome(self, scope: Scope) -> Json | RowError:
        """Return the converted value for a row, ABSENT if there is no value, or the error."""
        try:
            return self.value(scope)
        except RowError as error:
            return error

    def typed(self, rendered: Json) -> Json:
        """Return the value of a template, converted to the input's type, or ABSENT. Raises InputError."""
        given = self.input
        text = rendered
        if self.renders_json and isinstance(rendered, str) and rendered.strip():
            try:
                rendered = parse_json(rendered)
            except RowError as error:
                raise InputError(error.code, f"{given.name}: {error}") from error
        is_of_row = self.null_is_missing and isinstance(text, str) and not _NULL.search(self.source)
        value = given.read(without_null(rendered) if is_of_row else rendered)
        value = without_null(value) if is_of_row else value
        is_empty = value is ABSENT and isinstance(rendered, str)
        return given.read_empty() if self.send_empty and is_empty else value

    @cached_property
    def _render(self) -> Render:
        return self.template.compile()


@dataclass(frozen=True, eq=False, repr=False)
class Bindings:
    """The bindings of an action's inputs in one run.

    `together` renders all templates for a row, in the order of `bound`. `fallbacks` are values for inputs
    without a value in a row; `constants` are template variables in addition to a row's fields.

    With `null_is_missing` the rows are those of a table: a NULL or empty cell is no value, and never clears
    one. A row can then omit cells that are NULL: `columns` returns the names of all columns, and is
    called when a row first lacks one.
    """

    action: Action
    bound: tuple[Binding, ...]
    together: Callable[[Scope], list[Json]]
    fallbacks: Mapping[str, Json] = field(default_factory=dict)
    constants: Mapping[str, Json] = field(default_factory=dict)
    null_is_missing: bool = False
    columns: Callable[[], Collection[str]] = tuple

    def values(self, row: Row) -> dict[str, Json]:
        """Return a row's typed values, keyed by input name, without the absent ones.

        Raises InputError (`template_error`, `input_invalid`) with all errors in them.
        """
        noticed.null_in_text = False
        scope = self._scope(row)
        try:
            values = self._values_together(scope)
        except Exception:
            # Evaluated again one by one, to report the error of each. Templates have no side effects.
            if self.null_is_missing and any(name not in row for name in self._columns):
                scope = self._scope(row)
            values = self._values_one_by_one(scope)
        for name, value in self.fallbacks.items():
            values.setdefault(name, value)
        self._check(values)
        return values

    def is_absent(self, name: str, row: Row) -> bool:
        """Return whether an input is absent in a row, so that its fallback is used."""
        bound = [binding for binding in self.bound if binding.input.name == name]
        return all(binding.outcome(self._scope(row)) is ABSENT for binding in bound)

    def _scope(self, row: Row) -> Scope:
        """Return the template variables of a row; in a table, omitted columns are NULL."""
        if not self.null_is_missing:
            return Scope(row, self.constants)
        from connector.templating.values import NULL, null_as_missing  # imported only for rows of a table

        if not _HOLD_NO_NULL.issuperset(map(type, row.values())):
            row = {name: null_as_missing(cell) for name, cell in row.items()}
        if "_columns" in self.__dict__:  # The column names are known, because an earlier row lacked a column.
            row = {**row, **{name: NULL for name in self._columns if name not in row}}
        return Scope(row, self.constants)

    @cached_property
    def _columns(self) -> Collection[str]:
        return self.columns()

    def _values_together(self, scope: Scope) -> dict[str, Json]:
        """Return the values, or raise any exception if one of them is not valid."""
        values = {}
        for (name, takes, typed), rendered in zip(self._readers, self.together(scope), strict=True):
            if takes(rendered):
                values[name] = rendered
            elif (value := typed(rendered)) is not ABSENT:
                values[name] = value
        return values

    @cached_property
    def _readers(self) -> list[tuple[str, Check, Callable[[Json], Json]]]:
        return [(binding.input.name, binding.input.takes, binding.typed) for binding in self.bound]

    def _values_one_by_one(self, scope: Scope) -> dict[str, Json]:
        """Return the values. Raises InputError with the errors of all of them."""
        outcomes = {binding.input.name: binding.outcome(scope) for binding in self.bound}
        errors = [outcome for outcome in outcomes.values() if isinstance(outcome, RowError)]
        values = {name: outcome for name, outcome in outcomes.items() if outcome is not ABSENT}
        if errors:
            raise InputError(errors[0].code, "; ".join(dict.fromkeys(map(str, errors))))
        return values

    def warnings(self, values: Mapping[str, Json]) -> list[str]:
        """Return the warnings about the values that the last call of `values` in this thread returned."""
        given = self._unpublished and [name for name in values if name in self._unpublished]
        if not given and not noticed.null_in_text:
            return []
        found = [
            f"{name}: it is not in the current API document, and the API may ignore it" for name in given
        ]
        if noticed.null_in_text:
            found.append("a null in the row is part of a text, and was rendered as empty text")
        return found

    @cached_property
    def _unpublished(self) -> frozenset[str]:
        return frozenset(name for name, given in self.action.inputs.items() if not given.published)

    def _check(self, values: dict[str, Json]) -> None:
        if not values.keys() >= self._required:
            absent = [name for name in self.action.required if name not in values]
            how = {b.input.name: b.source for b in self.bound}
            listed = "; ".join(f"{name} ({how.get(name, 'bound to nothing')})" for name in absent)
            is_change = self.action.is_update and all(self.action.inputs[n].is_body for n in absent)
            said = "nothing to change: no value for" if is_change else "a required input has no value:"
            raise InputError("input_invalid", f"{said} {listed}")
        for rule, passes in self._rules:
            if passes is not None and passes(values):
                continue
            for error in validator(rule).iter_errors(values):
                raise InputError("input_invalid", str(rule.get("description") or error.message))

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(self.action.required)

    @cached_property
    def _rules(self) -> list[tuple[Mapping[str, Json], Check | None]]:
        return [(rule, compile_check(rule)) for rule in self.action.rules]

    def described(self) -> dict[str, str]:
        """Return the source of each input's value, for a preview."""
        return {binding.input.name: binding.source for binding in self.bound}


def bind(
    action: Action,
    templates: Mapping[str, Any],
    *,
    match_fields: bool = False,
    fallbacks: Mapping[str, Any] | None = None,
    constants: Mapping[str, Json] | None = None,
    null_is_missing: bool = False,
    send_empty: bool = False,
) -> Bindings:
    """Return an action's inputs bound to templates.

    Without templates, or with `match_fields`, inputs are bound to the fields of the same name.

    A template is text, a JSON value (used as its JSON text), or `{template: …, empty: send}`; `send_empty`
    applies this to all templates whose input can be empty.
    Raises RunError for an unknown input, a template that does not compile, and a required input that
    nothing is bound to.
    """
    rules = {"null_is_missing": null_is_missing, "send_empty": send_empty}
    bound, faults = bind_inputs(action, templates, match_fields=match_fields, **rules)
    for fault in faults.values():
        raise fault
    defaults = {b.input.name: b.input.default for b in bound if b.input.default is not ABSENT}
    given = _read_fallbacks(action, fallbacks or {})
    names = {binding.input.name for binding in bound} | given.keys()
    unbound = [name for name in action.required if name not in names]
    if unbound:
        raise RunError(f"{action.name} requires {', '.join(unbound)}; add a template for it")
    return Bindings(
        action,
        tuple(bound),
        _together(bound),
        {**defaults, **given},
        constants or {},
        null_is_missing,
    )


def bind_inputs(
    action: Action,
    templates: Mapping[str, Any],
    *,
    match_fields: bool = False,
    null_is_missing: bool = False,
    send_empty: bool = False,
) -> tuple[list[Binding], dict[str, RunError]]:
    """Return the bindings, and the errors of templates that cannot be bound, by input name.

    Missing required inputs are not checked.
    """
    faults = {
        str(name): RunError(action.no_input(str(name))) for name in templates if name not in action.inputs
    }
    by_field = match_fields or not templates
    bound = []
    for name, given in action.inputs.items():
        if name in templates or by_field or given.default is not ABSENT:
            try:
                template = templates.get(name, ABSENT)
                bound.append(_bind_one(given, template, by_field, null_is_missing, send_empty))
            except RunError as fault:
                faults[name] = fault
    return bound, faults


def _is_of_missing(error: RowError) -> bool:
    """Return whether a binding failed because its template uses a missing value."""
    from connector.templating.environment import MissingError  # imported only for errors

    return isinstance(error.__cause__ and error.__cause__.__cause__, MissingError)


def _together(bound: Sequence[Binding]) -> Callable[[Scope], list[Json]]:
    """Return a function that renders all templates of a row. Raises RunError, with the name of an input."""
    templates = [binding.template for binding in bound]
    if not any(template.source for template in templates):
        # Fields and constants are read without Jinja, which is not imported then.
        renders = [template.compile() for template in templates]
        return lambda scope: [render(scope) for render in renders]
    from connector.templating.templates import compile_together

    try:
        return compile_together(templates)
    except RunError:
        for binding in bound:
            with _naming(binding.input):
                binding.template.compile()
        raise


@contextmanager
def _naming(given: Input) -> Iterator[None]:
    """Context in which an error message starts with the name of the input."""
    try:
        yield
    except RunError as error:
        raise RunError(f"{given.name}: {error}") from error


def _read_fallbacks(action: Action, fallbacks: Mapping[str, Any]) -> dict[str, Json]:
    try:
        read = {n: action.inputs[n].read(v) for n, v in fallbacks.items() if n in action.inputs}
    except RowError as error:
        raise RunError(str(error)) from error
    return {name: value for name, value in read.items() if value is not ABSENT}


def _bind_one(
    given: Input, template: Any, by_field: bool, null_is_missing: bool = False, send_empty: bool = False
) -> Binding:
    is_document = takes_json(given.schema)
    send_empty = send_empty and (is_document or _can_be_empty(given))
    if template is ABSENT and by_field:
        source = f'the row\'s field "{given.name}"'
        return Binding(given, source, _field(given.name), send_empty=send_empty and not is_document)
    if template is ABSENT:
        return Binding(given, "its default", constant(ABSENT))
    if template is None:
        return Binding(given, "the template null", constant(None))
    if isinstance(template, Mapping) and "template" in template and template.keys() <= {"template", "empty"}:
        send_empty = _reads_empty(given, template, is_document) or send_empty
        template = template["template"]
    from connector.templating.templates import json_source, read  # imported only if there is a template

    gaps: Gaps = "sent" if send_empty else "omitted with null" if null_is_missing else "omitted"
    with _naming(given):
        source = template if isinstance(template, str) else json_source(template)
        template = read(source, given.schema, gaps)
    send_empty = send_empty and not is_document
    return Binding(given, f"the template {source}", template, is_document, send_empty, null_is_missing)


def _can_be_empty(given: Input) -> bool:
    """Return whether an input is sent empty if the whole run has `empty: send`.

    It must be a text that is not in the URL.
    """
    if given.unit or given.grammar or given.place in ("path", "query", "header"):
        return False
    try:
        given.read_empty()
    except RowError:
        return False
    return True


def _reads_empty(given: Input, template: Mapping[str, Any], is_document: bool) -> bool:
    """Return whether a template has `empty: send`. Raises RunError if the input cannot be empty."""
    if template.get("empty", "send") != "send":
        raise RunError(f'{given.name}: "empty" can only be "send"')
    if "empty" in template and not is_document:
        try:
            given.read_empty()
        except RowError as error:
            raise RunError(f'{error}, so "empty: send" cannot be used') from error
    return "empty" in template


def _field(name: str) -> Template:
    """Return a template whose value is the row's field of this name."""
    return Template(lambda: lambda scope: scope.fields.get(name, ABSENT))
