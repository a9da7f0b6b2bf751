"""An action's example as snippets to copy: a command, a job, Python, curl, and a host platform's form."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from connector.catalog.action import Action, Example
from connector.catalog.service import Service
from connector.common import yaml_dump
from connector.common.json_text import Json
from connector.hosts.lhub_build import DOCUMENTED
from connector.invocation.bindings import bind

ROWS = "rows.jsonl"
"""The file name of an example's rows."""


@dataclass(frozen=True)
class Block:
    """One text to copy: a file, a command, or the content of a form field."""

    label: str
    language: str
    text: str


@dataclass(frozen=True)
class Snippet:
    """One way to use an action; `note` describes its requirements."""

    key: str
    title: str
    note: str
    blocks: Sequence[Block]


def snippets(action: Action, example: Example, service: Service) -> list[Snippet]:
    """Return the snippets of an example.

    A template with `empty: send` cannot be used in a `call` or a form, so these two snippets are omitted.
    """
    uploads = f" It reads {' and '.join(example.files)} in the current folder." if example.files else ""
    of = f" of {service.title}" if service.prefix else ""
    call = Snippet(
        "call",
        "Command line",
        f"Uses your default connection{of}; -c NAME selects another.{uploads}",
        [Block("Shell", "shell", command(action, example))],
    )
    job = Snippet(
        "job",
        "Job file",
        f"Processes any number of rows, and can be resumed.{uploads}",
        [
            Block(f"{action.name}.yaml", "yaml", job_file(action, example)),
            Block(ROWS, "json", json.dumps(example.row, ensure_ascii=False) + "\n"),
            Block("Shell", "shell", f"ninjaone run {action.name}.yaml\n"),
        ],
    )
    program = Snippet(
        "python",
        "Python",
        f"The same job from a program.{uploads}",
        [Block("Python", "python", python(action, example))],
    )
    request = Snippet(
        "curl", "curl", _curl_note(example, service), [Block("Shell", "shell", curl(example, service))]
    )
    form = Snippet("lhub", "LogicHub", _lhub_note(action), list(lhub(action, example, service)))
    if sends_empty(example):
        return [job, program, request]
    return [call, job, program, request, form]


def sends_empty(example: Example) -> bool:
    """Return whether a template of the example has `empty: send`."""
    return any(isinstance(template, dict) and "empty" in template for template in example.templates.values())


def command(action: Action, example: Example) -> str:
    """Return the `ninjaone call` command that sends the example's requests."""
    words = [f"{name}={_plain(value)}" for name, value in values(action, example).items()]
    if action.returns_file:
        words.append("--files=.")
    return _lines(["ninjaone call", action.name], [shlex.quote(word) for word in words])


def values(action: Action, example: Example) -> Mapping[str, Json]:
    """Return the example's input values, with times in the format in which they are sent."""
    with TemporaryDirectory() as folder:
        for name, content in example.files.items():
            (Path(folder) / name).write_text(content, encoding="utf-8")
        return bind(action, example.templates).values(example.row)


def job_file(action: Action, example: Example) -> str:
    """Return the job file of the example."""
    head: dict[str, Any] = {"action": action.name, "input": ROWS, "output": f"{action.name}.out.jsonl"}
    if action.returns_file:
        head["files"] = "."
    if not example.templates:
        return yaml_dump.dump(head)
    lines = [f"  {name}: {_template(template)}" for name, template in example.templates.items()]
    return yaml_dump.dump(head) + "templates:\n" + "\n".join(lines) + "\n"


def _template(template: Any) -> str:
    """Return a template as YAML, with the quotes that need the fewest escapes."""
    if not isinstance(template, str) or "\n" in template or not template.isprintable():
        return yaml_dump.dump({"x": template}).removeprefix("x:").strip()
    if '"' in template:
        return "'" + template.replace("'", "''") + "'"
    return json.dumps(template, ensure_ascii=False)


