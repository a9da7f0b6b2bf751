"""Write a LogicHub integration: a folder with a Python module, a requirements file and logos.

The module has a function for each action. Its name, arguments, title and descriptions are generated from the
catalog for the SDK. The module imports `lhub`, which runs the actions.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import connector
from connector.authoring.reference import input_type
from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.catalog.inputs import Input
from connector.catalog.service import Service
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
"""The actions of the older connector, in the order of its documentation."""

PRESETS: Mapping[str, tuple[str, ...]] = {
    "documented": DOCUMENTED,
    "soar": (
        *DOCUMENTED,
        "list_organizations",
        "list_locations",
        "list_organization_locations",
        "list_node_roles",
        "list_policies",
        "get_device",
        "list_device_activities",
        "reset_alert",
        "get_device_custom_fields",
        "update_device_custom_fields",
        "list_device_os_patches",
        "list_device_software_patches",
        "get_device_last_logged_on_user",
    ),
}
"""The sets of actions for `--preset`: the actions of the older connector, and a larger set for playbooks."""

MODULE, REQUIREMENTS = "main.py", "requirements.txt"
_LOGOS = Path(__file__).parent / "logos"
_SENTENCE_END = re.compile(r"(?<=[.;])\s+")
_ACTION_NAME = re.compile(r"\b(?:[a-z][a-z0-9_]*\.)?[a-z]+(?:_[a-z0-9]+)+\b")
_MARK = "# Written by `ninjaone host lhub build`"

_HEAD = '''"""
name: {title}
description: Runs {title} actions on rows. Inputs are Jinja templates; rows get has_error, error and result.
logoUrl: {logo}
"""
{mark} of ninjaone-connector {version}. Build it again instead of editing it.

from lhub_integ.params import ActionParam, DataType, JinjaTemplatedStr

from connector.hosts.lhub import Integration

integration = Integration("{service}")
'''

_REQUIREMENTS = """# pip also finds a wheel of the package in this folder, if no package index has it.
--find-links .
ninjaone-connector=={version}
"""


def build(folder: Path, names: Sequence[str] = DOCUMENTED, catalog: Catalog | None = None) -> list[Path]:
    """Write an integration with actions of one service to a folder; return the paths of its files.

    Raises RunError for an unknown action, and for a folder with other files.
    """
    catalog = catalog or Catalog()
    actions = [catalog.action(name) for name in dict.fromkeys(names)]
    if len({action.service for action in actions}) != 1:
        raise RunError("an integration can have actions of one service only")
    service = catalog.service(actions[0].service)
    head = _HEAD.format(
        title=service.title, service=service.name, mark=_MARK, version=connector.__version__, logo=_logo_url()
    )
    written = {
        MODULE: "\n".join(
            [head, *_parameters(actions, service), *(_function(a, names, catalog) for a in actions)]
        ),
        REQUIREMENTS: _REQUIREMENTS.format(version=connector.__version__),
    }
    logos = {f"logo.{kind}": (_LOGOS / f"logo.{kind}").read_bytes() for kind in ("svg", "png")}
    try:
        _look(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in written.items():
            (folder / name).write_text(text, encoding="utf-8")
        for name, content in logos.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror}") from error
    return [folder / name for name in (*written, *logos)]


def _logo_url() -> str:
    """Return the logo as a data URL, because the SDK's metadata requires a URL."""
    return "data:image/svg+xml;base64," + base64.b64encode((_LOGOS / "logo.svg").read_bytes()).decode()


def _look(folder: Path) -> None:
    """Raise RunError for a folder with files that are not an earlier build."""
    module = folder / MODULE
    if not folder.exists() or (module.is_file() and _MARK in module.read_text("utf-8", "replace")):
        return
    if any(folder.iterdir()):
        raise RunError(f"{folder} contains files that are not from an earlier build; use another folder")


def _parameters(actions: Sequence[Action], service: Service) -> Iterator[str]:
    """Yield the Python source of the action parameters that are not inputs, such as the delay."""
    every = [action.own_name for action in actions]
    yield _parameter(
        DELAY,
        service.delay.title,
        service.delay.description,
        every,
        f'default="{service.delay.default_ms:g}"',
        "data_type=DataType.NUMBER",
    )
    yield from _some(
        LIST_ROWS,
        "Output rows of a list",
        "each: one output row for each item of the list; one: one output row with the complete list",
        [action.own_name for action in actions if action.returns_list],
        'default="each"',
        'options=["each", "one"]',
    )
    yield from _some(
        FILES,
        "Folder for files",
        f"The folder in which files from {service.title} are saved",
        [action.own_name for action in actions if action.returns_file],
    )
    yield from _some(
        UPLOADS,
        "Folder of uploads",
        "The folder of files to upload; rows contain paths relative to it",
        [action.own_name for action in actions if any(part.file for part in action.parts.values())],
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
    """Return `text` as a Python string literal in double quotes."""
    return json_text.dumps(text)


def _function(action: Action, built: Collection[str], catalog: Catalog) -> str:
    """Return the Python source of an action's function, with a docstring in the SDK's format."""
    inputs = list(action.inputs.values())
    arguments = "".join(f"    {argument_name(given.name)}: JinjaTemplatedStr,\n" for given in inputs)
    lines = [f"{action.summary} {action.description}", "", *_fields(action, inputs)]
    lines = [_pointing_inside(line, built, catalog) for line in lines]
    docstring = "".join(f"    {_line(line)}".rstrip() + "\n" for line in lines)
    return (
        f"\n@integration.action({_text(action.title)})\n"
        f"def {action.own_name}({_wrapped(arguments)}):\n"
        f'    """\n{docstring}    """\n'
        "    integration.never_by_row()\n"
    )


def _pointing_inside(text: str, built: Collection[str], catalog: Catalog) -> str:
    """Replace action names in a text by titles, and remove sentences about actions not in the build."""
    sentences = []
    for sentence in _SENTENCE_END.split(text):
        named = [name for name in _ACTION_NAME.findall(sentence) if name in catalog.names]
        if all(name in built for name in named):
            for name in named:
                sentence = sentence.replace(name, f'"{catalog.action(name).title}"')
            sentences.append(sentence)
    return " ".join(sentences)


def _wrapped(arguments: str) -> str:
    return f"\n{arguments}" if arguments else ""


def _line(text: str) -> str:
    """Return a text as one line of a docstring."""
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
    """Return the description of an input: type, allowed values, default, meaning, example template."""
    options = ", true or false" if given.schema.get("type") == "boolean" else ""
    said = [f"Jinja-templated {input_type(given)}{options}.", given.description]
    if BATCH_END.get(action.name) == given.name:
        said.append(
            "If empty, the end time of the platform's batch is used; if that time is already in the past, "
            "the row fails. {{ (now + 7200) | iso }} is two hours from now."
        )
    for example in action.examples:
        template = example.templates.get(given.name)
        if isinstance(template, str) and template:
            said.append(f"Example: {template}")
            break
    return " ".join(filter(None, said))
