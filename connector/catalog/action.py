"""An action: one YAML declaration, as immutable values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from connector.catalog import existing
from connector.catalog.declaration import Section, load_declaration, read_input
from connector.catalog.existing import ExistingLookup, read_existing
from connector.catalog.filter_grammar import FilterGrammar
from connector.catalog.inputs import Input, Slot
from connector.catalog.named import NamedKind, with_names
from connector.catalog.outcome import Outcome, read_outcome
from connector.common.json_text import Json
from connector.errors import nearest
from connector.http.messages import Effect

EFFECTS = ("read", "write", "destructive")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PLACEHOLDER = re.compile(r"\{([^{}/]+)\}")


class PartType(NamedTuple):
    """One part of a multipart body: its media type, and whether its value is the name of a file.

    The value of a part is an input (`to: part.NAME`), or a JSON object whose members are inputs (`to:
    part.NAME.MEMBER`).
    """

    media_type: str | None
    file: bool


class Example(NamedTuple):
    """A row, its templates and the resulting requests; `answers` are the API's responses.

    It is used for documentation, tests, previews and the sandbox. `files` is the content of the uploads
    folder, keyed by file name.
    """

    title: str
    row: Mapping[str, Json]
    templates: Mapping[str, Any]
    sends: tuple[Mapping[str, Any], ...]
    answers: tuple[Json, ...]
    files: Mapping[str, str]


@dataclass(frozen=True, eq=False, repr=False)
class Action:
    """One operation of a service, with the fields of `schemas/action.schema.json`.

    `name` is its name in the catalog: `acme.list_things` if the service has qualified names. `accepted` is
    true if a successful response only means that the work is queued, and `outcome` describes how the end of
    the work is found. `disruptive` is true if the action interrupts devices, runs code, or changes policies.
    `existing` describes how the action finds an existing record instead of creating it.
    """

    name: str
    title: str
    summary: str
    description: str
    service: str
    area: str
    operation: str
    method: str
    path: str
    effect: Effect
    idempotent: bool
    inputs: Mapping[str, Input]
    required: tuple[str, ...]
    rules: tuple[Mapping[str, Json], ...]
    parts: Mapping[str, PartType]
    paging: str
    result: Json
    redirects: bool
    examples: tuple[Example, ...]
    file: Path
    handler: Path | None
    published: bool = True
    accepted: bool = False
    disruptive: bool = False
    existing: ExistingLookup | None = None
    outcome: Outcome | None = None

    @property
    def own_name(self) -> str:
        """The name without the service's prefix."""
        return self.file.stem

    @cached_property
    def takes_members(self) -> bool:
        """Whether inputs are members of the body. There is then a body even if no such input has a value."""
        return self.method != "GET" and any(i.place == "body" and i.target for i in self.inputs.values())

    @cached_property
    def is_update(self) -> bool:
        """Whether a request with an empty object as its body changes nothing."""
        return self.method in ("PATCH", "PUT")

    @cached_property
    def secret_inputs(self) -> tuple[Input, ...]:
        """The inputs whose values are, or contain, secrets of the user."""
        return tuple(given for given in self.inputs.values() if given.is_secret)

    @cached_property
    def revealing_inputs(self) -> tuple[str, ...]:
        """The names of the inputs that make the API respond with secrets."""
        return tuple(name for name, given in self.inputs.items() if given.reveals_secrets)

    @cached_property
    def confirmed_inputs(self) -> tuple[Input, ...]:
        """The filters that are checked against a member of the list's items."""
        return tuple(given for given in self.inputs.values() if given.confirms)

    @cached_property
    def named_inputs(self) -> tuple[str, ...]:
        """The names of the inputs that take names in place of ids, as a whole or in a part."""
        return tuple(name for name, given in self.inputs.items() if given.slots)

    def has_names(self, values: Mapping[str, Json]) -> bool:
        """Return whether a row's values may have names in place of ids. A row with numbers alone has none."""
        for name in self.named_inputs:  # This runs for every row: no generator, no map.
            if type(value := values.get(name)) is not int and value is not None:
                return True
        return False

    @cached_property
    def slots(self) -> tuple[tuple[str, Slot], ...]:
        """The places that take names, each with the name of its input."""
        return tuple((name, slot) for name in self.named_inputs for slot in self.inputs[name].slots)

    def no_input(self, name: str) -> str:
        """Return the message for a name that is not that of an input."""
        if name == "delay_ms":
            how = "set it with --delay-ms, or as delay_ms of the job or session"
            return f'{self.name} has no input "{name}": it is a setting of the whole run; {how}'
        return f'{self.name} has no input "{name}"{nearest(name, self.inputs)}'

    def secrets_in(self, values: Mapping[str, Json]) -> list[str]:
        """Return the secret texts in a row's typed values."""
        given = [one for one in self.secret_inputs if one.name in values]
        return [text for one in given for text in one.secrets_in(values[one.name])]

    @property
    def effect_name(self) -> str:
        """The effect as text, with `disruptive` if the action is disruptive."""
        return f"{self.effect}, disruptive" if self.disruptive else self.effect

    @property
    def area_names(self) -> tuple[str, str]:
        """The names of the action's area: without and with its service."""
        return self.area, f"{self.service}/{self.area}"

    @property
    def notice(self) -> str:
        """Return a note about an action that is not in the vendor's API document, or an empty text."""
        return "" if self.published else "Newer than the API document: not every instance supports it."

    @cached_property
    def returns_file(self) -> bool:
        """Whether the response's content is saved as a file."""
        return bool(self.result == "file")

    @property
    def returns_list(self) -> bool:
        """Whether the result is a list, whose items can be separate rows."""
        types = self.result.get("type", ()) if isinstance(self.result, dict) else ()
        return bool(self.paging) or "array" in ((types,) if isinstance(types, str) else types)

    @cached_property
    def returns_json(self) -> bool:
        """Whether an empty response is an error."""
        return isinstance(self.result, dict)


