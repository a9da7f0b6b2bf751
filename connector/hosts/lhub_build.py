"""Writes a LogicHub integration: a folder with a module of functions, and the requirement that runs them.

The functions are what the SDK reads: names, arguments, titles and descriptions, all out of the catalogue as
it is when the folder is written. How they run is in `lhub`, which the module imports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import connector
from connector.authoring.reference import input_type
from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.catalog.inputs import Input
from connector.common import json_text
from connector.errors import RunError
from connector.hosts.host import needed
from connector.hosts.lhub import BATCH_END, DELAY, FILES, LIST_ROWS, UPLOADS, argument_name

DOCUMENTED = (
    "create_organization",
    "update_organization",
    "create_location",
    "update_location",
    "list_devices",
    "get_device_link",
    "update_device",
    "approve_devices",
    "reboot_device",
    "list_windows_services",
    "control_windows_service",
    "list_scripting_options",
    "run_script",
    "schedule_maintenance",
    "cancel_maintenance",
    "list_alerts",
    "generate_installer",
)
"""The actions of the older connector, in its document's order: what is built when no others are asked for."""

MODULE, REQUIREMENTS = "main.py", "requirements.txt"
_MARK = "# Written by `ninjaone host lhub build`"

_HEAD = '''"""
name: {title}
description: {title} over rows. Every input is a Jinja template; every row gets has_error, error and result.
"""
{mark} of ninjaone-connector {version}. Build it again instead of editing it.

from lhub_integ.params import ActionParam, DataType, JinjaTemplatedStr

from connector.hosts.lhub import Integration

integration = Integration("{service}")
'''

_REQUIREMENTS = """# A wheel of it may stand beside this file, for where no package index has it.
--find-links .
ninjaone-connector=={version}
"""


def build(folder: Path, names: Sequence[str] = DOCUMENTED) -> list[Path]:
    """Write the integration of some actions of one service into a folder, and give the files.

    Raises RunError for unknown actions and for a folder that holds something else.
    """
    catalog = Catalog()
    actions = [catalog.action(name) for name in dict.fromkeys(names)]
    if len({action.service for action in actions}) != 1:
        raise RunError("an integration is made of actions of one service")
    title = catalog.service(actions[0].service).title
    head = _HEAD.format(title=title, service=actions[0].service, mark=_MARK, version=connector.__version__)
    written = {
        MODULE: "\n".join([head, *_parameters(actions), *map(_function, actions)]),
        REQUIREMENTS: _REQUIREMENTS.format(version=connector.__version__),
    }
    try:
        _look(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in written.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror}") from error
    return [folder / name for name in written]


def _look(folder: Path) -> None:
    """Refuse a folder with anything in it that no earlier build has begun."""
    module = folder / MODULE
    if not folder.exists() or (module.is_file() and _MARK in module.read_text("utf-8", "replace")):
        return
    if any(folder.iterdir()):
        raise RunError(f"{folder}: holds something that is no integration of ours; name another folder")


def _parameters(actions: Sequence[Action]) -> Iterator[str]:
    """Write the settings of a run: the pause that every action has, and what only some of them have."""
    delay = actions[0].inputs["delay_ms"]
    every = [action.name for action in actions]
    yield _parameter(
        DELAY,
        delay.title,
        delay.description,
        every,
        f'default="{delay.default}"',
        "data_type=DataType.NUMBER",
    )
    yield from _some(
        LIST_ROWS,
        "Rows of a list",
        "one: the whole list in the result of one row; each: every item as the result of a row of its own",
        [action.name for action in actions if _gives_list(action)],
        'default="one"',
        'options=["one", "each"]',
    )
    yield from _some(
        FILES,
        "Folder for files",
        "Where the files are saved that the action answers with",
        [action.name for action in actions if action.returns_file],
    )
    yield from _some(
        UPLOADS,
        "Folder of uploads",
        "Where the files are that the action sends; a row names them below it",
        [action.name for action in actions if any(part.file for part in action.parts.values())],
    )


def _some(id: str, label: str, description: str, actions: list[str], *more: str) -> Iterator[str]:
    if actions:
        yield _parameter(id, label, description, actions, *more)


def _parameter(id: str, label: str, description: str, actions: list[str], *more: str) -> str:
    arguments = (_text(id), f"label={_text(label)}", f"description={_text(description)}", *more)
    listed = "".join(f"        {_text(name)},\n" for name in actions)
    written = "".join(f"    {argument},\n" for argument in arguments)
    return f"ActionParam(\n{written}    action=[\n{listed}    ],\n)\n"


def _text(text: str) -> str:
    """Write a text as Python does, in double quotes."""
    return json_text.dumps(text)


def _gives_list(action: Action) -> bool:
    schema = action.result
    return bool(action.paging) or (isinstance(schema, dict) and "array" in schema.get("type", ()))


def _function(action: Action) -> str:
    """Write the function that the SDK takes for the action, with a docstring in the form that it reads."""
    inputs = [given for name, given in action.inputs.items() if name != "delay_ms"]
    arguments = "".join(f"    {argument_name(given.name)}: JinjaTemplatedStr,\n" for given in inputs)
    lines = [f"{action.summary} {action.description}", "", *_fields(action, inputs)]
    docstring = "".join(f"    {_line(line)}".rstrip() + "\n" for line in lines)
    return (
        f"\n@integration.action({_text(action.title)})\n"
        f"def {action.name}({_wrapped(arguments)}):\n"
        f'    """\n{docstring}    """\n'
        "    integration.never_by_row()\n"
    )


def _wrapped(arguments: str) -> str:
    return f"\n{arguments}" if arguments else ""


def _line(text: str) -> str:
    """Write a text as one line of a docstring."""
    return " ".join(text.split()).replace("\\", "\\\\").replace('"""', r"\"\"\"")


def _fields(action: Action, inputs: Iterable[Input]) -> Iterator[str]:
    required = needed(action, [BATCH_END.get(action.name, "")])
    for given in inputs:
        name = argument_name(given.name)
        yield f":param {name}: {_what(action, given)}"
        yield f":label {name}: {given.title}"
        if given.name not in required:
            yield f":optional {name}: true"


def _what(action: Action, given: Input) -> str:
    """Describe an input: its type, options and default, what it means, and an example of a template."""
    said = [f"Jinja-templated {input_type(given)}.", given.description]
    if BATCH_END.get(action.name) == given.name:
        said.append("Left empty, it is the end of the batch.")
    for example in action.examples:
        template = example.templates.get(given.name)
        if isinstance(template, str) and template:
            said.append(f"Example: {template}")
            break
    return " ".join(filter(None, said))
