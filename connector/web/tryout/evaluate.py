"""What templates make of rows: for each row every input's value and the request it becomes, or what is wrong.

The engine's own code renders, types and checks (`connector.invocation.bindings`, `connector.runs.preview`);
here its answers
are only sorted by where they belong: to an input, to a row, or to both.
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
from connector.templating.templates import Scope

LONGEST_S = 3.0
"""For how long rows are tried, in seconds. A template's own bounds hold for one rendering of it."""
_LONGEST_VALUE = 2000
_LONGEST_BODY = 20_000


@dataclass(frozen=True)
class Cell:
    """What one input's template gives for one row: a value of a kind, or an error."""

    name: str
    value: str = ""
    kind: str = ""
    error: str = ""


@dataclass(frozen=True)
class EvaluatedRow:
    """One row: its inputs, and the request that it becomes (see `preview_row`), or why it becomes none.

    `http` is the request as HTTP writes it.
    """

    number: int
    cells: Sequence[Cell] = ()
    request: Mapping[str, Any] | None = None
    http: str = ""
    error: str = ""


@dataclass(frozen=True)
class Trial:
    """What came of some rows. `faults` are by the input's name; `fault` is that of the whole."""

    rows: Sequence[EvaluatedRow] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    stopped: bool = False

    @property
    def failed(self) -> int:
        """How many of the rows become no request."""
        return sum(bool(row.error) for row in self.rows)


def try_out(
    action: Action,
    service: Service,
    templates: Mapping[str, Any],
    rows: Sequence[InputRow],
    uploads: Path,
    base_url: str,
) -> Trial:
    """Render templates over rows. Sends nothing, and raises nothing for what is wrong with either."""
    return _Attempt(action, service, templates, uploads, base_url).over(rows)


class _Attempt:
    """Templates that are tried over some rows."""

    def __init__(
        self, action: Action, service: Service, templates: Mapping[str, Any], uploads: Path, base_url: str
    ) -> None:
        self._action, self._service, self._uploads, self._base_url = action, service, uploads, base_url
        self._redactor = Redactor(members=service.secrets)
        self._constants = {"now": SystemClock().now()}
        self._faults: dict[str, str] = {}
        self._fault = ""
        rendered = {name: text for name, text in templates.items() if name != "delay_ms"}
        self._bound, faults = bind_inputs(action, rendered)
        for name, fault in faults.items():
            self._faults[name] = _without_name(name, str(fault))
        self._require_all(set(rendered))
        self._check_delay(templates)
        self._bindings = None
        if not self._faults:
            try:
                self._bindings = bind(action, templates, constants=self._constants)
            except RunError as error:
                self._fault = str(error)

    def _require_all(self, given: set[str]) -> None:
        """Note which required inputs nothing is bound to."""
        there = {binding.input.name for binding in self._bound} | self._faults.keys()
        if given:
            missing = "It is required, and has no template."
            self._faults |= {name: missing for name in self._action.required if name not in there}

    def _check_delay(self, templates: Mapping[str, Any]) -> None:
        """Note what is wrong with the delay, which is the run's and not a row's."""
        if "delay_ms" in templates:
            try:
                bind(self._action, {"delay_ms": templates["delay_ms"]}, match_fields=True)
            except RunError as fault:
                self._faults["delay_ms"] = str(fault)

    def over(self, rows: Sequence[InputRow]) -> Trial:
        """Try rows, as many as there is time for."""
        until = monotonic() + LONGEST_S
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
        asked = (self._action, self._service, self._bindings, self._uploads, row, self._base_url)
        try:
            request = preview_row(*asked)
        except RecursionError:
            return EvaluatedRow(row.number, cells, error="the row is nested too deeply")
        if "error" in request:
            return EvaluatedRow(
                row.number, cells, error=self._without_folder(redactor.text(request["error"]))
            )
        return EvaluatedRow(row.number, cells, request, self._without_folder(_http(request)))

    def _without_folder(self, text: str) -> str:
        """Name files to upload as rows name them, without the folder in which they wait for that."""
        for folder in (str(self._uploads), json.dumps(str(self._uploads))[1:-1]):
            text = text.replace(folder + os.sep, "").replace(folder, "the files to upload")
        return text


def _http(request: Mapping[str, Any]) -> str:
    """Write a request as HTTP has it. Nothing secret is in it any more."""
    lines = [f"{request['method']} {request['url']}"]
    lines += [f"{name}: {text}" for name, text in request["headers"].items()]
    if request["body"] is not None:
        body = json.dumps(request["body"], ensure_ascii=False, indent=2)
        lines += ["", shorten(body, _LONGEST_BODY)]
    return "\n".join(lines)


def _outcome(binding: Binding, scope: Scope) -> Any:
    try:
        return binding.outcome(scope)
    except RecursionError:
        return RowError("template_error", "its value is nested too deeply")


def _cell(given: Input, outcome: Any, redactor: Redactor) -> Cell:
    """Show what an input's template gives, without what is secret in it or held secret under its name."""
    if isinstance(outcome, RowError):
        return Cell(given.name, error=redactor.text(_without_name(given.name, str(outcome))))
    note = ""
    if outcome is ABSENT:
        if given.default is ABSENT:
            return Cell(given.name, kind="not sent")
        outcome, note = given.default, ", its default"
    (shown,) = redactor.json({given.target[-1] if given.target else given.name: outcome}).values()
    text = shorten(json.dumps(shown, ensure_ascii=False), _LONGEST_VALUE)
    return Cell(given.name, text, kind(outcome) + note)


def _without_name(name: str, text: str) -> str:
    """Leave out an input's name, as what is said stands beside it; a place in its value stays."""
    rest = text.removeprefix(f"{name}: ")
    return f"at {rest.removeprefix(name)}" if rest.startswith((f"{name}[", f"{name}.")) else rest
