"""The `actions`, `show` and `catalog` commands: find and describe actions."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from typing import Any

from connector.authoring.reference import input_type, write_reference
from connector.catalog.action import Action, Example
from connector.catalog.catalog import Heading
from connector.catalog.inputs import Input
from connector.cli.action_sources import DEFAULT_SERVICE, add_own_actions, add_service_option, open_catalog
from connector.cli.main import OK, ROWS_FAILED
from connector.errors import count_of


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone actions`."""
    parser.add_argument(
        "words", metavar="WORDS", nargs="*", help="list only actions that contain all of these words"
    )
    parser.add_argument("--json", action="store_true", help="print the full declarations as a JSON array")
    add_service_option(parser, "only the actions of this service")
    add_own_actions(parser)
    parser.set_defaults(command=_actions)


def add_show(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone show`."""
    parser.add_argument("action", metavar="ACTION")
    parser.add_argument("--json", action="store_true", help="print the full declaration as JSON")
    add_own_actions(parser)
    parser.set_defaults(command=_show)


def add_catalog(parser: argparse.ArgumentParser) -> None:
    """Declare `ninjaone catalog`."""
    from connector.cli.catalog_web import add_export, add_serve
    from connector.cli.drift import add_drift

    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    check = commands.add_parser("check", help="validate all declarations, their examples and handlers")
    add_service_option(check, "validate only the declarations of this service")
    add_own_actions(check)
    check.set_defaults(command=_check)
    reference = commands.add_parser("reference", help="print a reference of all actions in Markdown")
    add_service_option(reference, DEFAULT_SERVICE)
    add_own_actions(reference)
    reference.set_defaults(command=_reference)
    drift = commands.add_parser(
        "drift", help="compare the catalog with the vendor's current OpenAPI document"
    )
    add_drift(drift)
    add_export(commands.add_parser("export", help="write the catalog as static files for any web server"))
    add_serve(commands.add_parser("serve", help="open the catalog in a browser"))


def _actions(options: argparse.Namespace) -> int:
    catalog, service = open_catalog(options), options.service
    if service:
        catalog.service_file(service)  # raises RunError for an unknown service
    if options.json:
        print(json.dumps([describe(action) for action in catalog.search(options.words, service)], indent=1))
        return OK
    found = catalog.search(options.words, service) if options.words else catalog.headings(service)
    for area, actions in _by_area(found):
        print(area)
        for action in actions:
            print(f"  {action.name:<28} {action.effect:<11} {action.title}")
    print(f"{count_of(len(found), 'action')}; use `ninjaone show ACTION` for details")
    return OK if found else ROWS_FAILED


def _by_area(actions: Iterable[Action | Heading]) -> Iterable[tuple[str, list[Action | Heading]]]:
    areas: dict[str, list[Action | Heading]] = {}
    for action in actions:
        service = action.name.rpartition(".")[0]
        areas.setdefault(f"{service}/{action.area}" if service else action.area, []).append(action)
    return areas.items()


def _show(options: argparse.Namespace) -> int:
    action = open_catalog(options).action(options.action)
    print(json.dumps(describe(action), indent=1) if options.json else _page(action))
    return OK


def _reference(options: argparse.Namespace) -> int:
    catalog = open_catalog(options)
    service = catalog.service(options.service)
    print(write_reference(catalog.actions(service.name), service), end="")
    return OK


def _check(options: argparse.Namespace) -> int:
    from connector.authoring.checks import check_catalog

    catalog = open_catalog(options)
    problems = check_catalog(catalog, options.service)
    for problem in problems:
        print(problem)
    print(
        f"{count_of(len(catalog.names_of(options.service)), 'action')}, {count_of(len(problems), 'problem')}"
    )
    return ROWS_FAILED if problems else OK


def describe(action: Action) -> dict[str, Any]:
    """Return an action's full declaration as a JSON object."""
    return {
        "name": action.name,
        "title": action.title,
        "service": action.service,
        "area": action.area,
        "summary": action.summary,
        "operation": action.operation,
        "method": action.method,
        "path": action.path,
        **({} if action.published else {"published": False}),
        "effect": action.effect,
        "idempotent": action.idempotent,
        **({"accepted": True} if action.accepted else {}),
        **({"disruptive": True} if action.disruptive else {}),
        "paging": action.paging or None,
        "inputs": {name: _input(given) for name, given in action.inputs.items()},
        "required": list(action.required),
        "result": action.result,
        "examples": [_example(example) for example in action.examples],
    }


def _input(given: Input) -> dict[str, Any]:
    described: dict[str, Any] = {"title": given.title, **given.schema}
    if given.description:
        described["description"] = given.description
    if given.place:
        described["to"] = ".".join((given.place, *given.target))
    if given.unit:
        described["as"] = given.unit
    if not given.published:
        described["published"] = False
    if given.reveals_secrets:
        described["reveals_secrets"] = True
    if given.deviates:
        described["deviates"] = given.deviates
    return described


def _example(example: Example) -> dict[str, Any]:
    return {
        "title": example.title,
        "row": example.row,
        "templates": example.templates,
        "sends": list(example.sends),
    }


def _page(action: Action) -> str:
    again = "safe to repeat" if action.effect == "read" or action.idempotent else "not safe to repeat"
    lines = [
        f"{action.name}: {action.title}",
        action.summary,
        *([action.description] if action.description else []),
        "",
        f"{action.method} {action.path} ({action.operation}); {action.effect_name}, {again}",
        *([action.notice] if action.notice else []),
        "",
        "inputs (* required):",
    ]
    for name, given in action.inputs.items():
        mark = "*" if name in action.required else " "
        lines.append(f" {mark} {name:<22} {input_type(given)}")
        lines.append(f"     {given.title}" + (f". {given.description}" if given.description else ""))
    if action.effect != "read":
        lines += ["", _GAPS]
    for example in action.examples:
        lines += ["", f"example: {example.title}".rstrip(": "), f"  {'row':<22} {json.dumps(example.row)}"]
        lines += [f"  {name:<22} {template}" for name, template in example.templates.items()]
        lines += [f"  {'sends':<22} {_sends(sent)}" for sent in example.sends]
    return "\n".join(lines)


_GAPS = "An empty cell is omitted from the request. null clears a value; --empty send sends an empty text."


def _sends(sent: Mapping[str, Any]) -> str:
    query = "&".join(f"{name}={value}" for name, value in sent.get("query", {}).items())
    body = sent.get("body", sent.get("parts"))
    shown = "" if body is None else f" {json.dumps(body)}"
    return f"{sent['method']} {sent['path']}{'?' if query else ''}{query}{shown}"
