"""The snippets to copy agree with the example, for every action; some of each kind are run."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode
from urllib.request import Request, urlopen

import pytest

from connector.authoring.checks import check_example
from connector.catalog.action import Action, Example
from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.cli.key_values import pairs
from connector.cli.main import build_parser
from connector.files.readers import RowSource
from connector.hosts.host import prepare_form
from connector.hosts.lhub_build import DOCUMENTED
from connector.runs.job import Job
from connector.runs.job_file import load_job
from connector.sandbox.ninjaone.server import Sandbox
from connector.web.catalog.snippets import Block, curl, sends_empty, snippets, values
from tests.kept_catalog import CATALOG

AREAS = sorted({action.area for action in CATALOG.actions()})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, in which the copied texts look for files."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put_files(example: Example, folder: Path) -> None:
    """Put the files into a folder that the example sends."""
    for name, content in example.files.items():
        (folder / name).write_text(content, encoding="utf-8")


@pytest.mark.parametrize("area", AREAS)
def test_every_way_sends_what_the_example_sends(catalog: Catalog, area: str, folder: Path) -> None:
    for action in catalog.actions():
        if action.area == area:
            for example in action.examples:
                put_files(example, folder)
                check_every_way(catalog, action, example, folder)


def check_every_way(catalog: Catalog, action: Action, example: Example, folder: Path) -> None:
    copied = {
        snippet.key: snippet.blocks for snippet in snippets(action, example, catalog.service(action.service))
    }
    assert read_python(copied["python"][0].text) == (action.name, example.row, example.templates)
    assert read_job(copied["job"], folder) == (action.name, example.row, example.templates)
    requests = commands(copied["curl"][0].text)
    assert [read_curl(text) for text in requests] == [as_text(sent) for sent in example.sends], action.name
    if sends_empty(example):
        assert copied.keys() == {"job", "python", "curl"}
        return
    called = example._replace(title="called", row=read_call(action, copied["call"][0].text), templates={})
    assert check_example(action, catalog.service(action.service), called, folder) == []
    assert read_form(catalog, action, copied["lhub"], example.row) == values(action, example), action.name


def read_call(action: Action, text: str) -> dict[str, str]:
    """Read a command: what `ninjaone call` takes for the row's fields."""
    program, *arguments = split(text)
    options = build_parser(["call"]).parse_args(arguments)
    assert (program, options.action) == ("ninjaone", action.name)
    assert (options.files is not None) == action.returns_file
    return pairs(options.values, "")


def read_job(blocks: Sequence[Block], folder: Path) -> tuple[str, Any, Any]:
    """Read a job with its rows: its action, its only row, its templates."""
    for block in blocks:
        (folder / block.label).write_text(block.text, encoding="utf-8")
    (command,) = (shlex.split(block.text) for block in blocks if block.language == "shell")
    job = load_job(folder / command[-1])
    (row,) = RowSource(job.input).rows()
    assert (command[:-1], row.error) == (["ninjaone", "run"], "")
    return job.action, row.data, job.templates


def read_python(text: str) -> tuple[str, Any, Any]:
    """Read a program: the action, its only row, its templates."""
    tree = ast.parse(text)
    assigned = {ast.unparse(n.targets[0]): n.value for n in tree.body if isinstance(n, ast.Assign)}
    (job,) = (n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "Job")
    given = {str(keyword.arg): keyword.value for keyword in job.keywords}
    assert given.keys() <= Job.__dataclass_fields__.keys()
    (row,) = ast.literal_eval(assigned["rows"])
    return ast.literal_eval(given["action"]), row, ast.literal_eval(given["templates"])


def read_form(catalog: Catalog, action: Action, blocks: Sequence[Block], row: Any) -> Any:
    """Read LogicHub's fields: the values that they give for a row."""
    build, *fields = blocks
    options = build_parser(["host"]).parse_args(shlex.split(build.text)[1:])
    assert action.name in (options.actions or DOCUMENTED)
    names = {given.title: name for name, given in action.inputs.items()}
    job = Job(action.name, files=Path() if action.returns_file else None)
    prepared = prepare_form(catalog, job, {names[field.label]: field.text for field in fields})
    return prepared.bindings.values(row)