def python(action: Action, example: Example) -> str:
    """Return a Python program that runs the example's job."""
    files = '    files=Path("."),\n' if action.returns_file else ""
    return (
        "import json\n"
        "from pathlib import Path\n\n"
        "from connector.catalog.catalog import Catalog\n"
        "from connector.runs.job import Job\n"
        "from connector.runs.prepared import prepare\n"
        "from connector.runs.run import run\n\n"
        f"rows = [{_python(example.row, '')}]\n"
        f'Path("{ROWS}").write_text("\\n".join(map(json.dumps, rows)))\n\n'
        "job = Job(\n"
        f'    action="{action.name}",\n'
        f"    templates={_python(dict(example.templates), '    ')},\n"
        f'    input="{ROWS}",\n'
        f'    output="{action.name}.out.jsonl",\n'
        f"{files})\n"
        "summary = run(prepare(job, Catalog()))\n"
        'print(f"{summary.rows} rows, {summary.failed} failed")\n'
    )


def _python(value: Any, indent: str) -> str:
    """Return a value as Python source. Each member of a long dict is on a separate line."""
    if isinstance(value, str):
        return repr(value) if '"' in value else json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(_python(item, indent) for item in value) + "]"
    if not isinstance(value, dict):
        return repr(value)
    short = ", ".join(f"{_python(key, '')}: {_python(member, '')}" for key, member in value.items())
    if len(short) + len(indent) < 60 and "\n" not in short:
        return f"{{{short}}}"
    inner = indent + "    "
    lines = "".join(f"{inner}{_python(key, '')}: {_python(m, inner)},\n" for key, m in value.items())
    return f"{{\n{lines}{indent}}}"


def curl(example: Example, service: Service) -> str:
    """Return the example's requests, each as a curl command."""
    return "\n".join(_curl(sent, service.environment) for sent in example.sends)


def _curl(sent: Mapping[str, Any], environment: str) -> str:
    words = [f'--header "Authorization: Bearer ${environment}TOKEN"']
    words += [f"--header {shlex.quote(f'{name}: {text}')}" for name, text in sent.get("headers", {}).items()]
    if "body" in sent:
        words.append("--header 'Content-Type: application/json'")
        words.append(f"--data {shlex.quote(json.dumps(sent['body'], ensure_ascii=False))}")
    words += [f"--form {shlex.quote(_form(part))}" for part in sent.get("parts", ())]
    return _lines([f"curl --request {sent['method']}", f'"${environment}BASE_URL{target(sent)}"'], words)


def target(sent: Mapping[str, Any]) -> str:
    """Return the path and query of a request in an example's `sends`."""
    query = [
        f"{quote(name, safe='')}={quote(text, safe='')}"
        for name, given in sent.get("query", {}).items()
        for text in (given if isinstance(given, list) else [given])
    ]
    return str(sent["path"]) + ("?" + "&".join(query) if query else "")


def _form(part: Mapping[str, Any]) -> str:
    """Return a part of a multipart body as the value of curl's option `--form`."""
    media_type = f";type={part['media_type']}" if part.get("media_type") else ""
    if "file" in part:
        return f"{part['name']}=@{part['file']}{media_type}"
    text = _plain(part["value"]).replace("\\", "\\\\").replace('"', '\\"')
    return f'{part["name"]}="{text}"{media_type}'


def _curl_note(example: Example, service: Service) -> str:
    prefix = service.environment
    such_as = f" (such as {next(iter(service.regions.values()))})" if service.regions else ""
    many = f" {len(example.sends)} requests, one after the other." if len(example.sends) > 1 else ""
    return f"Set {prefix}BASE_URL{such_as} and {prefix}TOKEN first.{many}"


def lhub(action: Action, example: Example, service: Service) -> Iterator[Block]:
    """Yield the command that builds the LogicHub integration, and the value of each field of its form."""
    chosen = "" if action.name in DOCUMENTED else f" --actions {action.name}"
    yield Block(
        "Build the integration", "shell", f"ninjaone host lhub build {service.name}-integration{chosen}\n"
    )
    templates = example.templates or {name: f"{{{{ {name} }}}}" for name in example.row}
    for name, template in templates.items():
        yield Block(action.inputs[name].title, "text", _plain(template))


def _lhub_note(action: Action) -> str:
    if action.name in DOCUMENTED:
        return f"“{action.title}” is part of the default integration. Content of its fields:"
    return f"“{action.title}” must be selected when the integration is built. Content of its fields:"


def _plain(value: Any) -> str:
    """Return a value as text: a string unchanged, other values as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _lines(head: list[str], words: list[str]) -> str:
    """Return a command on one line, or with one argument per line if it is too long."""
    short = " ".join([*head, *words])
    if len(short) <= 64 and "\n" not in short:
        return short + "\n"
    return " \\\n  ".join([" ".join(head), *words]) + "\n"
