"""Evaluates the templates of a mapping's fields for a sample of devices."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import yaml

from connector.common.absent import ABSENT
from connector.common.json_text import Json, kind
from connector.common.plurals import counted
from connector.common.same_name import same_name
from connector.errors import RowError, RunError, nearest, shorten
from connector.sync.asset_fields import BUILT_IN
from connector.sync.mapping import FieldMapping, SyncMapping
from connector.sync.mapping_check import is_known, member_paths
from connector.sync.sample import Sample
from connector.sync.templates import MappingTemplate
from connector.sync.values import FieldDefinition, typed
from connector.templating.scope import Scope

TIMEOUT_S = 3.0
"""The time limit for all devices, in seconds. Each rendering of a template also has limits."""
_MAX_VALUE_LENGTH = 500
WHEN = ("always", "new", "empty")


@dataclass(frozen=True)
class FieldInput:
    """A field in the form: its key in the mapping, its template, and when it is written.

    `may_clear` is true if the mapping has `empty: send` for it.
    """

    key: str
    template: str
    when: str = "always"
    may_clear: bool = False


@dataclass(frozen=True)
class FieldCell:
    """The result of a field's template for one device. `missing` has the members that the device lacks."""

    key: str
    value: str = ""
    kind: str = ""
    error: str = ""
    missing: Sequence[str] = ()


@dataclass(frozen=True)
class DeviceRow:
    """One device and the results of its fields' templates."""

    name: str
    id: str
    cells: Sequence[FieldCell]

    @property
    def problems(self) -> int:
        """The number of fields with an error."""
        return sum(bool(cell.error) for cell in self.cells)


@dataclass(frozen=True)
class FieldTrial:
    """The result of all templates for all devices.

    `faults` has the errors and `notes` the summaries, by field. `text` is the YAML of the fields.
    """

    rows: Sequence[DeviceRow] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    stopped: bool = False


def inputs_of(mapping: SyncMapping) -> list[FieldInput]:
    """Return the fields of a mapping as the form shows them."""
    fields: Sequence[FieldMapping] = mapping.devices.fields if mapping.devices else ()
    return [FieldInput(str(f.key), f.template.source, f.when, f.template.may_clear) for f in fields]


def names_of(sample: Sample | None) -> dict[str, FieldDefinition]:
    """Return the fields of the target system, by each field's key as text."""
    return {str(found.key): found for found in sample.fields} if sample else {}


def try_fields(inputs: Sequence[FieldInput], sample: Sample, created: Mapping[str, str]) -> FieldTrial:
    """Return the values of the fields for each device. `created` has the types of new fields."""
    return _Attempt(inputs, sample, created).over()


