"""The asset fields of a mapping: their rendered values, and the differences from an asset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from connector.common import strict_yaml
from connector.common.absent import ABSENT
from connector.common.json_text import Json
from connector.common.same_name import same_name
from connector.errors import DeclarationError, RowError, nearest
from connector.sync.mapping import DeviceMapping, FieldMapping
from connector.sync.plan_items import Change
from connector.sync.records import Asset, Catalog
from connector.sync.templates import render_all
from connector.sync.values import FieldDefinition, is_empty, is_same, typed
from connector.templating.scope import Scope

BUILT_IN = ("inventory_number", "notes")


@dataclass(frozen=True)
class BoundField:
    """A mapped asset field and its definition in the target. The key of a field to create is its name."""

    mapping: FieldMapping
    definition: FieldDefinition
    is_new: bool = False


@dataclass
class FieldCounts:
    """The number of devices without a value, and with an error, for each mapped field."""

    no_value: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)

    def add(self, counts: dict[str, int], key: int | str) -> None:
        """Count one device for a field."""
        counts[str(key)] = counts.get(str(key), 0) + 1


def bind_fields(devices: DeviceMapping, catalog: Catalog, path: Path) -> tuple[BoundField, ...]:
    """Return the mapped fields with their definitions. Raises DeclarationError with the lines of bad ones."""
    by_key = {found.key: found for found in catalog.fields}
    by_name = {same_name(found.name): found for found in catalog.fields if isinstance(found.key, int)}
    bound: list[BoundField] = []
    taken: dict[int | str, int | str] = {}
    faults: list[str] = []
    for mapping in devices.fields:
        found = _bound(mapping, devices, by_key, by_name)
        if found is None:
            names = [str(key) for key in (*by_key, *(f.name for f in by_name.values()), *BUILT_IN)]
            text = f"the field {mapping.key} does not exist{nearest(str(mapping.key), names)}"
            faults.append(_fault(path, mapping.key, text))
        elif found.definition.key in taken:
            text = f"the field is also mapped as {taken[found.definition.key]}"
            faults.append(_fault(path, mapping.key, text))
        else:
            taken[found.definition.key] = mapping.key
            bound.append(found)
    if faults:
        raise DeclarationError("\n".join(faults))
    return tuple(bound)


def _bound(
    mapping: FieldMapping,
    devices: DeviceMapping,
    by_key: Mapping[int | str, FieldDefinition],
    by_name: Mapping[str, FieldDefinition],
) -> BoundField | None:
    key = mapping.key
    found = by_key.get(key)
    if found is None and isinstance(key, str) and not mapping.is_custom:
        found = FieldDefinition(key, key) if key in BUILT_IN else by_name.get(same_name(key))
    if found is not None:
        return BoundField(mapping, found)
    kind: Any = devices.create_fields.get(str(key))
    return BoundField(mapping, FieldDefinition(key, str(key), kind), is_new=True) if kind else None


def _fault(path: Path, key: int | str, message: str) -> str:
    line = strict_yaml.line_of(path, ("devices", "fields", key))
    return f"{path}, line {line}: devices.fields.{key}: {message}"


@dataclass(frozen=True, slots=True)
class Rendered:
    """The rendered field values of a device as pairs (index of the field, value), and the errors."""

    values: tuple[tuple[int, Json], ...]
    errors: tuple[str, ...] = ()


class AssetFields:
    """The mapped asset fields; their templates are compiled together.

    A template that reads `current`, the existing asset, is rendered after the asset was matched.
    """

    def __init__(self, bound: Sequence[BoundField]) -> None:
        self.bound = tuple(bound)
        self.counts = FieldCounts()
        self._plain = [i for i, f in enumerate(self.bound) if not f.mapping.template.uses("current")]
        self._current = [i for i in range(len(self.bound)) if i not in self._plain]
        self._render_plain = render_all([self.bound[i].mapping.template for i in self._plain])
        self._render_current = render_all([self.bound[i].mapping.template for i in self._current])

    def render(self, scope: Scope) -> Rendered:
        """Return the values of a device's fields whose templates do not read `current`."""
        return self._typed(self._plain, self._render_plain(scope))

    def with_current(self, rendered: Rendered, scope: Scope, asset: Asset) -> Rendered:
        """Return `rendered` with the values of the fields whose templates read `current`."""
        if not self._current:
            return rendered
        scope = Scope({**scope.fields, "current": current_names(asset, self.bound)})
        more = self._typed(self._current, self._render_current(scope))
        return Rendered(rendered.values + more.values, rendered.errors + more.errors)

    def _typed(self, places: Sequence[int], values: Sequence[Json | RowError]) -> Rendered:
        found: list[tuple[int, Json]] = []
        errors: list[str] = []
        for place, value in zip(places, values, strict=True):
            bound = self.bound[place]
            if value is ABSENT:
                self.counts.add(self.counts.no_value, bound.mapping.key)
                continue
            try:
                if isinstance(value, RowError):
                    raise value
                found.append((place, typed(value, bound.definition)))
            except (RowError, ValueError) as error:
                self.counts.add(self.counts.errors, bound.mapping.key)
                errors.append(f"field {bound.mapping.key}: {error}")
        return Rendered(tuple(found), tuple(errors))

    def match_value(self, rendered: Rendered, key: int | str | None) -> Json:
        """Return the rendered value of the mapped field `key`; None if it has no value."""
        for place, value in rendered.values:
            if self.bound[place].mapping.key == key:
                return value
        return None

    def value_of(self, asset: Asset, key: int | str | None) -> Json:
        """Return the current value of the mapped field `key` of an asset; None if it has no value."""
        for bound in self.bound:
            if bound.mapping.key == key:
                return asset.values.get(bound.definition.key)
        return None

    def changes(self, rendered: Rendered, asset: Asset | None) -> Iterator[Change]:
        """Yield the field changes that a device causes; `asset` is None for a new asset."""
        for place, new in rendered.values:
            bound = self.bound[place]
            key = bound.definition.key
            if asset is None:
                if not is_empty(new):
                    yield Change(key, None, new)
                continue
            old = asset.values.get(key)
            when = bound.mapping.when
            if when == "new" or (when == "empty" and not is_empty(old)):
                continue
            if not asset.shows(key):
                yield Change(key, None, new, unread=when)
            elif not is_same(old, new, bound.definition):
                yield Change(key, old, new)

    def compared(self, rendered: Rendered) -> list[tuple[int, Json]]:
        """Return the values that are also written to existing assets, as pairs (index, value)."""
        return [pair for pair in rendered.values if self.bound[pair[0]].mapping.when != "new"]

    @property
    def uses_current(self) -> bool:
        """Whether the template of a field reads `current`, the existing asset."""
        return bool(self._current)

    def created(self) -> Iterator[BoundField]:
        """Yield the mapped fields that do not exist in the target yet."""
        return (found for found in self.bound if found.is_new)


def current_names(asset: Asset, bound: Sequence[BoundField]) -> dict[str, Json]:
    """Return the template variable `current`: an asset's values by field name and by field key."""
    names: dict[str, Json] = {"name": asset.name, "id": asset.id}
    for found in bound:
        if found.definition.key in asset.values:
            names[found.definition.name] = asset.values[found.definition.key]
    return names | {str(key): value for key, value in asset.values.items()}


def without(rendered: Rendered, places: frozenset[int], errors: tuple[str, ...]) -> Rendered:
    """Return a copy without the values at the given field indexes, with additional errors."""
    kept = tuple((place, value) for place, value in rendered.values if place not in places)
    return replace(rendered, values=kept, errors=rendered.errors + errors)
