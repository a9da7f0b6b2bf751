"""Installs what slow tests need into folders of `build`, for `make`.

python -m tests.install venv|wheels|npm FOLDER NAME [OPTION...] [PACKAGE...]
python -m tests.install system PROGRAM,... NAME PACKAGE...

`venv` installs into an environment, `wheels` puts wheels aside, `npm` installs packages of npm, and `system`
those of Debian. The options and packages are those of pip, npm or apt-get; `--rebuild=PACKAGE` builds one of
npm whose scripts were not run. A folder that has the same packages already is kept. If they cannot be
installed, the exit code is 1 if the package index can be reached. Otherwise it is 0, and NAME and the reason
are printed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

NPM = ("npm", "--loglevel=error", "--no-audit", "--no-fund")
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")
APT = ("apt-get", "-qq", "--yes", "--option=DPkg::Lock::Timeout=600")
STAMP = ".installed"
"""The file in a folder that says what was installed."""


@dataclass(frozen=True)
class Wanted:
    """Packages to install into a folder, and their name in messages."""

    folder: Path
    name: str
    packages: Sequence[str]


def venv(wanted: Wanted) -> bool:
    """Install packages into a new environment; return whether this succeeded."""
    python = wanted.folder / "bin" / "python"
    return succeeds(sys.executable, "-m", "venv", wanted.folder) and succeeds(
        python, *PIP, "install", *wanted.packages
    )


def wheels(wanted: Wanted) -> bool:
    """Put the wheels of packages into a folder; return whether this succeeded."""
    return succeeds(sys.executable, *PIP, "wheel", "--wheel-dir", wanted.folder, *wanted.packages)


def npm(wanted: Wanted) -> bool:
    """Install packages of npm; return whether this succeeded."""
    prefix, mark = ("--prefix", wanted.folder), "--rebuild="
    built = [option.removeprefix(mark) for option in wanted.packages if option.startswith(mark)]
    packages = [option for option in wanted.packages if not option.startswith(mark)]
    wanted.folder.mkdir(parents=True)
    if not succeeds(*NPM, "install", *prefix, *packages):
        return False
    return all(succeeds("npm", "rebuild", "--silent", *prefix, package) for package in built)


def pip_reaches_its_index(folder: str) -> bool:
    """Download a small package that is in no cache."""
    probe = ("download", "--no-cache-dir", "--no-deps", "--retries=0", "--dest", folder, "iniconfig")
    return succeeds(sys.executable, *PIP, *probe, quiet=True)


def npm_reaches_its_registry(folder: str) -> bool:
    """Download a small package that is in no cache."""
    probe = ("pack", "--fetch-retries=0", "--cache", folder, "--pack-destination", folder, "wrappy")
    return succeeds(*NPM, *probe, quiet=True)


def succeeds(*command: object, quiet: bool = False) -> bool:
    """Run a program; return whether it succeeded. Its errors are shown unless it is `quiet`."""
    errors = subprocess.DEVNULL if quiet else None
    done = subprocess.run(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=errors, check=False)
    return done.returncode == 0


KINDS: dict[str, tuple[Callable[[Wanted], bool], Callable[[str], bool]]] = {
    "venv": (venv, pip_reaches_its_index),
    "wheels": (wheels, pip_reaches_its_index),
    "npm": (npm, npm_reaches_its_registry),
}


def install(kind: str, wanted: Wanted) -> int:
    """Install packages into a folder that does not have them; return the exit code."""
    if kind == "npm" and not shutil.which("npm"):
        return skipped(wanted.name, "this requires npm")
    stamp, text = wanted.folder / STAMP, stamp_of(kind, wanted)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == text:
        return 0
    put, reaches_index = KINDS[kind]
    shutil.rmtree(wanted.folder, ignore_errors=True)
    if put(wanted):
        stamp.write_text(text, encoding="utf-8")
        return 0
    shutil.rmtree(wanted.folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        return failed(wanted.name, reaches_index(folder))


def stamp_of(kind: str, wanted: Wanted) -> str:
    """Return what is to be installed, with the content of the files of requirements."""
    files = [Path(package) for package in wanted.packages if package.endswith(".txt")]
    pins = [path.read_text(encoding="utf-8") for path in files]
    version = "" if kind == "npm" else sys.version
    return "\n".join([kind, version, *wanted.packages, *pins])


def install_in_system(programs: Sequence[str], name: str, packages: Sequence[str]) -> int:
    """Install packages of Debian if one of the programs is missing; return the exit code."""
    if all(map(shutil.which, programs)):
        return 0
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return skipped(name, f"this requires {', '.join(programs)}")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    is_reached = succeeds("apt-get", "update", "-qq", "--error-on=any")
    if succeeds(*APT, "install", "--no-install-recommends", *packages):
        return 0
    return failed(name, is_reached)


def failed(name: str, is_reached: bool) -> int:
    """Print why packages were not installed; return the exit code."""
    if not is_reached:
        return skipped(name, "its packages cannot be installed, as their index cannot be reached")
    print(f"{name}: its packages cannot be installed, and their index can be reached: see the messages above")
    return 1


def skipped(name: str, why: str) -> int:
    """Print that the tests with this name are skipped; return the exit code."""
    print(f"skipped: the tests with {name}: {why}")
    return 0


def main(arguments: Sequence[str]) -> int:
    """Install what the arguments say; return the exit code."""
    kind, where, name, *packages = arguments
    if kind == "system":
        return install_in_system(where.split(","), name, packages)
    return install(kind, Wanted(Path(where), name, packages))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
