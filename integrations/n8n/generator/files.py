"""The generated files of the package."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import connector
from integrations.n8n.generator.node import Node
from integrations.n8n.generator.typescript import Code, literal

FOLDER = Path(__file__).parents[1]
PACKAGE = "n8n-nodes-ninjaone"
CREDENTIAL = "ninjaOneConnectorApi"
_GENERATED = "// Generated from the declarations by `make reference`: edit those instead of this file.\n"


def files(of: Iterable[Node]) -> dict[Path, str]:
    """Return the text of each generated file of these nodes, by its path."""
    made = {FOLDER / "package.json": _package()}
    for node in of:
        folder = FOLDER / "nodes" / node.class_name
        made[folder / f"{node.class_name}.node.ts"] = _node(node)
        made[folder / f"{node.class_name}.node.json"] = _codex(node)
        made.update((folder / "resources" / f"{area}.ts", _resource(node, area)) for area in node.areas)
    return made


def outdated(made: Mapping[Path, str]) -> list[Path]:
    """Return the files that are not up to date, or not generated any more."""
    old = [path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
    return old + [path for path in sorted((FOLDER / "nodes").glob("*/resources/*")) if path not in made]


def _package() -> str:
    """Return package.json as it is, with the version of the connector."""
    said = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    return json.dumps({**said, "version": connector.__version__}, indent="\t", ensure_ascii=False) + "\n"


def _resource(node: Node, area: str) -> str:
    body = literal(list(node.areas[area]))
    names = sorted(name for name in ("toItems", "withBody") if name in body)
    expressions = ("CONFIRMED", "IDEMPOTENCY_KEY", "IF_GIVEN", "NOT_CHOSEN", "WITH_OFFSET")
    constants = [name for name in expressions if name in body]
    lines = ["import type { INodeProperties } from 'n8n-workflow';", ""]
    if constants:
        lines.append(f"import {{ {', '.join(constants)} }} from '../../shared/expressions';")
    lines.append(f"import {{ {', '.join(names)} }} from '../../shared/requests';")
    return _GENERATED + "\n".join(
        [*lines, "", f"export const {_variable(area)}: INodeProperties[] = {body};", ""]
    )


def _node(node: Node) -> str:
    variables = {area: _variable(area) for area in node.areas}
    icon = {"light": "file:../../icons/connector.svg", "dark": "file:../../icons/connector.dark.svg"}
    description = {
        "displayName": node.title,
        "name": node.name,
        "icon": icon,
        "group": ["transform"],
        "version": 1,
        "subtitle": '={{ $parameter["operation"] + ": " + $parameter["resource"] }}',
        "description": f"Run actions of {node.title} through the HTTP server of the connector",
        "defaults": {"name": node.title},
        "usableAsTool": True,
        "inputs": [Code("NodeConnectionTypes.Main")],
        "outputs": [Code("NodeConnectionTypes.Main")],
        "credentials": [{"name": CREDENTIAL, "required": True}],
        "requestDefaults": Code("REQUEST_DEFAULTS"),
        "requestOperations": Code("REQUEST_OPERATIONS"),
        "properties": [node.resource, *(Code(f"...{name}") for name in variables.values())],
    }
    lines = [
        "import { NodeConnectionTypes, type INodeType, type INodeTypeDescription } from 'n8n-workflow';",
        "",
        *(f"import {{ {name} }} from './resources/{area}';" for area, name in variables.items()),
        "import { REQUEST_DEFAULTS, REQUEST_OPERATIONS } from '../shared/requests';",
        "",
        f"export class {node.class_name} implements INodeType {{",
        f"\tdescription: INodeTypeDescription = {literal(description, 1)};",
        "}",
        "",
    ]
    return _GENERATED + "\n".join(lines)


def _codex(node: Node) -> str:
    said = {
        "node": f"{PACKAGE}.{node.name}",
        "nodeVersion": "1.0",
        "codexVersion": "1.0",
        "categories": ["Development", "Utility"],
        "alias": ["RMM", "MSP", "PSA"],
    }
    return json.dumps(said, indent="\t") + "\n"


def _variable(area: str) -> str:
    first, *others = area.split("_")
    return first + "".join(word.capitalize() for word in others)


def write(made: Mapping[Path, str]) -> None:
    """Write the files, and remove those that are not generated any more."""
    for path in outdated(made):
        if path in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[path], encoding="utf-8")
        else:
            path.unlink()
