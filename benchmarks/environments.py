"""Install each compared program in a virtual environment below `.venv/bench`, and nginx if necessary."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.stub import Nginx

FOLDER = Path(sys.prefix) / "bench"

_HERE = str(Path(__file__).parent.parent)
CORE = "core"
"""The connector without extras, so without the compiled parsers of `fast`."""
PEERS = {
    CORE: ("--editable", _HERE),
    "lhub": ("lhub_integ==1.0.14", "requests"),
    "hosted": ("lhub_integ==1.0.14", "--editable", _HERE),
    "ninjapy": ("ninjapy==0.2.3",),
    "airbyte": ("airbyte-cdk==7.39.1",),
}
"""The packages to install for each compared program. `hosted` is the LogicHub SDK with this connector."""

_ECHO = "ngx_http_echo_module.so"
_MODULES = (Path("/usr/share/nginx/modules"), Path("/usr/lib/nginx/modules"))
_VERSIONS = """
import importlib.metadata, json, sys
print(json.dumps({name: importlib.metadata.version(name) for name in sys.argv[1:]}))
"""


def peer(name: str) -> Path | None:
    """Install a compared program if needed and return its Python; None, with a message, if that fails."""
    folder, wanted = FOLDER / name, "\n".join(PEERS[name])
    python, ready = folder / "bin" / "python", folder / "installed.txt"
    if ready.exists() and ready.read_text() == wanted:
        return python
    print(f"creating the environment of {name}", file=sys.stderr)
    try:
        _quietly([sys.executable, "-m", "venv", "--clear", folder])
        _quietly([python, "-m", "pip", "install", "--quiet", *PEERS[name]])
    except subprocess.CalledProcessError as error:
        print(f"{name} cannot be installed:\n{error.output}", file=sys.stderr)
        return None
    ready.write_text(wanted)
    return python


def versions(python: Path, names: Sequence[str]) -> dict[str, str]:
    """Return the versions of packages in a virtual environment, keyed by name."""
    told = subprocess.run(
        [python, "-c", _VERSIONS, *names], check=True, capture_output=True, text=True
    ).stdout
    found: dict[str, str] = json.loads(told)
    return found


def find_nginx() -> Nginx | None:
    """Return nginx with its echo module; print a message and return None if it is not available.

    If the system has no nginx, its packages are unpacked into a folder below `.venv` instead of installed.
    This requires no permissions and starts no server on port 80.
    """
    unpacked = FOLDER / "nginx"
    if found := _installed() or _unpacked(unpacked):
        return found
    print("downloading the package of nginx", file=sys.stderr)
    try:
        unpacked.mkdir(parents=True, exist_ok=True)
        packages = ["apt-get", "download", "nginx", "libnginx-mod-http-echo"]
        try:
            _quietly(packages, unpacked)
        except subprocess.CalledProcessError:  # A new machine has no lists of packages.
            _quietly(["apt-get", "update"])
            _quietly(packages, unpacked)
        for package in unpacked.glob("*.deb"):
            _quietly(["dpkg", "-x", package, unpacked])
        if found := _unpacked(unpacked):
            found.version()
            return found
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"nginx is not available: {getattr(error, 'output', error)}", file=sys.stderr)
    print(
        "a small Python server is used instead of nginx, which makes the measured programs slower: install "
        "nginx and libnginx-mod-http-echo for valid results",
        file=sys.stderr,
    )
    return None


def _installed() -> Nginx | None:
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    module = next((folder / _ECHO for folder in _MODULES if (folder / _ECHO).exists()), None)
    return Nginx(Path(program), module) if program and module else None


def _unpacked(folder: Path) -> Nginx | None:
    program = folder / "usr/sbin/nginx"
    module = next(folder.glob(f"usr/*/nginx/modules/{_ECHO}"), None)
    return Nginx(program, module) if program.exists() and module else None


def _quietly(command: Sequence[str | Path], folder: Path | None = None) -> None:
    """Run a command. If it fails, its output is in the CalledProcessError."""
    subprocess.run(
        command, cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
