"""Makes the types of the library's sessions, `connector/library/*.pyi`, of the declarations.

python -m tests.library.make_stubs [--check]

A session's `call`, `each` and `preview` have an overload for each action, with the names and types of its
inputs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from keyword import iskeyword
from pathlib import Path
from typing import Any

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.catalog.coercion import declared_types
from connector.catalog.inputs import Input
from connector.catalog.service import Service
from connector.common.absent import ABSENT
from connector.connections.settings import fields_of
from tests.conftest import ROOT

FOLDER = ROOT / "connector" / "library"
HEAD = '''\
# Generated from the declarations by `make reference`: edit those instead of this file.
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal, overload

from typing_extensions import NotRequired, TypedDict, Unpack

from connector.catalog.catalog import Catalog
from connector.connections.connection import Connection
from connector.library.results import Results
from connector.library.session import Session

Time = str | float | date
"""ISO 8601, epoch seconds or milliseconds, or a date or time of Python."""
'''
OF_RUNS = {
    "catalog": "Catalog | None",
    "delay_ms": 'float | Literal["auto"] | None',
    "min_delay_ms": "float | None",
    "read_only": "bool",
    "audit": "str | Path | None",
    "uploads": "str | Path",
    "files": "str | Path | None",
    "reveal_secrets": "bool",
    "timezone": "str",
    "times": 'Literal["epoch", "iso"]',
    "with_names": "str",
}
"""The keywords of every session that are settings of runs."""
SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def stub(service: Service, actions: Iterable[Action]) -> str:
    """The types of a service's session, as the text of its stub file."""
    found = sorted(actions, key=lambda action: action.own_name)
    lists = [action for action in found if action.returns_list]
    lines = [HEAD, *(line for action in found for line in inputs_type(action))]
    lines += [f"{service.title}Action = {literal(action.own_name for action in found)}", ""]
    lines += [f"class {service.title}(Session):", *constructor(service)]
    lines += overloads("call", found, confirms=True)
    lines += overloads("each", lists, returns="Iterator[Any]", confirms=True)
    lines += overloads("preview", found, returns="dict[str, Any]")
    lines += runs(service, found)
    lines += [
        f"    def describe(self, action: {service.title}Action, *, names: bool = True) -> dict[str, Any]: ..."
        "  # type: ignore[override]",
    ]
    return "\n".join(lines) + "\n"


def inputs_type(action: Action) -> Iterator[str]:
    """The inputs of an action as a TypedDict; a name that Python reserves has an underscore at its end."""
    yield f"class {class_name(action)}(TypedDict):"
    for name, given in action.inputs.items():
        written = f"{name}_" if iskeyword(name) else name
        type = input_type(given)
        if given.place == "part" and action.parts[given.target[0]].file:
            type = type.replace("str", "str | Path")
        is_required = name in action.required and given.default is ABSENT
        yield f"    {written}: {type if is_required else f'NotRequired[{type}]'}"
    if not action.inputs:
        yield "    pass"
    yield ""


def class_name(action: Action) -> str:
    return "".join(word.capitalize() for word in action.own_name.split("_"))


def input_type(given: Input) -> str:
    """The Python type of an input's values, without text that is converted to another type."""
    if given.unit:
        return "Time | None" if given.nullable else "Time"
    return schema_type(given.schema)


def schema_type(schema: Any) -> str:
    if not isinstance(schema, Mapping):
        return "Any"
    if "as" in schema:
        return "Time"
    allowed = [option for option in schema.get("enum", ()) if option is not None]
    if allowed and all(isinstance(option, (str, int)) for option in allowed):
        nullable = " | None" if "null" in declared_types(schema) else ""
        return literal(allowed) + nullable
    types = [one_type(name, schema) for name in declared_types(schema)]
    return " | ".join(dict.fromkeys(types)) or "Any"


def one_type(name: str, schema: Mapping[str, Any]) -> str:
    if name == "array":
        return f"Sequence[{schema_type(schema.get('items'))}]"
    return "Mapping[str, Any]" if name == "object" else SIMPLE[name]


def literal(values: Iterable[Any]) -> str:
    return f"Literal[{', '.join(map(json.dumps, values))}]"


def constructor(service: Service) -> Iterator[str]:
    """The constructor, with the settings of the service's connections."""
    names = {bool: "bool", str: "str", int: "float", float: "float", list: "Sequence[str]"}
    yield "    def __init__("
    yield "        self,"
    yield "        connection: str | Path | Connection | None = None,"
    yield "        *,"
    for name, type in OF_RUNS.items():
        yield f"        {name}: {type} = ...,"
    for name, types in fields_of(service).items():
        if name not in OF_RUNS:
            is_region = name == "region" and service.regions
            type = literal(service.regions) if is_region else names[types[0]]
            yield f"        {name}: {type} = ...,"
    yield "    ) -> None: ..."


def overloads(
    method: str, actions: Iterable[Action], *, returns: str = "Any", confirms: bool = False
) -> Iterator[str]:
    """A method's overloads. Those of destructive actions require `confirm`."""
    ignored = "  # type: ignore[override]"
    for action in actions:
        confirm = ""
        if confirms:
            is_destructive = action.effect == "destructive"
            confirm = ", *, confirm: " + ("Literal[True]" if is_destructive else "bool = ...")
        named = f'self, action: Literal["{action.own_name}"], /{confirm}'
        yield f"    @overload{ignored}"
        yield f"    def {method}({named}, **inputs: Unpack[{class_name(action)}]) -> {returns}: ..."
        ignored = ""


def runs(service: Service, actions: Iterable[Action]) -> Iterator[str]:
    """The overloads of `run`: destructive actions require `confirm`."""
    of_destructive: dict[bool, list[str]] = {True: [], False: []}
    for action in actions:
        of_destructive[action.effect == "destructive"].append(action.own_name)
    for is_destructive, names in of_destructive.items():
        confirm = "Literal[True]" if is_destructive else "bool = False"
        yield "    @overload" + ("  # type: ignore[override]" if is_destructive else "")
        yield "    def run("
        yield f"        self, action: {literal(names)}, rows: Iterable[Mapping[str, Any]], *,"
        yield "        templates: Mapping[str, Any] | None = None, concurrency: int = 1,"
        yield f'        results: Literal["one", "each"] = "one", keep_row: bool = False, confirm: {confirm},'
        yield "    ) -> Results: ..."


def stubs() -> dict[Path, str]:
    """The text of each stub file, by its path."""
    catalog = Catalog()
    return {
        FOLDER / f"{name}.pyi": stub(catalog.service(name), catalog.actions(name))
        for name in ("ninjaone", "halopsa")
    }


def main(arguments: list[str]) -> int:
    made = stubs()
    if arguments == ["--check"]:
        old = [path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
        for path in old:
            print(f"{path} is not up to date; run: make reference")
        return 1 if old else 0
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