def load_action(
    path: Path,
    shared: Mapping[str, Input],
    filters: Mapping[str, FilterGrammar] | None = None,
    prefix: str = "",
    named: Mapping[str, NamedKind] | None = None,
) -> Action:
    """Read the declaration of an action. Raises DeclarationError with file, line and key.

    `shared` are the service's inputs, which every action has; `filters` are the grammars for its inputs;
    `prefix` comes before the action's name in the catalog; `named` are the kinds of records that inputs give
    by name.
    """
    top = load_declaration(path)
    method, request_path = _request(top)
    inputs = {name: read_input(name, part, filters) for name, part in top.sections("inputs")}
    if named:
        inputs = {name: with_names(path.stem, given, named) for name, given in inputs.items()}
    lookup = None
    if top.value(existing.NAME, dict, None) is not None:
        lookup = read_existing(top.section(existing.NAME), request_path, inputs)
        inputs[existing.NAME] = lookup.input
    handler = path.with_suffix(".py")
    action = Action(
        name=prefix + top.text("name"),
        title=top.text("title"),
        summary=top.text("summary"),
        description=top.text("description", ""),
        service=path.parent.parent.name,
        area=path.parent.name,
        operation=top.text("operation"),
        method=method,
        path=request_path,
        effect=top.one_of("effect", EFFECTS),
        idempotent=top.value("idempotent", bool),
        inputs={**inputs, **{name: i for name, i in shared.items() if name not in inputs}},
        required=top.texts("required"),
        rules=tuple(top.mappings("rules")),
        parts={name: _part(part) for name, part in top.sections("parts")},
        paging=top.text("paging", ""),
        result=top.value("result", (str, dict)),
        redirects=top.value("redirects", bool, False),
        examples=tuple(_example(part) for part in top.each("examples")),
        file=path,
        handler=handler if handler.exists() else None,
        published=top.value("published", bool, True),
        accepted=top.value("accepted", bool, False),
        disruptive=top.value("disruptive", bool, False),
        existing=lookup,
        outcome=read_outcome(top.section("outcome")) if top.value("outcome", dict, None) else None,
    )
    top.finish()
    _check(action, top)
    return action


def _request(top: Section) -> tuple[str, str]:
    method, _, path = top.text("request").partition(" ")
    if method not in METHODS or not path.startswith("/"):
        raise top.fault(f"a method ({', '.join(METHODS)}) and a path are expected", "request")
    return method, path


def _part(part: Section) -> PartType:
    declared = PartType(part.text("media_type", None), part.value("file", bool, False))
    part.finish()
    return declared


def _example(part: Section) -> Example:
    example = Example(
        title=part.text("title", ""),
        row=part.mapping("row"),
        templates=part.mapping("templates"),
        sends=tuple(part.value("sends", list)),
        answers=tuple(part.value("answers", list, [])),
        files=part.mapping("files"),
    )
    part.finish()
    return example


def _check(action: Action, top: Section) -> None:
    """Raise DeclarationError for a declaration that is well-formed but contradictory."""
    if top.text("name") != action.file.stem:
        raise top.fault(f'"{top.text("name")}" must be the name of its file', "name")
    if not isinstance(action.result, dict) and action.result not in ("none", "file"):
        raise top.fault('"none", "file" or a JSON Schema is expected', "result")
    for name in action.required:
        if name not in action.inputs:
            raise top.fault(f'"{name}" is not an input', "required")
    placeholders = set(_PLACEHOLDER.findall(action.path))
    filled = {i.target[0]: i for i in action.inputs.values() if i.place == "path"}
    for name in placeholders ^ filled.keys():
        raise top.fault(f'"{name}" must be both in the path and in the `to` of an input', "request")
    for name, given in action.inputs.items():
        if given.place == "path" and name not in action.required:
            raise top.fault(f'"{name}" is part of the path, so it must be required', "required")
    for name in action.outcome.row_inputs if action.outcome else ():
        if name not in action.inputs:
            raise top.fault(f'"{name}" is not an input', "outcome")
    _check_places(action, top)


def _check_places(action: Action, top: Section) -> None:
    """Raise DeclarationError for inputs that overwrite each other in the request, or that have no part."""
    taken: dict[tuple[str, ...], str] = {}
    for name, given in action.inputs.items():
        if given.confirms and not action.returns_list:
            raise top.fault("only a filter of a list can be confirmed", "inputs", name, "confirms")
        if not given.place:
            continue
        place = (given.place, *given.target)
        for other, by in taken.items():
            length = min(len(place), len(other))
            if place[:length] == other[:length]:
                raise top.fault(f'it has the same `to` as "{by}"', "inputs", name, "to")
        taken[place] = name
        if given.place != "part":
            continue
        part = action.parts.get(given.target[0])
        if part is None:
            raise top.fault(f'the part "{given.target[0]}" is not declared under `parts`', "inputs", name)
        if part.file and len(given.target) > 1:
            raise top.fault(f'the part "{given.target[0]}" is a file, which has no members', "inputs", name)
    if {"body", "part"} <= {place[0] for place in taken}:
        raise top.fault("a body is JSON or multipart: inputs cannot go to both", "inputs")