class _Attempt:
    def __init__(self, inputs: Sequence[FieldInput], sample: Sample, created: Mapping[str, str]) -> None:
        self._inputs, self._sample = inputs, sample
        self._by_key = names_of(sample)
        self._by_name = {same_name(f.name): f for f in sample.fields if isinstance(f.key, int)}
        self._created = created
        self._faults: dict[str, str] = {}
        self._known = sorted({path for row in sample.rows for path in _paths(row)})
        self._compiled: dict[str, tuple[MappingTemplate, FieldDefinition]] = {}
        for given in inputs:
            self._compile(given)

    def _compile(self, given: FieldInput) -> None:
        if given.key in self._compiled or given.key in self._faults:
            self._faults[given.key] = "This field occurs twice."
            return
        definition = self._definition(given.key)
        try:
            if definition is None:
                names = [*self._by_key, *(found.name for found in self._sample.fields), *BUILT_IN]
                raise RunError(f"the field {given.key} does not exist{nearest(given.key, names)}")
            template = MappingTemplate(given.template, may_clear=given.may_clear)
            self._compiled[given.key] = (template, definition)
        except RunError as error:
            self._faults[given.key] = str(error)

    def _definition(self, key: str) -> FieldDefinition | None:
        found = self._by_key.get(key)
        if found is None and not key.startswith("CF"):
            found = FieldDefinition(key, key) if key in BUILT_IN else self._by_name.get(same_name(key))
        if found is None and key in self._created:
            kind: Any = self._created[key]
            found = FieldDefinition(key, key, kind)
        return found

    def over(self) -> FieldTrial:
        """Return the values for as many devices as the time limit allows."""
        until = monotonic() + TIMEOUT_S
        rows: list[DeviceRow] = []
        for name, data in zip(self._sample.names, self._sample.rows, strict=True):
            if rows and monotonic() > until:
                break
            rows.append(self._row(name, data))
        notes = {key: self._note(key, rows) for key in self._compiled}
        stopped = len(rows) < len(self._sample.rows)
        return FieldTrial(rows, self._faults, notes, as_yaml(self._inputs), stopped)

    def _row(self, name: str, data: Mapping[str, Any]) -> DeviceRow:
        scope = Scope(dict(data))
        cells = [self._cell(key, *both, data, scope) for key, both in self._compiled.items()]
        return DeviceRow(name, str(data.get("device", {}).get("id", "")), cells)

    def _cell(
        self,
        key: str,
        template: MappingTemplate,
        definition: FieldDefinition,
        data: Mapping[str, Any],
        scope: Scope,
    ) -> FieldCell:
        if template.uses("current"):
            return FieldCell(key, kind="depends on the asset, which is not read here")
        missing = [path for path in sorted(template.paths) if not is_known(path, _paths(data))]
        try:
            value = template.value(scope)
            if value is ABSENT:
                return FieldCell(key, kind="no value", missing=missing)
            value = typed(value, definition)
        except (RowError, ValueError, RecursionError) as error:
            return FieldCell(key, error=str(error) or "the value is nested too deeply", missing=missing)
        return FieldCell(key, _shown(value, definition), kind(value), missing=missing)

    def _note(self, key: str, rows: Sequence[DeviceRow]) -> str:
        template, _ = self._compiled[key]
        cells = [cell for row in rows for cell in row.cells if cell.key == key]
        errors = sum(bool(cell.error) for cell in cells)
        empty = sum(cell.kind == "no value" for cell in cells)
        parts = [f"{counted(len(cells) - errors - empty, 'device')} with a value, {empty:,} without"]
        parts += [f"{errors:,} with an error"] if errors else []
        text = ", ".join(parts) + "."
        for path in sorted(template.paths):
            if all(path in cell.missing for cell in cells) and cells and not path.startswith("current"):
                text += f" {self._absent(path)}"
        return text

    def _absent(self, path: str) -> str:
        """Return the reason why no device in the sample has a member."""
        name, _, member = path.partition(".")
        if name == "custom" and member.split(".")[0] not in self._sample.custom:
            return f"{path} was not read: custom fields are read once mapping.yaml uses them."
        if name == "last_user":
            return "last_user was not read, or no device has one."
        return f"{path} is not a member of any device{nearest(path, self._known)}."


def _paths(row: Mapping[str, Json]) -> Iterator[str]:
    for name, value in row.items():
        yield from member_paths(name, value)


def _shown(value: Json, definition: FieldDefinition) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if definition.choices and isinstance(value, int) and value in definition.choices:
        text = f"{value} ({definition.choices[value]})"
    return shorten(text, _MAX_VALUE_LENGTH)


def as_yaml(inputs: Sequence[FieldInput]) -> str:
    """Return the fields as the YAML text of a mapping."""
    fields: dict[int | str, Any] = {}
    for given in inputs:
        key = int(given.key) if given.key.isascii() and given.key.isdecimal() else given.key
        more = {"when": given.when} if given.when != "always" else {}
        more |= {"empty": "send"} if given.may_clear else {}
        fields[key] = {"value": given.template, **more} if more else given.template
    text: str = yaml.safe_dump(
        {"fields": fields}, sort_keys=False, allow_unicode=True, width=1000, default_style=None
    )
    return text
