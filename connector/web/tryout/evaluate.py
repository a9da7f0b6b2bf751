"""Evaluates templates for rows: the value of each input and the resulting request, or the error.

Rendering, conversion and checks are those of real runs (`connector.invocation.bindings`,
`connector.runs.preview`); this module assigns each error to an input, a row, or both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from connector.catalog.action import Action
from connector.catalog.inputs import Input
from connector.catalog.service import Service
from connector.common.absent import ABSENT
from connector.common.clock import SystemClock
from connector.common.json_text import kind
from connector.common.redaction import Redactor
from connector.errors import RowError, RunError, shorten
from connector.files.readers import InputRow
from connector.invocation.bindings import Binding, bind, bind_inputs
from connector.runs.preview import preview_row
from connector.templating.scope import Scope

TIMEOUT_S = 3.0
"""The time limit for all rows, in seconds. Each rendering of a template also has limits."""
_MAX_VALUE_LENGTH = 2000
_MAX_BODY_LENGTH = 20_000


@dataclass(frozen=True)
class Cell:
    """The result of an input's template for one row: a value and its JSON type, or an error."""

    name: str
    value: str = ""
    kind: str = ""
    error: str = ""


@dataclass(frozen=True)
class EvaluatedRow:
    """One row: the values of its inputs, and its request (see `preview_row`) or the error that prevents it.

    `http` is the request as the text of an HTTP request.
    """

    number: int
    cells: Sequence[Cell] = ()
    request: Mapping[str, Any] | None = None
    http: str = ""
    error: str = ""


@dataclass(frozen=True)
class Trial:
    """The evaluated rows. `faults` has the errors by input name; `fault` is an error of the whole action."""

    rows: Sequence[EvaluatedRow] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    stopped: bool = False

    @property
    def failed(self) -> int:
        """The number of rows without a request."""
        return sum(bool(row.error) for row in self.rows)


def try_out(
    action: Action,
    service: Service,
    templates: Mapping[str, Any],
    rows: Sequence[InputRow],
    uploads: Path,
    base_url: str,
) -> Trial:
    """Return the evaluation of templates for rows. Sends nothing; errors are part of the result."""
    return _Attempt(action, service, templates, uploads, base_url).over(rows)


class _Attempt:
    """The templates of an action, and the settings with which they are evaluated."""

    def __init__(
        self, action: Action, service: Service, templates: Mapping[str, Any], uploads: Path, base_url: str
    ) -> None:
        self._action, self._service, self._uploads, self._base_url = action, service, uploads, base_url
        self._redactor = Redactor(members=service.secrets)
        self._constants = {"now": SystemClock().now()}
        self._faults: dict[str, str] = {}
        self._fault = ""
        self._bound, faults = bind_inputs(action, templates)
        for name, fault in faults.items():
            self._faults[name] = _without_name(name, str(fault))
        self._require_all(set(templates))
        self._bindings = None
        if not self._faults:
            try:
                self._bindings = bind(action, templates, constants=self._constants)
            except RunError as error:
                self._fault = str(error)

    def _require_all(self, given: set[str]) -> None:
        """Record an error for each required input without a template."""
        there = {binding.input.name for binding in self._bound} | self._faults.keys()
        if given:
            missing = "This input is required and has no template."
            self._faults |= {name: missing for name in self._action.required if name not in there}

    def over(self, rows: Sequence[InputRow]) -> Trial:
        """Return the evaluation of as many rows as the time limit allows."""
        until = monotonic() + TIMEOUT_S
        tried: list[EvaluatedRow] = []
        for row in rows:
            if tried and monotonic() > until:
                break
            tried.append(self._row(row))
        faults = dict(self._faults)
        for tried_row in tried:
            for cell in tried_row.cells:
                if cell.error:
                    faults.setdefault(cell.name, f"Row {tried_row.number}: {cell.error}")
        return Trial(tried, faults, self._fault, stopped=len(tried) < len(rows))

    def _row(self, row: InputRow) -> EvaluatedRow:
        if row.error:
            return EvaluatedRow(row.number, error=row.error)
        scope = Scope(row.data, self._constants)
        outcomes = {binding.input.name: _outcome(binding, scope) for binding in self._bound}
        values = {n: v for n, v in outcomes.items() if v is not ABSENT and not isinstance(v, RowError)}
        redactor = self._redactor.with_secrets(self._action.secrets_in(values))
        cells = [_cell(self._action.inputs[name], outcome, redactor) for name, outcome in outcomes.items()]
        if self._bindings is None:
            wrong = ", ".join(self._faults)
            return EvaluatedRow(row.number, cells, error=self._fault or f"Fix {wrong} first.")
        arguments = (self._action, self._service, self._bindings, self._uploads, row, self._base_url)
        try:
            request = preview_row(*arguments)
        except RecursionError:
            return EvaluatedRow(row.number, cells, error="the row is nested too deeply")
        if "error" in request:
            return EvaluatedRow(
                row.number, cells, error=self._without_folder(redactor.text(request["error"]))
            )
        return EvaluatedRow(row.number, cells, request, self._without_folder(_http(request)))

    def _without_folder(self, text: str) -> str:
        """Return the text with the paths of uploaded files replaced by the files' names."""
        for folder in (str(self._uploads), json.dumps(str(self._uploads))[1:-1]):
            text = text.replace(folder + os.sep, "").replace(folder, "the files to upload")
        return text


def _http(request: Mapping[str, Any]) -> str:
    """Return a request as the text of an HTTP request. Secrets in it are already hidden."""
    lines = [f"{request['method']} {request['url']}"]
    lines += [f"{name}: {text}" for name, text in request["headers"].items()]
    if request["body"] is not None:
        body = json.dumps(request["body"], ensure_ascii=False, indent=2)
        lines += ["", shorten(body, _MAX_BODY_LENGTH)]
    return "\n".join(lines)


def _outcome(binding: Binding, scope: Scope) -> Any:
    try:
        return binding.outcome(scope)
    except RecursionError:
        return RowError("template_error", "its value is nested too deeply")


def _cell(given: Input, outcome: Any, redactor: Redactor) -> Cell:
    """Return the result of an input's template for one row, with secrets hidden."""
    if isinstance(outcome, RowError):
        return Cell(given.name, error=redactor.text(_without_name(given.name, str(outcome))))
    note = ""
    if outcome is ABSENT:
        if given.default is ABSENT:
            return Cell(given.name, kind="not sent")
        outcome, note = given.default, ", its default"
    (shown,) = redactor.json({given.target[-1] if given.target else given.name: outcome}).values()
    text = shorten(json.dumps(shown, ensure_ascii=False), _MAX_VALUE_LENGTH)
    return Cell(given.name, text, kind(outcome) + note)


def _without_name(name: str, text: str) -> str:
    """Return an error message without the input's name at its start; a path after the name is kept."""
    rest = text.removeprefix(f"{name}: ")
    return f"at {rest.removeprefix(name)}" if rest.startswith((f"{name}[", f"{name}.")) else rest
