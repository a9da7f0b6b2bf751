"""The layers of the house: what may import what, and what may know which words.

`LAYERS` is the one place that lists them. A module imports only from layers below its own; modules of one
layer do not import each other. A package (`cli`, `sandbox`, ...) is one entry: inside, its modules are free.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import connector

ROOT = Path(connector.__file__).parent

LAYERS: tuple[tuple[str, ...], ...] = (
    # Front doors.
    ("__main__",),
    ("cli",),
    ("web",),
    ("sandbox", "demo", "hosts"),
    # A run, and what tends the catalogue.
    ("job_run", "from_spec"),
    ("tenant_runs",),
    ("run",),
    ("runs", "repeats", "doors"),
    ("job", "drift", "spec_example"),
    ("batch", "check", "published_schemas", "steps", "tenants", "health", "reference", "preview"),
    ("merging",),
    ("output", "window"),
    ("journal", "files", "published"),
    ("append_only", "conversion", "json_ahead"),
    # One row.
    ("invoke",),
    ("bindings", "handlers", "document", "downloads", "exchange"),
    # One request.
    ("sign_ins",),
    ("paging", "client"),
    ("pacing", "auth", "catalog", "audit", "browser_sign_in"),
    ("grants",),
    ("token_endpoint", "refresh_tokens"),
    ("connections",),
    ("saved_connections", "secret_store"),
    ("state",),
    # HTTP over the network.
    ("transport",),
    ("http1", "routes"),
    ("content_codings", "proxies"),
    # What is declared.
    ("action", "service"),
    ("http", "declaration"),
    # Values.
    ("envelope", "templates"),
    ("json_documents", "template_environment"),
    ("template_methods",),
    ("template_filters",),
    ("template_operators", "template_values", "template_costs"),
    ("template_bounds",),
    ("inputs", "redact", "resources", "yaml_file", "yaml_text", "names", "uploads"),
    ("json_schema", "typed_values"),
    ("json_text", "times", "filters"),
    ("clock", "disk"),
    ("errors",),
    # The package itself: its version.
    ("",),
)
RANKS = {name: rank for rank, layer in enumerate(reversed(LAYERS)) for name in layer}

FRONT_DOORS = ("cli", "hosts", "web", "sandbox", "demo", "__main__")
"""What may know the vendor."""

KNOWN_WORDS = {
    "__init__.py": ['"""NinjaOne actions with Jinja-templated inputs: rows in, one envelope per row out."""'],
    "catalog.py": [
        """f'no action "{name}"{nearest(name, self._files)}; `ninjaone actions` lists them{hint}'"""
    ],
    "http.py": ['USER_AGENT = f"ninjaone-connector/{connector.__version__}"'],
    "state.py": [
        'return _usable(user_cache_path("ninjaone-connector", appauthor=False))',
        'return user_state_path("ninjaone-connector", appauthor=False)',
        'return _usable(user_data_path("ninjaone-connector", appauthor=False) / "runs")',
        'return user_config_path("ninjaone-connector", appauthor=False)',
        'return Path(tempfile.mkdtemp(prefix="ninjaone-connector-"))',
    ],
    "connections.py": [
        '"--connection NAME, or make one the default with `ninjaone connection default NAME`"',
        '"no connection: save one with `ninjaone connection add NAME`, or give --connection FILE, or set "',
    ],
    "refresh_tokens.py": [
        'return f"Sign in again: `ninjaone connection edit {self._name} --browser`"',
        '"`ninjaone connection add NAME --browser`, which keeps it for you"',
    ],
    "secret_store.py": ['KEYRING_SERVICE = "ninjaone-connector"'],
    "reference.py": ["Made from the declarations by `ninjaone catalog reference`; do not edit it by hand."],
    "check.py": ['ours = re.fullmatch(r"urn:ninjaone-connector:(\\w+):\\d+", uri)'],
}
"""Below the front doors, the vendor's name stands in these lines alone: names of the distribution, of its
command, its folders, its entries in the keyring and its schemas."""


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def entry(path: Path) -> str:
    """The name under which a file stands in `LAYERS`."""
    first = path.relative_to(ROOT).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that a file imports, wherever in the file that stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}, line {node.lineno}: a relative import"
            for name in node.names:
                yield node.lineno, f"{node.module}.{name.name}"


def test_every_module_has_a_layer() -> None:
    assert {entry(path) for path in modules()} - RANKS.keys() == set()
    assert len(RANKS) == sum(map(len, LAYERS))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    own = entry(path)
    wrong = []
    for line, name in imported(path):
        first, _, rest = name.partition(".")
        if first != "connector":
            continue
        other = rest.partition(".")[0]
        other = other if other in RANKS else ""  # connector.__version__
        if other != own and RANKS[other] >= RANKS[own]:
            wrong.append(f"{path}, line {line}: {own} imports {other}, which is not below it")
    assert wrong == []


def test_below_the_front_doors_nobody_knows_the_vendor() -> None:
    found = {}
    for path in modules():
        if entry(path) not in FRONT_DOORS:
            lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
            if known := [line for line in lines if "ninja" in line.lower()]:
                found[str(path.relative_to(ROOT))] = known
    assert found == KNOWN_WORDS


def test_the_web_server_is_for_the_sandbox_and_the_catalogue_alone() -> None:
    users = {entry(path) for path in modules() for _, name in imported(path) if name.startswith("werkzeug")}
    assert users == {"sandbox", "web"}


@pytest.mark.parametrize("module", ["connector.cli.main", "connector"])
def test_a_command_that_sends_nothing_loads_no_heavy_library(module: str) -> None:
    heavy = ("requests", "urllib3", "jsonschema", "jinja2", "werkzeug")
    code = f"import sys, {module}; print(*[name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_list_of_actions_is_made_without_http_templates_and_schemas() -> None:
    heavy = (
        "requests",
        "urllib3",
        "jsonschema",
        "jinja2",
        "werkzeug",
        "filelock",
        "connector.run",
        "connector.web",
    )
    code = (
        "import sys; from connector.cli.main import main; main(['actions']); "
        f"print(*[name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []


def test_a_catalogue_can_be_read_without_http_and_templates() -> None:
    code = (
        "import sys; from connector.catalog import Catalog; Catalog().names; "
        "print(*[name for name in ('requests', 'urllib3', 'jsonschema', 'jinja2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_row_that_is_right_is_checked_without_jsonschema() -> None:
    code = (
        "import sys; from connector.catalog import Catalog; from connector.bindings import bind; "
        "bound = bind(Catalog().action('run_script'), {}); "
        "bound.values({'device_id': '1', 'type': 'SCRIPT', 'script_id': 5, 'parameters': 'x'}); "
        "print('jsonschema' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