def as_text(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request as curl sends it, for which a part without a type is text."""
    shown = dict(sent)
    if "parts" in sent:
        shown["parts"] = [
            part if "media_type" in part or "value" not in part else {**part, "value": plain(part["value"])}
            for part in sent["parts"]
        ]
    return shown


def plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def split(text: str) -> list[str]:
    """Read a command as a shell does, which joins lines at a backslash."""
    return shlex.split(text.replace("\\\n", " "))


def commands(text: str) -> list[str]:
    """Split a script into its commands."""
    return text.replace("\ncurl ", "\n\0curl ").split("\n\0")


def read_curl(text: str) -> dict[str, Any]:
    """Read a curl command as an example's `sends` has it."""
    words = iter(split(text))
    sent: dict[str, Any] = {}
    for word in words:
        if word == "--request":
            sent["method"] = next(words)
        elif base := re.match(r"\$[A-Z]+_BASE_URL", word):
            sent["path"], _, query = word.removeprefix(base[0]).partition("?")
            for name, value in parse_qsl(query, keep_blank_values=True):
                sent.setdefault("query", {}).setdefault(name, []).append(value)
        elif word == "--header":
            name, _, value = next(words).partition(": ")
            if name not in ("Authorization", "Content-Type"):
                sent.setdefault("headers", {})[name] = value
        elif word == "--data":
            sent["body"] = json.loads(next(words))
        elif word == "--form":
            sent.setdefault("parts", []).append(read_form_part(next(words)))
        else:
            assert word == "curl"
    if "query" in sent:
        sent["query"] = {name: many[0] if len(many) == 1 else many for name, many in sent["query"].items()}
    return sent


def read_form_part(text: str) -> dict[str, Any]:
    """Read what curl's `--form` takes: a quoted value, in which a backslash escapes, or a file."""
    name, _, content = text.partition("=")
    part: dict[str, Any] = {"name": name}
    if quoted := re.fullmatch(r'"((?:\\.|[^"\\])*)"(?:;type=(.+))?', content, re.DOTALL):
        message = re.sub(r"\\(.)", r"\1", quoted[1])
        media_type = quoted[2]
        part["value"] = json.loads(message) if media_type == "application/json" else message
    else:
        part["file"], _, media_type = content.removeprefix("@").partition(";type=")
    return {**part, "media_type": media_type} if media_type else part


def test_what_curl_would_read_itself_is_escaped(service: Service) -> None:
    message = "a \"b\\c\"; type=x, $HOME `id` 'd'"
    parts = [{"name": "text", "value": message}, {"name": "file", "file": "a.csv", "media_type": "text/csv"}]
    sent = {"method": "POST", "path": "/v2/x", "query": {"q": "a&b=/ {c}[1]"}, "parts": parts}
    example = Example("", {}, {}, (sent,), (), {})
    assert read_curl(curl(example, service)) == sent


ALWAYS = ["schedule_maintenance"]  # times, an array
WORKING = [
    *ALWAYS,
    "create_organization",  # texts with spaces, JSON in JSON
    "list_devices",  # paged, a filter
    "attach_file_to_entity",  # an upload
    "download_article",  # a download
]
working = pytest.mark.parametrize(
    "action",
    [pytest.param(CATALOG.action(n), id=n, marks=() if n in ALWAYS else pytest.mark.slow) for n in WORKING],
)


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def environment(account: Sandbox, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the copied texts find: the command, and a connection to the sandbox."""
    account.reset()
    for name, value in account.connection.items():
        monkeypatch.setenv(f"NINJAONE_{name.upper()}", value)
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def sent_since(account: Sandbox, before: int) -> list[tuple[str, str]]:
    return [(r["method"], r["path"]) for r in account.log.requests()[before:]]


@working
@pytest.mark.parametrize("key", ["call", "job", "python", "curl"])
def test_what_is_copied_works(
    account: Sandbox, environment: dict[str, str], service: Service, action: Action, key: str, folder: Path
) -> None:
    example = action.examples[0]
    put_files(example, folder)
    (copied,) = (s for s in snippets(action, example, service) if s.key == key)
    for block in copied.blocks:
        (folder / block.label).write_text(block.text, encoding="utf-8")
    if key == "curl":
        tools_or_skip("curl")
        environment["NINJAONE_TOKEN"] = token(account)
    before = len(account.log.requests())
    run = [sys.executable, "Python"] if key == "python" else ["sh", "-e", "Shell"]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr + done.stdout
    assert sent_since(account, before) == [(sent["method"], sent["path"]) for sent in example.sends]
    assert all(r["status"] < 400 for r in account.log.requests()[before:])


def tools_or_skip(name: str) -> None:
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")


def token(account: Sandbox) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": account.client_id,
        "client_secret": account.client_secret,
    }
    request = Request(f"{account.base_url}/ws/oauth/token", urlencode(form).encode())
    with urlopen(request) as response:
        return str(json.load(response)["access_token"])
