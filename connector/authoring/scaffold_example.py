"""Generate the example of a draft declaration: plausible values and the resulting request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from connector.authoring.checks import described, violations
from connector.catalog.action import Action, load_action
from connector.catalog.naming import title
from connector.catalog.service import Service
from connector.common import yaml_dump
from connector.common.json_text import Json
from connector.errors import RowError, RunError
from connector.invocation.bindings import bind
from connector.invocation.handlers import Inputs, Request, find_handler

_UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
_TIME = "2036-12-01T06:00:00Z"
_TEXTS = (
    ("email", "casey@example.com"),
    ("phone", "+1 555 0100"),
    ("url", "https://www.example.com/"),
    ("html", "<p>Example</p>"),
    ("language", "en"),
    ("timezone", "Europe/London"),
    ("device_filter", "org = 1"),
    ("timestamp_filter", "after 1780000000"),
)
"""Example texts for inputs whose name contains a word."""


@dataclass(frozen=True)
class Field:
    """An input of a draft: its declaration, its place in the request, and its multipart part if any."""

    name: str
    place: str
    target: tuple[str, ...]
    declared: Mapping[str, Any]
    required: bool
    part: Mapping[str, Any]

    def renamed(self, name: str) -> Field:
        """Return a copy of the input with another name and title."""
        return replace(self, name=name, declared={**self.declared, "title": title(name)})


def known_values(actions: Iterable[Action]) -> dict[str, Json]:
    """Return the first id in the examples of actions for each input name, keyed by input name."""
    known: dict[str, Json] = {}
    for action in actions:
        for shown in action.examples:
            try:
                values = bind(action, shown.templates).values(shown.row)
            except (RunError, RowError):  # the declaration is not finished
                continue
            for name, value in values.items():
                if name.endswith(("_id", "_uid", "_ids")):
                    known.setdefault(name, value)
    return known


def example(
    top: Mapping[str, Any], fields: list[Field], service: Service, area: str, known: Mapping[str, Json]
) -> dict[str, Any]:
    """Return an example with all required inputs and a non-empty body. Raises RunError."""
    row: dict[str, Json] = {}
    templates: dict[str, Json] = {}
    files: dict[str, str] = {}
    for field in _shown(fields):
        value = _value(field, known, files)
        column = field.name.removesuffix("_id")
        row[column] = value
        templates[field.name] = f"{{{{ {column} }}}}"
    shown: dict[str, Any] = {"row": row, "templates": templates} if row else {}
    if files:
        shown["files"] = files
    return shown | {"sends": [_sent({**top, "examples": [{**shown, "sends": []}]}, service, area)]}


def _shown(fields: list[Field]) -> list[Field]:
    shown = [field for field in fields if field.required]
    for place in ("body", "part"):
        if not any(field.place == place for field in shown):
            offered = [field for field in fields if field.place == place]
            shown += sorted(offered, key=lambda field: not field.part.get("file"))[:2]
    telling = (f for f in fields if f.name in dict(_TEXTS) or "enum" in f.declared)
    return shown or [*telling][:1]


def _value(field: Field, known: Mapping[str, Json], files: dict[str, str]) -> Json:
    schema = {key: value for key, value in field.declared.items() if key not in ("title", "to", "as")}
    if field.part.get("file"):
        file = "example.csv" if "csv" in field.name else "example.txt"
        files[file] = "example\n"
        return [file] if schema.get("type") == "array" else file
    if field.name in known and not violations(schema, known[field.name]):
        return known[field.name]
    if field.place == "path" and schema == {"type": "string"}:
        return "example"
    return plausible(field.name, schema)


def plausible(name: str, schema: Mapping[str, Any]) -> Json:
    """Return a small, readable value that is valid under a JSON Schema."""
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "string")
    if kind == "boolean":
        return True
    if kind in ("integer", "number"):
        return int(schema.get("minimum", 1))
    if kind == "array":
        return [plausible(name, schema.get("items", {}))] * max(1, schema.get("minItems", 1))
    if kind == "object":
        return _object(schema)
    return _text(name, schema)


def _object(schema: Mapping[str, Any]) -> Json:
    members = schema.get("properties", {})
    if not members:
        return {"example": plausible("example", schema.get("additionalProperties", {}))}
    chosen = list(dict.fromkeys([*schema.get("required", ()), *members]))
    return {
        name: plausible(name, members[name]) for name in chosen[: max(2, len(schema.get("required", ())))]
    }


def _text(name: str, schema: Mapping[str, Any]) -> str:
    text = {"uuid": _UUID, "date-time": _TIME, "date": _TIME[:10]}.get(schema.get("format", ""))
    if text is None:
        found = (example for word, example in _TEXTS if word in name.lower())
        text = next(found, f"Example {name.replace('_', ' ')}" if name != "example" else "text")
    return text[: schema.get("maxLength")]


def _sent(top: Mapping[str, Any], service: Service, area: str) -> dict[str, Json]:
    """Return the request that a draft's example sends, in the form of `sends`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / service.name / area / f"{top['name']}.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(yaml_dump.dump(top), encoding="utf-8")
        action = load_action(path, service.inputs)
        shown = action.examples[0]
        for name, content in shown.files.items():
            (path.parent / name).write_text(content, encoding="utf-8")
        values = bind(action, shown.templates).values(shown.row)
        first = next(find_handler(action)(Inputs(action, service, values, path.parent)))
        if not isinstance(first, Request):
            raise RunError(f"{action.name}: the handler sends no request")
        return described(first, path.parent)
