"""Generate the action reference, one Markdown page, from the declarations of the actions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from connector.catalog.action import Action
from connector.catalog.inputs import Input
from connector.catalog.service import Service
from connector.common.absent import ABSENT

_HEAD = """# {title}

You want to look up an action and its inputs. `ninjaone show ACTION` prints it with examples.

A star marks a required input.

Generated from the declarations by `ninjaone catalog reference`: edit those instead of this page.
"""


def write_reference(actions: Iterable[Action], service: Service | None = None) -> str:
    """Return the Markdown page of a service's actions: a table of the areas, then the actions by area.

    The page's title contains the title of a service whose action names have a prefix.
    """
    title = f"{service.title} action reference" if service and service.prefix else "Action reference"
    areas: dict[str, list[Action]] = {}
    for action in actions:
        areas.setdefault(action.area, []).append(action)
    lines = [_HEAD.format(title=title), "| area | actions |", "|---|---|"]
    lines += [f"| [{area}](#{area}) | {len(found)} |" for area, found in areas.items()]
    for area, found in areas.items():
        lines += ["", f"## {area}"]
        for action in found:
            lines += _entry(action)
    return "\n".join(lines) + "\n"


def _entry(action: Action) -> Iterator[str]:
    again = "safe to repeat" if action.effect == "read" or action.idempotent else "not safe to repeat"
    notes = (", queued" if action.accepted else "") + (", paged" if action.paging else "")
    yield from ("", f"### {action.name}", "", f"**{action.title}.** {action.summary}")
    if action.description:
        yield action.description
    yield from (
        "",
        f"`{action.method} {action.path}` ({action.operation}): {action.effect_name}, {again}{notes}",
    )
    if action.notice:
        yield action.notice
    shown = action.inputs.values()
    if shown:
        yield from ("", "| input | type | what |", "|---|---|---|")
    for given in shown:
        star = "\\*" if given.name in action.required else ""
        yield f"| `{given.name}`{star} | {_cell(input_type(given))} | {_cell(_what(given))} |"


def input_type(given: Input) -> str:
    """Return the type of an input, its allowed values and its default, as text."""
    schema = given.schema
    types = schema.get("type", "any")
    text = types if isinstance(types, str) else " or ".join(types)
    allowed = schema.get("enum") or (schema.get("items") or {}).get("enum")
    text += f", one of {', '.join(map(str, allowed))}" if allowed else ""
    text += f", default {json.dumps(given.default)}" if given.default is not ABSENT else ""
    return text + ("" if given.published else ", not in the API document")


def _what(given: Input) -> str:
    return f"{given.title}. {given.description}" if given.description else given.title


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
