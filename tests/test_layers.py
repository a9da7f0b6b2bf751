"""The packages of `connector` and their order: what may import what, and what may know which words.

`LAYERS` lists them, highest first. A module imports only its own package and packages below it; packages of
one layer do not import each other. No modules import each other in a circle, inside a package either.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import connector
from connector.common.package_data import actions_folder

ROOT = Path(connector.__file__).parent

LAYERS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli",),
    ("web",),
    ("hosts", "mcp", "serve", "temporal"),
    ("callers",),
    ("library",),
    ("handlers",),  # what handlers of actions import, and nothing else of the connector does
    ("sync",),
    ("runs", "authoring"),
    ("invocation",),
    ("client",),
    ("connections",),
    ("state",),
    ("catalog", "files"),
    ("http", "templating", "sandbox"),
    ("common",),
    ("errors",),
    ("",),  # the package itself: its version
)
RANKS = {name: rank for rank, layer in enumerate(reversed(LAYERS)) for name in layer}

FRONT_DOORS = ("cli", "hosts", "library", "mcp", "serve", "web", "sandbox", "__main__")
"""What may name a vendor."""
VENDORS = ("ninja", "halo")

ALLOWED_LINES = {
    "__init__.py": [
        '"""NinjaOne actions with Jinja-templated inputs: rows in, one envelope per row out."""',
        '"NinjaOne": "connector.library.ninjaone",',
        '"HaloPSA": "connector.library.halopsa",',
    ],
    "catalog/catalog.py": [
        """return f'no action "{name}"{self._nearest(name)}; `ninjaone actions` lists them{hint}'"""
    ],
    "http/messages.py": ['USER_AGENT = f"ninjaone-connector/{connector.__version__}"'],
    "common/user_folders.py": [
        'STATE_DIR = "NINJAONE_STATE_DIR"',
        'return _usable(user_cache_path("ninjaone-connector", appauthor=False))',
        'return user_state_path("ninjaone-connector", appauthor=False)',
        'return _usable(user_data_path("ninjaone-connector", appauthor=False) / "runs")',
        'return user_config_path("ninjaone-connector", appauthor=False)',
        'return Path(tempfile.mkdtemp(prefix="ninjaone-connector-"))',
    ],
    "connections/connection.py": [
        '"--connection NAME, or set the default with `ninjaone connection default NAME`"',
        '"no connection: save one with `ninjaone connection add NAME`, use --connection FILE, or set "',
    ],
    "connections/refresh_tokens.py": [
        'return f"Sign in again: `ninjaone connection edit {self._name} --browser`"',
        '"`ninjaone connection add NAME --browser`, which stores it for you"',
    ],
    "sync/receiver.py": [
        '"receiving webhooks requires the package waitress: install ninjaone-connector[sync], "'
    ],
    "files/excel_reader.py": ["\"`pip install 'ninjaone-connector[excel]'`, or use CSV\""],
    "state/setting.py": ['VARIABLE = "NINJAONE_STATE"'],
    "state/database.py": [
        "\"state in PostgreSQL requires the package psycopg: `pip install 'ninjaone-connector[postgres]'`\""
    ],
    "connections/secret_store.py": ['KEYRING_SERVICE = "ninjaone-connector"'],
    "authoring/reference.py": [
        "You want to look up an action and its inputs. `ninjaone show ACTION` prints it with examples.",
        "Generated from the declarations by `ninjaone catalog reference`: edit those instead of this page.",
    ],
    "authoring/checks.py": ['ours = re.fullmatch(r"urn:ninjaone-connector:(\\w+):\\d+", uri)'],
}
"""Below the front doors, a vendor's name stands in these lines alone: names of the distribution, of its
command, its folders, its entries in the keyring and its schemas."""


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def package(path: Path) -> str:
    """The name under which a file stands in `LAYERS`."""
    first = path.relative_to(ROOT).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def dotted(path: Path) -> str:
    """A file's module name."""
    return ".".join(("connector", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")


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
    assert {package(path) for path in modules()} - RANKS.keys() == set()
    assert len(RANKS) == sum(map(len, LAYERS))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    own = package(path)
    wrong = []
    for line, name in imported(path):
        first, _, rest = name.partition(".")
        if first != "connector":
            continue
        other = rest.partition(".")[0]
        if other in ("actions", "schemas"):  # the data, which belongs to no layer
            continue
        other = other if other in RANKS else ""  # connector.__version__
        if other != own and RANKS[other] >= RANKS[own]:
            wrong.append(f"{path}, line {line}: {own} imports {other}, which is not below it")
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    names = {dotted(path) for path in modules()}
    graph: dict[str, set[str]] = {}
    for path in modules():
        found = {name if name in names else name.rpartition(".")[0] for _, name in imported(path)}
        graph[dotted(path)] = (found & names) - {dotted(path)}
    left = dict(graph)
    while free := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in free:
            del left[name]
    while unused := [name for name in left if not any(name in needs for needs in left.values())]:
        for name in unused:  # what only leads into a circle
            del left[name]
    assert sorted(left) == []


def test_handlers_import_one_module_of_the_connector() -> None:
    wrong = []
    for path in sorted(actions_folder().rglob("*.py")):
        service = path.relative_to(actions_folder()).parts[0]
        for line, name in imported(path):
            own = (f"connector.actions.{service}.", "connector.handlers.")
            others = name.startswith("connector") and not name.startswith(own)
            if others and name != own[0].rstrip("."):
                wrong.append(f"{path}, line {line}: {name}")
    assert wrong == []


def test_only_handlers_import_the_module_that_is_for_them() -> None:
    users = {
        package(path)
        for path in modules()
        for _, name in imported(path)
        if name.startswith("connector.handlers")
    }
    assert users == set()


def test_below_the_front_doors_nobody_knows_a_vendor() -> None:
    found = {}
    for path in modules():
        if package(path) not in FRONT_DOORS:
            lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
            if known := [line for line in lines if any(name in line.lower() for name in VENDORS)]:
                found[str(path.relative_to(ROOT))] = known
    assert found == ALLOWED_LINES


def test_the_web_server_is_for_the_sandbox_and_the_catalogue_alone() -> None:
    users = {package(path) for path in modules() for _, name in imported(path) if name.startswith("werkzeug")}
    assert users == {"sandbox", "serve", "web"}


@pytest.mark.parametrize("module", ["connector.cli.main", "connector"])
def test_a_command_that_sends_nothing_loads_no_heavy_library(module: str) -> None:
    heavy = ("requests", "urllib3", "jsonschema", "jinja2", "werkzeug", "connector.library")
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
        "connector.runs.run",
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
        "import sys; from connector.catalog.catalog import Catalog; Catalog().names; "
        "print(*[name for name in ('requests', 'urllib3', 'jsonschema', 'jinja2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_run_loads_no_module_that_only_some_runs_need() -> None:
    heavy = ("platform", "getpass", "secrets", "requests", "jsonschema", "email", "ssl")
    code = (
        "import sys, connector.cli.run, connector.cli.call; "
        f"print(*[name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"]])
def test_the_commands_are_listed_without_their_modules(arguments: list[str]) -> None:
    code = (
        "import sys, atexit; from connector.cli.main import COMMANDS, main; "
        "modules = {module for module, _ in COMMANDS.values()}; "
        "atexit.register(lambda: print(*modules & set(sys.modules), file=sys.stderr)); "
        f"main({arguments})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") > (0 if arguments == ["--version"] else 20)
    assert done.stderr.split() == []


def test_a_sync_loads_no_sandbox() -> None:
    code = (
        "import sys, connector.cli.sync; "
        "print(*[name for name in sys.modules if name.startswith(('connector.sandbox', 'connector.web'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_catalog_without_syncs_is_served_without_the_sync() -> None:
    code = (
        "import sys; from connector.web.server import CatalogServer; CatalogServer(); "
        "print(*[name for name in sys.modules if name.startswith('connector.sync')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_row_that_is_right_is_checked_without_jsonschema() -> None:
    code = (
        "import sys; from connector.catalog.catalog import Catalog; "
        "from connector.invocation.bindings import bind; "
        "bound = bind(Catalog().action('run_script'), {}); "
        "bound.values({'device_id': '1', 'type': 'SCRIPT', 'script_id': 5, 'parameters': 'x'}); "
        "print('jsonschema' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
